import type { TestRequest } from '@cc-ci/core/reading';
import type { EngineReader } from '@cc-ci/engine';
import type { Guard } from './guard.js';
import { isActive, mergeRun, newestFirst, packBuild, type Run, runOfBuild } from './model.js';
import { type Recipe, recipeOf } from './recipes.js';
import { hasChanged, type LoadFacts, type RecordEntry, runNames } from './records.js';

/** Everything known of all runs, kept from one generation to the next: only what changed is looked at again. */
export interface SiteModel {
  entries: Map<string, RecordEntry>;
  /** As `packBuild` gives them. */
  builds: Map<string, string>;
  /** Who asked for what, of builds without a record that can be read: where there is one, it is in that. */
  requests: Map<string, TestRequest>;
  runs: Map<string, Run>;
  /** Runs by recipe, and those lists in order, made when they are asked for. */
  byRecipe: Map<string, Map<string, Run>>;
  recipes: Map<string, Recipe>;
  /** Ids of runs that have not ended, and of those whose record cannot be read. */
  active: Set<string>;
  broken: Set<string>;
  /** Where the check of what ought not to change has come to. */
  cursor: number;
  builtOnce: boolean;
  load: LoadFacts;
}

/** @param load gives facts that entries do not hold any more */
export function createSiteModel(load: LoadFacts): SiteModel {
  return {
    load,
    entries: new Map(),
    builds: new Map(),
    requests: new Map(),
    runs: new Map(),
    byRecipe: new Map(),
    recipes: new Map(),
    active: new Set(),
    broken: new Set(),
    cursor: 0,
    builtOnce: false,
  };
}

/** Runs that have ended and are looked at again with every generation: all of them within the hour. */
const CHECKED_AT_ONCE = 40;
/** A file system's clock ticks: a folder that changed so lately, in milliseconds, may have changed once more unseen. */
const WARM_MS = 3_000;
/** Builds that are asked for when all older ones are known. */
const LATEST_BUILDS = 100;

/** Folders that are new, or may hold something else than is known, and those that are gone. */
export function staleFolders(
  model: SiteModel,
  stateDir: string,
  thorough: boolean,
  now: number,
): { stale: string[]; gone: string[] } {
  const { entries, active } = model;
  const names = runNames(stateDir);
  const stale: string[] = [];
  let known = 0;
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? '';
    const entry = entries.get(name);
    if (!entry) {
      stale.push(name);
      continue;
    }
    known += 1;
    const isInTurn = (at - model.cursor + names.length) % names.length < CHECKED_AT_ONCE;
    const mayChange = thorough || isInTurn || !entry.ended || active.has(name);
    if (now - entry.lastChange < WARM_MS || (mayChange && hasChanged(entry))) stale.push(name);
  }
  model.cursor += CHECKED_AT_ONCE;
  if (model.cursor >= names.length) model.cursor = 0;
  return { stale, gone: known === entries.size ? [] : missingFrom(entries.keys(), names) };
}

function missingFrom(names: Iterable<string>, folders: readonly string[]): string[] {
  const there = new Set(folders);
  return [...names].filter((name) => !there.has(name));
}

/** Runs of these ids, as far as there are any. */
export function runsOf(model: SiteModel, ids: Iterable<string>): Run[] {
  return [...ids].flatMap((id) => model.runs.get(id) ?? []);
}

/**
 * Brings the builds up to date. The engine is asked for all of them once in a while, and else for the latest and for
 * those that had not ended: builds that have do not change.
 * @returns ids of builds that changed, or are gone
 */
