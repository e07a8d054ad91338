import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge, junitFile, junitXml, type RunRecord, reportFile, type StageName } from '@cc-ci/core/reading';
import { type EngineReader, isFinal } from '@cc-ci/engine/engine';
import { runJson } from './api.js';
import { type Generation, pageKey, refuseSecrets } from './generation.js';
import type { Guard } from './guard.js';
import { indexLog, readLogPage } from './log-lines.js';
import { isStatic, logPage } from './log-page.js';
import { type LogTail, PAGE_LIMITS, shorten } from './log-tail.js';
import { isActive, type Run } from './model.js';
import { type ReadRecord, readRecord } from './read-record.js';
import type { ReadFolder } from './records.js';
import { endCopies, type PublishedLog, type PublishedLogs, runLogs } from './run-logs.js';
import { type RunFiles, runPage } from './run-page.js';
import {
  type Content,
  type Publishable,
  publishableOf,
  publishFolder,
  writeIfChanged,
} from './site-files.js';

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
  const read = run.facts && run.dir ? (known?.read ?? readRecord(run.dir, guard)) : undefined;
  const active = isActive(run);
  const files = new Map<string, Content>();
  const context = { generation, run, guard, files, active };
  const parts = read ? await addRecord(context, read) : { logs: new Map(), artifacts: new Map() };
  const record = read?.record;
  const engineLog = await engineLogOf(engine, run, record, guard);
  const evidence = evidenceOf(run, record);
  if (!files.has('report.json')) files.set('report.json', runJson(run, record, evidence));
  if (record && !active && !files.has('junit.xml')) files.set('junit.xml', junitXml(record));
  const downloads = DOWNLOADS.filter((name) => files.has(name));
  files.set('index.html', runPage(run, { record, evidence, ...parts, engineLog, downloads }, base, now));
  for (const [path, content] of files) refuseSecrets(guard, `runs/${run.id}/${path}`, content);
  const written = publishFolder(folder, files);
  const isWritten = writeIfChanged(`${siteDir}/api/runs/${run.id}.json`, { file: `${folder}/report.json` });
  result.written += written + (isWritten ? 1 : 0);
  for (const { file } of parts.logs.values()) if (file !== undefined && !active) cache.tails.forget(file);
  if (!active) endCopies(cache.copies, siteDir, run.id);
  cache.pages.set(run.id, key);
  // A running clock need not be remembered: its page is made again anyway.
  if (!active) generation.keys.set(run.id, key);
}

const DOWNLOADS = ['log.txt', 'report.json', 'junit.xml'];

/** What is said to show why the run came to what the page says it came to. */
function evidenceOf(run: Run, record: RunRecord | undefined): readonly string[] {
  if (!run.facts || !record || run.facts.outcome.sentence !== run.sentence) return [];
  return (record.summary?.outcome ?? judge(record.stages)).evidence;
}

interface RunContext {
  generation: RunPublisher;
  run: Run;
  guard: Guard;
  /** What is to be published, by its path in the run's folder of the site. */
  files: Map<string, Content>;
  active: boolean;
}

/** Adds what the run's folder holds: logs, artifacts, and the report where it is there in one piece. */
async function addRecord(
  { generation: { siteDir, base, cache }, run, guard, files, active }: RunContext,
  { record, report }: ReadRecord,
): Promise<Pick<RunFiles, 'artifacts'> & Pick<PublishedLogs, 'logs'>> {
  const publishable = publishableOf(record.dir);
  const stages = record.stages.map(({ stage }) => stage);
  const source = { siteDir, run: run.id, publishable, stages, logged: report?.logs ?? [], guard, active };
  const published = await runLogs(source, cache.copies, cache.tails);
  for (const [path, content] of published.files) files.set(path, content);
  if (!active) await addLogPages(run, published.logs, base, files);
  if (report?.isPublic) addAsItIs(publishable(reportFile('.')), 'report.json', files);
  // The runner's own is read once more only to see whether there is something in it to hide.
  const junit = report ? publishable(junitFile('.')) : undefined;
  if (junit && !guard.finds(readFileSync(junit.path, 'utf8'))) addAsItIs(junit, 'junit.xml', files);
  return { logs: published.logs, artifacts: artifactsOf(record, publishable, guard, files) };
}

function addAsItIs(file: Publishable | undefined, name: string, files: Map<string, Content>): void {
  if (file) files.set(name, { file: file.path });
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
  for (const [stage, { tail, file }] of logs) {
    if (tail.firstLine === 1 || file === undefined) continue;
    const index = await indexLog(file);
    const owner = { id: run.id, recipe: run.recipe, active: false };
    for (let page = 0; page < index.starts.length; page++) {
      const lines = isStatic(index, page) ? await readLogPage(file, index, page) : undefined;
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
  const { build, id } = run;
  if (!build || build.state === 'queued' || record?.summary) return undefined;
  if (record && !isFinal(build.state)) return undefined;
  const filter = guard.lines();
  const lines: string[] = [];
  let total = 0;
  let bytes = 0;
  for await (const { text } of engine.logs(id)) {
    total += 1;
    bytes += Buffer.byteLength(text) + 1;
    lines.push(shorten(filter(text), PAGE_LIMITS.width));
    if (lines.length > PAGE_LIMITS.lines) lines.shift();
  }
  return total === 0 ? undefined : { firstLine: total - lines.length + 1, lines, bytes };
}
