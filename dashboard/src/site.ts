import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, type StageName, stageLogFile } from '@cc-ci/core';
import { type EngineReader, isFinal } from '@cc-ci/engine';
import { recipesJson, recordJson, runJson } from './api.js';
import { hasPage } from './links.js';
import { createTailReader, type LogTail, PAGE_LIMITS, type TailReader } from './log-tail.js';
import { isActive, mergeRuns, type Run } from './model.js';
import { overviewPage } from './overview-page.js';
import { forEachAtOnce } from './parallel.js';
import { recipePage } from './recipe-page.js';
import { groupByRecipe, type Recipe } from './recipes.js';
import { type RecordCache, readRecords } from './records.js';
import { ASSETS, renderPage } from './render.js';
import { runPage } from './run-page.js';
import { claimSite, keepOnly, publishFile, sweepTemporaries, writeIfChanged } from './site-files.js';

export interface SiteOptions {
  stateDir: string;
  engine: EngineReader;
  /** Folder the pages are written to; what does not belong to the site is deleted from it. */
  siteDir: string;
  /** Where people reach the site; links begin with its path. Default: the root of a server. */
  publicUrl?: string;
  /** What was made before, so that only what changed is made again. Default: everything is looked at. */
  cache?: SiteCache;
  /** The time, in milliseconds since 1970. */
  now?: () => number;
}

/** What one generation came to. */
export interface SiteResult {
  runs: number;
  recipes: number;
  /** Runs whose record cannot be read. */
  broken: number;
  /** Files that were written, pages and parts of the site that were deleted. */
  written: number;
  removed: number;
  /** Folders of the runs that are running: what happens next, happens there. */
  runningDirs: string[];
  /** What could not be made, with the reason. The rest of the site is as it should be. */
  problems: { what: string; error: string }[];
}

/** What a generator remembers from one generation to the next. */
export interface SiteCache {
  records: RecordCache;
  logs: TailReader;
  /** What each page was made from, by its path in the site. */
  pages: Map<string, string>;
  swept: boolean;
}

export function createSiteCache(): SiteCache {
  return { records: new Map(), logs: createTailReader(), pages: new Map(), swept: false };
}

/** Making a page is mostly waiting for the disk; each holds at most the logs of one run in memory. */
const PAGES_AT_ONCE = 8;

/** One generation in progress. */
interface Generation {
  siteDir: string;
  base: string;
  engine: EngineReader;
  cache: SiteCache;
  now: number;
  result: SiteResult;
}

/**
 * Makes the site from the run records and what the engine knows. Every file changes at once or not at all; pages come
 * before the lists that link to them, deletions last, so that a reader, or a crash, never meets a dead link.
 * @throws InputError when `siteDir` holds something else; whatever the engine or the file system throws
 */
export async function buildSite(options: SiteOptions): Promise<SiteResult> {
  const { stateDir, siteDir, engine, cache = createSiteCache(), now = Date.now } = options;
  await claimSite(siteDir);
  if (!cache.swept) await sweepTemporaries(siteDir);
  cache.swept = true;
  // The engine before the records: see mergeRuns.
  const builds = await engine.list();
  const runs = mergeRuns(builds, await readRecords(stateDir, cache.records), now());
  const recipes = groupByRecipe(runs);
  const result: SiteResult = {
    runs: runs.length,
    recipes: recipes.length,
    broken: runs.filter((run) => run.status === 'broken').length,
    written: 0,
    removed: 0,
    runningDirs: runs.flatMap((run) => (run.status === 'running' && run.dir ? [run.dir] : [])),
    problems: [],
  };
  const base = options.publicUrl ? new URL(options.publicUrl).pathname.replace(/\/+$/, '') : '';
  const generation: Generation = { siteDir, base, engine, cache, now: now(), result };
  await publishAssets(generation);
  const shown = runs.filter((run) => hasPage(run.id));
  await forEachAtOnce(shown, PAGES_AT_ONCE, (run) =>
    attempt(generation, `run ${run.id}`, () => publishRun(generation, run)),
  );
  await forEachAtOnce(recipes, PAGES_AT_ONCE, (recipe) =>
    attempt(generation, `recipe ${recipe.name}`, () => publishRecipe(generation, recipe)),
  );
  await publish(generation, 'api/recipes.json', undefined, () => recipesJson(recipes));
  await publish(generation, 'index.html', undefined, () => overviewPage(recipes, runs, base));
  await removeOthers(generation, runs, recipes);
  return result;
}

/** One page that cannot be made must not keep the others from being made. */
async function attempt(generation: Generation, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    generation.result.problems.push({ what, error: describeError(error) });
  }
}

