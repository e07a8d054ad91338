import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describeError } from '@cc-ci/core';
import type { EngineReader } from '@cc-ci/engine';
import {
  createSiteCache,
  type Generation,
  refuseSecrets,
  type SiteCache,
  type SiteResult,
} from './generation.js';
import { createGuardOf } from './guard.js';
import { openIndexStore } from './index-store.js';
import { hasPage } from './links.js';
import { newestFirst, type Run } from './model.js';
import { listFiles, recipeFiles } from './publish-lists.js';
import { isPublished, publishRun } from './publish-run.js';
import { readMany } from './read-many.js';
import { orderByRecipe } from './reading-order.js';
import type { Recipe } from './recipes.js';
import { ASSETS, renderPage } from './render.js';
import type { RunReaderOptions } from './run-reader.js';
import {
  type Content,
  claimSite,
  keepOnly,
  publishFolder,
  sweepTemporaries,
  writeIfChanged,
} from './site-files.js';
import {
  recallRequests,
  refreshBuilds,
  staleFolders,
  updateEntry,
  updateRecipes,
  updateRun,
} from './site-model.js';

export interface SiteOptions {
  stateDir: string;
  engine: EngineReader;
  /** Folder the pages are written to; what does not belong to the site is deleted from it. */
  siteDir: string;
  /** Where people reach the site; links begin with its path, feeds and badges name all of it. */
  publicUrl?: string;
  /** What was made before, so that only what changed is made again. Default: what is in `site.sqlite`. */
  cache?: SiteCache;
  /**
   * Milliseconds to spend on pages of old runs, when many are to be made: the lists come first, and what is left of
   * them is made by later generations, or when somebody asks. Default: all of them are made.
   */
  archiveMs?: number;
  /** Values that must never be public, besides what the runs' own folders tell. */
  secrets?: readonly string[];
  /** The time, in milliseconds since 1970. */
  now?: () => number;
}

/** Runs after which others get their turn. */
const BREATHE_EVERY = 20;

/**
 * Makes the site from the run records and what the engine knows. Every file changes at once or not at all; pages come
 * before the lists that link to them, deletions last, so that a reader, or a crash, never meets a dead link.
 * @throws InputError when `siteDir` holds something else; whatever the engine or the file system throws
 */
export async function buildSite(options: SiteOptions): Promise<SiteResult> {
  claimSite(options.siteDir);
  if (options.cache) return generate(options, options.cache);
  const store = openIndexStore(options.stateDir, options.siteDir);
  try {
    return await generate(options, createSiteCache(store));
  } finally {
    store.close();
  }
}

async function generate(options: SiteOptions, cache: SiteCache): Promise<SiteResult> {
  const { stateDir, siteDir, engine, now = Date.now, secrets = [] } = options;
  const { model } = cache;
  if (!cache.swept) await sweepTemporaries(siteDir);
  cache.swept = true;
  const first = !model.builtOnce;
  const thorough = first || model.cursor === 0;
  if (first) restore(cache);
  const url = (options.publicUrl ?? '').replace(/\/+$/, '');
  const guardOf = createGuardOf(secrets);
  cache.guardOf = guardOf;
  const generation: Generation = {
    siteDir,
    base: url ? new URL(url).pathname.replace(/\/+$/, '') : '',
    url,
    engine,
    cache,
    guardOf,
    now: now(),
    result: {
      runs: 0,
      recipes: 0,
      broken: 0,
      written: 0,
      removed: 0,
      backlog: 0,
      runningDirs: [],
      problems: [],
    },
    entries: new Map(),
    keys: new Map(),
  };
  // The engine before the records: a run that ends in between then shows its end, and never a gap.
  const changed = await refreshBuilds(model, engine, thorough, guardOf(undefined));
  const { stale, gone } = staleFolders(model, stateDir, thorough, generation.now);
  for (const folder of gone) {
    model.entries.delete(folder);
    generation.entries.set(folder, undefined);
  }
  await recallRequests(model, engine, gone);
  publishAssets(generation);
  // When all pages are to be made anyway, each is made where its record is read: that is most of the work.
  const { base } = generation;
  const pages = first && options.archiveMs === undefined ? { siteDir, base, now: generation.now } : undefined;
  const missing = await missingPages(generation, first);
  const ids = new Set([...stale, ...gone, ...changed, ...model.active, ...missing]);
  const dirty = new Set<string>();
  const read = new Set(stale);
  for (const id of ids) if (!read.has(id)) updateRun(model, id, generation.now, dirty);
  const made = await readRuns(generation, { stateDir, secrets, ...(pages && { pages }) }, stale, dirty);
  updateRecipes(model, dirty);
  await publishRuns(
    generation,
    first ? [...setAside(generation, made), ...model.active] : [...cache.wanted, ...ids],
  );
  cache.wanted.clear();
  await eachWithBreath(dirty, async (name) => publishRecipe(generation, name));
  if (first || ids.size > 0) {
    for (const [path, content] of listFiles(generation))
      await attempt(generation, path, async () => publish(generation, path, content));
  }
  removeOthers(generation, ids, dirty, thorough);
  save(generation);
  await workOffBacklog(generation, options.archiveMs ?? Number.POSITIVE_INFINITY);
  finish(generation);
  return generation.result;
}