export async function refreshBuilds(
  model: SiteModel,
  engine: EngineReader,
  thorough: boolean,
  guard: Guard,
): Promise<Set<string>> {
  const { builds, requests, entries } = model;
  const latest = await engine.list(thorough ? {} : { limit: LATEST_BUILDS });
  const all = thorough || latest.length < LATEST_BUILDS || latest.every((build) => !builds.has(build.id));
  const found = all && latest.length >= LATEST_BUILDS && !thorough ? await engine.list() : latest;
  const changed = new Set<string>();
  const drop = (id: string) => {
    builds.delete(id);
    requests.delete(id);
    changed.add(id);
  };
  const seen = new Set(found.map((build) => build.id));
  if (all) {
    for (const id of builds.keys()) if (!seen.has(id)) drop(id);
  } else {
    const others = [...model.active].filter((id) => builds.has(id) && !seen.has(id));
    for (const id of others) {
      const build = await engine.get(id);
      if (build) found.push(build);
      else drop(id);
    }
  }
  for (const each of found) {
    const build = packBuild(each.reason === undefined ? each : { ...each, reason: guard.text(each.reason) });
    if (builds.get(each.id) === build) continue;
    builds.set(each.id, build);
    if (!isReadable(entries.get(each.id))) requests.set(each.id, each.request);
    changed.add(each.id);
  }
  return changed;
}

/** Takes up what was read of a folder. @returns whether the engine has to be asked once more who asked for the run */
export function updateEntry({ entries, builds, requests }: SiteModel, entry: RecordEntry): boolean {
  const { folder } = entry;
  entries.set(folder, entry);
  if (isReadable(entry)) requests.delete(folder);
  return !isReadable(entry) && builds.has(folder) && !requests.has(folder);
}

function isReadable(entry: RecordEntry | undefined): boolean {
  return entry !== undefined && entry.error === undefined;
}

/** Asks the engine again who asked for what, of runs whose record is gone or damaged. */
export async function recallRequests(
  { entries, builds, requests }: SiteModel,
  engine: EngineReader,
  ids: Iterable<string>,
): Promise<void> {
  for (const id of ids) {
    if (!builds.has(id) || requests.has(id) || isReadable(entries.get(id))) continue;
    const build = await engine.get(id);
    if (build) requests.set(id, build.request);
  }
}

/** Merges a run anew. @returns the run, if there still is one */
export function updateRun(model: SiteModel, id: string, now: number, dirty: Set<string>): Run | undefined {
  const entry = model.entries.get(id);
  const build = model.builds.get(id);
  const known = build === undefined ? undefined : { packed: build, request: model.requests.get(id) };
  const run = entry ? mergeRun(entry, known, now, model.load) : known && runOfBuild(id, known);
  const before = model.runs.get(id);
  if (before && run && before.key === run.key && before.time === run.time) return before;
  for (const name of [before?.recipe, run?.recipe]) if (name !== undefined) dirty.add(name);
  if (before?.recipe !== undefined) model.byRecipe.get(before.recipe)?.delete(id);
  if (!run) {
    model.runs.delete(id);
    model.active.delete(id);
    model.broken.delete(id);
    return undefined;
  }
  model.runs.set(id, run);
  if (isActive(run)) model.active.add(id);
  else model.active.delete(id);
  if (run.status === 'broken') model.broken.add(id);
  else model.broken.delete(id);
  const name = run.recipe;
  if (name !== undefined) {
    const group = model.byRecipe.get(name) ?? new Map<string, Run>();
    model.byRecipe.set(name, group.set(id, run));
  }
  return run;
}

/** Puts the lists of these recipes in order again; one without runs is no recipe any more. */
export function updateRecipes(model: SiteModel, dirty: Iterable<string>): void {
  for (const name of dirty) {
    const group = model.byRecipe.get(name);
    if (group && group.size > 0)
      model.recipes.set(name, recipeOf(name, [...group.values()].sort(newestFirst)));
    else {
      model.recipes.delete(name);
      model.byRecipe.delete(name);
    }
  }
}

/** The newest runs of all recipes: their lists are in order, so only the heads have to be compared. */
export function newestRuns(model: SiteModel, limit: number): Run[] {
  const heads = [...model.recipes.values()].map(({ runs }) => ({ runs, at: 0 }));
  const newest: Run[] = [];
  while (newest.length < limit) {
    let best: Run | undefined;
    let from: (typeof heads)[number] | undefined;
    for (const head of heads) {
      const run = head.runs[head.at];
      if (!run || (best && newestFirst(best, run) < 0)) continue;
      best = run;
      from = head;
    }
    if (!best || !from) break;
    newest.push(best);
    from.at += 1;
  }
  return newest;
}
