import { openStore, type Store } from '@cc-ci/core';
import { readLog } from './build-log.js';
import { type Build, type EngineReader, isFinal } from './engine.js';

/** How an engine keeps what it knows: in one database and a log file for each build. */
export interface Kept {
  database: string;
  migrations: readonly string[];
  find(store: Store, id: string): Build | undefined;
  list(store: Store, filter?: { recipe?: string; limit?: number }): Build[];
  logFile(id: string): string;
}

/**
 * The read side of what an engine keeps.
 * @param end by what an engine that is closed ends those who follow a log: `isClosed` after what is there, `signal` at once
 */
export function readerOf(
  kept: Kept,
  store: () => Store,
  end: { isClosed?: () => boolean; signal?: AbortSignal } = {},
): EngineReader {
  return {
    get: async (id) => kept.find(store(), id),
    list: async (filter) => kept.list(store(), filter),
    logs: (id, { from = 1, follow = false, signal } = {}) =>
      readLog(kept.logFile(id), {
        from,
        follow,
        isComplete: () => {
          const build = end.isClosed?.() ? undefined : kept.find(store(), id);
          return build === undefined || isFinal(build.state);
        },
        signal: AbortSignal.any([signal, end.signal].filter((it) => it !== undefined)),
      }),
  };
}

/** The read side of an engine that another process runs. Where none ever ran, there are no builds. */
export function openReaderOf(kept: Kept): EngineReader & { close(): void } {
  let store: Store | undefined;
  const reader = readerOf(kept, () => {
    store ??= openStore(kept.database, kept.migrations);
    return store;
  });
  return { ...reader, close: () => store?.close() };
}
