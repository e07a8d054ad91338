import type { EngineReader } from '@cc-ci/engine';
import { createGuardOf } from './guard.js';
import { hasPage } from './links.js';
import { createTailReader } from './log-tail.js';
import { mergeRun } from './model.js';
import { publishRun, type RunPublisher } from './publish-run.js';
import type { Reading } from './read-many.js';
import { type RecordEntry, readEntry } from './records.js';

/** How folders below `runs/` are read. It goes from thread to thread, so it is data only. */
export interface RunReaderOptions {
  stateDir: string;
  secrets: readonly string[];
  /** Given: the page of a run that has ended is made right away, from the record that was read. */
  pages?: { siteDir: string; base: string; now: number };
}

/** What came of one folder. */
export interface ReadRun {
  entry: RecordEntry;
  /** What its page was made from, if it was made, and how many files were written for it. */
  page?: { key: string; written: number };
}

/** Of a run that has ended, the record tells all. */
const NO_ENGINE: EngineReader = {
  get: async () => undefined,
  list: async () => [],
  async *logs() {},
};

/**
 * Reads folders one by one. A page that cannot be made is left out: whoever makes the pages that are missing then meets
 * the same error, and says so.
 */
export function createRunReader({
  stateDir,
  secrets,
  pages,
}: RunReaderOptions): (reading: Reading) => Promise<ReadRun> {
  const guardOf = createGuardOf(secrets);
  if (!pages) return async ({ folder }) => ({ entry: readEntry(stateDir, folder, guardOf).entry });
  const publisher: RunPublisher = {
    ...pages,
    guardOf,
    engine: NO_ENGINE,
    cache: { tails: createTailReader(), copies: new Map(), pages: new Map() },
    keys: new Map(),
    result: { written: 0 },
  };
  return async ({ folder, build, pageKey }) => {
    const read = readEntry(stateDir, folder, guardOf);
    const { entry } = read;
    if (!entry.ended || !hasPage(folder)) return { entry };
    const run = mergeRun(entry, build === undefined ? undefined : { packed: build }, pages.now);
    if (pageKey !== undefined) publisher.cache.pages.set(folder, pageKey);
    publisher.result.written = 0;
    try {
      await publishRun(publisher, run, read);
      return { entry, page: { key: run.key, written: publisher.result.written } };
    } catch {
      return { entry };
    } finally {
      publisher.cache.pages.delete(folder);
      publisher.keys.clear();
    }
  };
}