/**
 * Reads these folders. All that can be done right away is, for another thread goes on meanwhile.
 * @param dirty given the recipes whose pages are still to be made
 * @returns runs whose page was made with it
 */
async function readRuns(
  generation: Generation,
  options: RunReaderOptions,
  stale: readonly string[],
  dirty: Set<string>,
): Promise<ReadonlySet<string>> {
  const { cache, now } = generation;
  const { model, pages } = cache;
  const { readings, readOne } = orderByRecipe(
    stale.map((folder) => ({ folder, build: model.builds.get(folder), pageKey: pages.get(folder) })),
    (folder) => model.requests.get(folder)?.recipe,
  );
  const nameless: string[] = [];
  const made = new Set<string>();
  await readMany(options, readings, ({ entry, page }) => {
    const { folder } = entry;
    const known = model.entries.get(folder);
    if (known?.key !== entry.key || known.error !== entry.error) generation.entries.set(folder, entry);
    else entry.facts = known.facts;
    if (updateEntry(model, entry)) nameless.push(folder);
    else updateRun(model, folder, now, dirty);
    if (page) {
      rememberPage(generation, folder, page);
      made.add(folder);
    }
    const recipe = readOne(folder);
    if (options.pages && recipe !== undefined && dirty.delete(recipe)) {
      updateRecipes(model, [recipe]);
      publishRecipe(generation, recipe);
    }
    if (generation.entries.size >= SAVE_EVERY) save(generation);
  });
  await recallRequests(model, generation.engine, nameless);
  for (const id of nameless) updateRun(model, id, now, dirty);
  return made;
}

/** The newest runs of each recipe, whose pages are made before the lists are. */
const NEWEST = 2;
/** So many runs later, what was made is remembered: a second of work is lost with a generator that is killed. */
const SAVE_EVERY = 2_000;

function rememberPage(
  { cache, keys, result }: Generation,
  id: string,
  page: { key: string; written: number },
): void {
  const known = cache.model.runs.get(id)?.key;
  // Mostly it is the run's own, which need not be in memory twice.
  const key = known === page.key ? known : page.key;
  if (cache.pages.get(id) !== key) keys.set(id, key);
  cache.pages.set(id, key);
  result.written += page.written;
}

/**
 * When everything is made for the first time: which pages are made at once; the others are set aside.
 * @param made runs whose page was made just now
 */
function setAside(generation: Generation, made: ReadonlySet<string>): string[] {
  const { model, backlog } = generation.cache;
  const newest = new Set<string>();
  for (const { runs } of model.recipes.values()) for (const run of runs.slice(0, NEWEST)) newest.add(run.id);
  const isLeft = ({ id }: Run) => !made.has(id) && !newest.has(id) && hasPage(id);
  const old = [...model.runs.values()].filter(isLeft);
  // The newest first: they are the ones that will be asked for.
  for (const run of old.sort(newestFirst)) if (!isPublished(generation, run)) backlog.add(run.id);
  return [...newest];
}

async function workOffBacklog(generation: Generation, budgetMs: number): Promise<void> {
  const { backlog } = generation.cache;
  const until = performance.now() + budgetMs;
  let made = 0;
  for (const id of backlog) {
    if (performance.now() >= until) break;
    await publishRuns(generation, [id]);
    made += 1;
    if (made % BREATHE_EVERY === 0) await setImmediate();
    if (made % SAVE_EVERY === 0) save(generation);
  }
  generation.result.backlog = backlog.size;
}

async function publishRuns(generation: Generation, ids: Iterable<string>): Promise<void> {
  const { model, backlog } = generation.cache;
  await eachWithBreath(ids, async (id) => {
    const run = model.runs.get(id);
    backlog.delete(id);
    if (run && hasPage(id)) await attempt(generation, `run ${id}`, () => publishRun(generation, run));
  });
}

async function eachWithBreath<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  let seen = 0;
  for (const item of items) {
    seen += 1;
    if (seen % BREATHE_EVERY === 0) await setImmediate();
    await work(item);
  }
}

/** What an earlier process knew. */
function restore({ store, model, pages }: SiteCache): void {
  if (!store) return;
  const known = store.load();
  for (const entry of known.entries) model.entries.set(entry.folder, entry);
  for (const [path, key] of known.pages) pages.set(path, key);
}

