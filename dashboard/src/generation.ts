import type { EngineReader } from '@cc-ci/engine';
import { unpackFacts } from './facts.js';
import { createGuardOf, type Guard } from './guard.js';
import type { IndexStore } from './index-store.js';
import { createTailReader, type TailReader } from './log-tail.js';
import { isActive, type Run } from './model.js';
import { type RecordEntry, readFacts } from './records.js';
import type { LogCopies } from './run-logs.js';
import type { Content } from './site-files.js';
import { createSiteModel, type SiteModel } from './site-model.js';

/** What one generation came to. */
export interface SiteResult {
  runs: number;
  recipes: number;
  /** Runs whose record cannot be read. */
  broken: number;
  /** Files that were written, pages and parts of the site that were deleted. */
  written: number;
  removed: number;
  /** Pages of old runs that are still to be made. */
  backlog: number;
  /** Folders of the runs that are running: what happens next, happens there. */
  runningDirs: string[];
  /** What could not be made, with the reason. The rest of the site is as it should be. */
  problems: { what: string; error: string }[];
}

/** What a generator remembers from one generation to the next. */
export interface SiteCache {
  model: SiteModel;
  /** That of the latest generation. */
  guardOf: (dir: string | undefined) => Guard;
  tails: TailReader;
  copies: LogCopies;
  /** What each page was made from, by its path in the site. */
  pages: Map<string, string>;
  /** Runs whose page is still to be made: of those that ended long ago, when everything is made for the first time. */
  backlog: Set<string>;
  /** Runs whose page somebody waits for. */
  wanted: Set<string>;
  /** Rows of the overview as HTML, by recipe. */
  rows: Map<string, string>;
  /** Where this is kept for the next process; undefined: nowhere. */
  store: IndexStore | undefined;
  /** When the folder of run pages changed last, by us. */
  runsChanged: number;
  swept: boolean;
}

export function createSiteCache(store?: IndexStore): SiteCache {
  const cache: SiteCache = {
    // The store is asked first; whatever another version of the generator has left of it, the records are there.
    model: createSiteModel((entry) => {
      const packed = store?.facts(entry.folder);
      return packed === undefined ? readFacts(entry, cache.guardOf) : unpackFacts(packed);
    }),
    guardOf: createGuardOf([]),
    tails: createTailReader(),
    copies: new Map(),
    pages: new Map(),
    backlog: new Set(),
    wanted: new Set(),
    rows: new Map(),
    store,
    runsChanged: 0,
    swept: false,
  };
  return cache;
}

/** One generation in progress. */
export interface Generation {
  siteDir: string;
  /** What comes before the site's root in links: empty, or a path such as `/ci`. */
  base: string;
  /** The site's whole address, without a slash at its end. */
  url: string;
  engine: EngineReader;
  cache: SiteCache;
  guardOf: (dir: string | undefined) => Guard;
  now: number;
  result: SiteResult;
  /** What is to be remembered of this generation. */
  entries: Map<string, RecordEntry | undefined>;
  keys: Map<string, string | undefined>;
}

/** What a run's page was made from: the clock is part of the page of one that goes on. */
export function pageKey(run: Run, now: number): string {
  return isActive(run) ? `${run.key} ${now}` : run.key;
}

/** The last look. Everything was redacted before, so this finds nothing, or else a fault of ours. */
export function refuseSecrets(guard: Guard, path: string, content: Content): void {
  if (typeof content === 'string' && guard.finds(content))
    throw new Error(`${path} is not published: it still holds a secret, or what looks like one`);
}
