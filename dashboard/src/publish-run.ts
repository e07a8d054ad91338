import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { judge, junitXml, type RunRecord, type StageName } from '@cc-ci/core';
import { type EngineReader, isFinal } from '@cc-ci/engine';
import { runJson } from './api.js';
import { type Generation, pageKey, refuseSecrets } from './generation.js';
import type { Guard } from './guard.js';
import { indexLog, readLogPage } from './log-lines.js';
import { isStatic, logPage } from './log-page.js';
import { type LogTail, PAGE_LIMITS, shorten } from './log-tail.js';
import { isActive, type Run } from './model.js';
import { readRecord } from './read-record.js';
import type { ReadFolder } from './records.js';
import { endCopies, type PublishedLog, runLogs } from './run-logs.js';
import { runPage } from './run-page.js';
import { type Content, linkIfChanged, type Publishable, publishableOf, publishFolder } from './site-files.js';

/** What making the page of a run takes of a generation. */
export interface RunPublisher
  extends Pick<Generation, 'siteDir' | 'base' | 'now' | 'engine' | 'guardOf' | 'keys'> {
  cache: Pick<Generation['cache'], 'tails' | 'copies' | 'pages'>;
  result: Pick<Generation['result'], 'written'>;
}

/**
 * Makes the folder of a run in the site, unless it was made from the same before.
 * @param known its folder, where it was just read
 * @throws when something in it must not be public; what was there before stays
 */
export async function publishRun(generation: RunPublisher, run: Run, known?: ReadFolder): Promise<void> {
  const { cache, siteDir, base, now, engine, result } = generation;
  const folder = `${siteDir}/runs/${run.id}`;
  const key = pageKey(run, now);
  if (isPublished(generation, run)) return;
  const guard = known?.guard ?? generation.guardOf(run.dir);
  const record = run.facts && run.dir ? (known?.record ?? readRecord(run.dir, guard)) : undefined;
  const publishable = record && publishableOf(realpathSync.native(record.dir));
  const active = isActive(run);
  const logs =
    record && publishable
      ? await runLogs(
          {
            siteDir,
            run: run.id,
            publishable,
            stages: record.stages.map(({ stage }) => stage),
            guard,
            active,
          },
          cache.copies,
          cache.tails,
        )
      : new Map<StageName, PublishedLog>();
  const files = new Map<string, Content>();
  const artifacts =
    record && publishable ? artifactsOf(record, publishable, guard, files) : new Map<string, string>();
  for (const [stage, { content }] of logs) files.set(`logs/${stage}.log`, content);
  if (!active) await addLogPages(run, logs, base, files);
  const engineLog = await engineLogOf(engine, run, record, guard);
  const tails = new Map([...logs].map(([stage, { tail }]) => [stage, tail]));
  const evidence = run.facts && record ? (record.summary?.outcome ?? judge(record.stages)).evidence : [];
  const told = run.facts?.outcome.sentence === run.sentence ? evidence : [];
  files.set('report.json', runJson(run, record, told));
  if (record && !active) files.set('junit.xml', junitXml(record));
  files.set(
    'index.html',
    runPage(run, { record, evidence: told, logs: tails, artifacts, engineLog }, base, now),
  );
  for (const [path, content] of files) refuseSecrets(guard, `runs/${run.id}/${path}`, content);
  const written = publishFolder(folder, files);
  const isLinked = linkIfChanged(`${siteDir}/api/runs/${run.id}.json`, `${folder}/report.json`);
  result.written += written + (isLinked ? 1 : 0);
  for (const { file } of logs.values()) if (file !== undefined && !active) cache.tails.forget(file);
  if (!active) endCopies(cache.copies, siteDir, run.id);
  cache.pages.set(run.id, key);
  // A running clock need not be remembered: its page is made again anyway.
  if (!active) generation.keys.set(run.id, key);
}

/** Whether the page of a run is there, made from what is known of it now. */
export function isPublished({ cache, siteDir, now }: RunPublisher, run: Run): boolean {
  const isCurrent = cache.pages.get(run.id) === pageKey(run, now);
  return isCurrent && existsSync(join(siteDir, 'runs', run.id, 'index.html'));
}

/** Files that may be published, by their path in the run's folder, with their path below the run's page. */
function artifactsOf(
  { stages }: RunRecord,
  publishable: (source: string) => Publishable | undefined,
  guard: Guard,
  files: Map<string, Content>,
): Map<string, string> {
  const published = new Map<string, string>();
  for (const { path } of stages.flatMap((stage) => stage.artifacts)) {
    const file = publishable(path);
    const content = file && guarded(file, guard);
    if (content === undefined) continue;
    const name = join('files', path);
    files.set(name, content);
    published.set(path, name);
  }
  return published;
}

const TEXT = /\.(?:txt|log)$/i;
/** Larger files are not looked into: nobody knows what to look for in what is packed. */
const LOOKED_INTO = 64 * 1024 * 1024;

/** A text is published without what the guard finds; a picture or archive that holds a known secret is not at all. */
function guarded({ path: file, size }: Publishable, guard: Guard): Content | undefined {
  if (!TEXT.test(file) && !guard.knowsSecrets) return { file };
  if (size > LOOKED_INTO) return TEXT.test(file) ? undefined : { file };
  const bytes = readFileSync(file);
  if (!TEXT.test(file)) return guard.findsIn(bytes) ? undefined : { file };
  const text = bytes.toString('utf8');
  return guard.finds(text) ? guard.text(text) : { file };
}

async function addLogPages(
  run: Run,
  logs: ReadonlyMap<StageName, PublishedLog>,
  base: string,
  files: Map<string, Content>,
): Promise<void> {
  for (const [stage, { tail, content, file }] of logs) {
    if (tail.firstLine === 1) continue;
    // A small log that was cut has long lines, or many: what it is, is at hand.
    const path = file ?? (typeof content === 'string' ? undefined : content.file);
    if (path === undefined) continue;
    const index = await indexLog(path);
    const owner = { id: run.id, recipe: run.request?.recipe, active: false };
    for (let page = 0; page < index.starts.length; page++) {
      const lines = isStatic(index, page) ? await readLogPage(path, index, page) : undefined;
      if (lines)
        files.set(`logs/${stage}/${page + 1}/index.html`, logPage(owner, stage, index, page, lines, base));
    }
  }
}

/** The engine's log of a build whose record does not tell how it ended, or that has none. */
async function engineLogOf(
  engine: EngineReader,
  run: Run,
  record: RunRecord | undefined,
  guard: Guard,
): Promise<LogTail | undefined> {
  const { build } = run;
  if (!build || build.state === 'queued' || record?.summary) return undefined;
  if (record && !isFinal(build.state)) return undefined;
  const filter = guard.lines();
  const lines: string[] = [];
  let total = 0;
  let bytes = 0;
  for await (const { text } of engine.logs(build.id)) {
    total += 1;
    bytes += Buffer.byteLength(text) + 1;
    lines.push(shorten(filter(text), PAGE_LIMITS.width));
    if (lines.length > PAGE_LIMITS.lines) lines.shift();
  }
  return total === 0 ? undefined : { firstLine: total - lines.length + 1, lines, bytes };
}