/** Writes a file of the site, unless it was made from the same `key` before. */
async function publish(
  { siteDir, cache, result }: Generation,
  path: string,
  key: string | undefined,
  render: () => string,
): Promise<void> {
  const target = join(siteDir, path);
  if (key !== undefined && cache.pages.get(path) === key && existsSync(target)) return;
  if (await writeIfChanged(target, render())) result.written += 1;
  if (key !== undefined) cache.pages.set(path, key);
}

async function publishAssets(generation: Generation): Promise<void> {
  for (const [path, content] of Object.entries(ASSETS)) await publish(generation, path, '', () => content);
  await publish(generation, '404.html', generation.base, () =>
    renderPage('not-found', { base: generation.base, title: 'Not found', refresh: 0 }, {}),
  );
}

async function publishRun(generation: Generation, run: Run): Promise<void> {
  const { cache, siteDir, base, now } = generation;
  const folder = `runs/${run.id}`;
  const page = `${folder}/index.html`;
  // A running clock is part of a page: that of a run that goes on is made again each time.
  const key = isActive(run) ? `${run.key} ${now}` : run.key;
  if (cache.pages.get(page) === key && existsSync(join(siteDir, page))) return;
  const dir = run.record && (await realpath(run.record.dir));
  const logs = dir === undefined ? new Map<StageName, LogTail>() : await publishLogs(generation, run, dir);
  const artifacts = dir === undefined ? new Map<string, string>() : await publishArtifacts(siteDir, run, dir);
  const engineLog = await engineLogOf(generation.engine, run);
  const record = recordJson(run);
  if (record !== undefined) await publish(generation, `${folder}/record.json`, run.key, () => record);
  await publish(generation, `api/runs/${run.id}.json`, run.key, () => runJson(run));
  await publish(generation, page, key, () => runPage(run, { logs, artifacts, engineLog }, base, now));
}

async function publishLogs(
  { siteDir, cache }: Generation,
  run: Run,
  dir: string,
): Promise<Map<StageName, LogTail>> {
  const logs = new Map<StageName, LogTail>();
  for (const { stage } of run.stages) {
    const name = join('logs', `${stage}.log`);
    if (!(await publishFile(dir, name, join(siteDir, 'runs', run.id, name)))) continue;
    const path = stageLogFile(dir, stage);
    const tail = await cache.logs.read(path);
    if (tail) logs.set(stage, tail);
    if (!isActive(run)) cache.logs.forget(path);
  }
  return logs;
}

async function publishArtifacts(siteDir: string, run: Run, dir: string): Promise<Map<string, string>> {
  const published = new Map<string, string>();
  for (const { path } of run.stages.flatMap((stage) => stage.artifacts)) {
    const name = join('files', path);
    if (await publishFile(dir, path, join(siteDir, 'runs', run.id, name))) published.set(path, name);
  }
  return published;
}

/** The engine's log of a build whose record does not tell how it ended, or that has none. */
async function engineLogOf(engine: EngineReader, run: Run): Promise<LogTail | undefined> {
  const { build, record } = run;
  if (!build || build.state === 'queued' || record?.summary) return undefined;
  if (record && !isFinal(build.state)) return undefined;
  const lines: string[] = [];
  let total = 0;
  let bytes = 0;
  for await (const { text } of engine.logs(build.id)) {
    total += 1;
    bytes += Buffer.byteLength(text) + 1;
    lines.push(text.slice(0, PAGE_LIMITS.width));
    if (lines.length > PAGE_LIMITS.lines) lines.shift();
  }
  return total === 0 ? undefined : { firstLine: total - lines.length + 1, lines, bytes };
}

async function publishRecipe(generation: Generation, recipe: Recipe): Promise<void> {
  const key = recipe.runs.map((run) => run.key).join('\n');
  await publish(generation, `recipes/${recipe.name}/index.html`, key, () =>
    recipePage(recipe, generation.base),
  );
}

async function removeOthers(
  { siteDir, cache, result }: Generation,
  runs: readonly Run[],
  recipes: readonly Recipe[],
): Promise<void> {
  const ids = runs.map((run) => run.id).filter(hasPage);
  result.removed += await keepOnly(join(siteDir, 'runs'), new Set(ids));
  result.removed += await keepOnly(join(siteDir, 'api', 'runs'), new Set(ids.map((id) => `${id}.json`)));
  result.removed += await keepOnly(join(siteDir, 'recipes'), new Set(recipes.map(({ name }) => name)));
  const pages = new Set([
    ...ids.flatMap((id) => [`runs/${id}/index.html`, `runs/${id}/record.json`, `api/runs/${id}.json`]),
    ...recipes.map(({ name }) => `recipes/${name}/index.html`),
    ...Object.keys(ASSETS),
    '404.html',
  ]);
  for (const path of cache.pages.keys()) if (!pages.has(path)) cache.pages.delete(path);
}