/** Runs whose page is to be looked at although nothing about them changed: all at first, later what somebody deleted. */
async function missingPages({ cache, siteDir }: Generation, first: boolean): Promise<string[]> {
  if (first) return [...cache.model.entries.keys(), ...cache.model.builds.keys()];
  if (changedAt(join(siteDir, 'runs')) === cache.runsChanged) return [];
  const there = new Set(await readdir(join(siteDir, 'runs')).catch(() => []));
  return [...cache.model.runs.keys()].filter((id) => hasPage(id) && !there.has(id) && !cache.backlog.has(id));
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** One page that cannot be made must not keep the others from being made. */
async function attempt(generation: Generation, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tellProblem(generation, what, error);
  }
}

function tellProblem({ result }: Generation, what: string, error: unknown): void {
  result.problems.push({ what, error: describeError(error) });
}

/** Writes a file of the site, unless it is so already. @throws when the guard finds something in it */
function publish({ siteDir, result, guardOf }: Generation, path: string, content: Content): void {
  refuseSecrets(guardOf(undefined), path, content);
  if (writeIfChanged(join(siteDir, path), content)) result.written += 1;
}

function publishAssets(generation: Generation): void {
  for (const [path, content] of Object.entries(ASSETS))
    if (writeIfChanged(join(generation.siteDir, path), content)) generation.result.written += 1;
  const { base } = generation;
  publish(generation, '404.html', renderPage('not-found', { base, title: 'Not found', refresh: 0 }, {}));
}

function publishRecipe(generation: Generation, name: string): void {
  const recipe = generation.cache.model.recipes.get(name);
  if (!recipe) return;
  try {
    writeRecipe(generation, recipe);
  } catch (error) {
    tellProblem(generation, `recipe ${name}`, error);
  }
}

function writeRecipe(generation: Generation, recipe: Recipe): void {
  const { name } = recipe;
  generation.cache.rows.delete(name);
  const folder = `recipes/${name}`;
  const { pages, badges } = recipeFiles(generation, recipe);
  for (const [path, content] of pages)
    refuseSecrets(generation.guardOf(undefined), `${folder}/${path}`, content);
  generation.result.written += publishFolder(join(generation.siteDir, folder), pages);
  for (const [path, content] of badges) publish(generation, `badges/${path}`, content);
}

function removeOthers(
  generation: Generation,
  ids: ReadonlySet<string>,
  dirty: ReadonlySet<string>,
  thorough: boolean,
): void {
  const { siteDir, cache, result, keys } = generation;
  const { runs, recipes } = cache.model;
  const gone = [...ids].some((id) => !runs.has(id)) || [...dirty].some((name) => !recipes.has(name));
  if (!gone && !thorough) return;
  const isShown = (id: string) => runs.has(id) && hasPage(id);
  result.removed += keepOnly(join(siteDir, 'runs'), isShown);
  result.removed += keepOnly(
    join(siteDir, 'api', 'runs'),
    (name) => name.endsWith('.json') && isShown(name.slice(0, -'.json'.length)),
  );
  result.removed += keepOnly(join(siteDir, 'recipes'), (name) => recipes.has(name));
  const ends = ['.svg', '.json', '-level.svg', '-level.json'];
  const badges = new Set([...recipes.keys()].flatMap((name) => ends.map((end) => name + end)));
  keepOnly(join(siteDir, 'badges'), (name) => badges.has(name));
  for (const id of cache.backlog) if (!runs.has(id)) cache.backlog.delete(id);
  for (const path of cache.pages.keys()) {
    if (runs.has(path) || recipes.has(path.split('/')[1] ?? '')) continue;
    cache.pages.delete(path);
    keys.set(path, undefined);
  }
  for (const name of cache.rows.keys()) if (!recipes.has(name)) cache.rows.delete(name);
}

/** Remembers what was made so far, for the next process; facts are in memory no more then, but read from there. */
function save({ cache: { store }, entries, keys }: Generation): void {
  if (store && entries.size + keys.size > 0) {
    store.save(entries, keys);
    for (const entry of entries.values()) if (entry) entry.facts = undefined;
  }
  entries.clear();
  keys.clear();
}

function finish(generation: Generation): void {
  const { cache, result, siteDir } = generation;
  const { model } = cache;
  result.broken = model.broken.size;
  for (const id of model.active) {
    const run = model.runs.get(id);
    if (run?.status === 'running' && run.dir) result.runningDirs.push(run.dir);
  }
  result.runs = model.runs.size;
  result.recipes = model.recipes.size;
  cache.runsChanged = changedAt(join(siteDir, 'runs'));
  model.builtOnce = true;
  save(generation);
}
