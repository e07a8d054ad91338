import { join } from 'node:path';
import { openStore } from '@cc-ci/core';
import type { Build, EngineReader } from '@cc-ci/engine';

/** The read side of an engine that keeps its builds in a database, as engines do; and a way to add to them. */
export interface Builds extends EngineReader {
  add(builds: readonly Build[]): void;
  close(): void;
}

/** Opens the builds that belong to a state folder; none at first. */
export function openBuilds(stateDir: string): Builds {
  const store = openStore(join(stateDir, 'builds.sqlite'), [
    'CREATE TABLE builds (number INTEGER PRIMARY KEY, build TEXT NOT NULL) STRICT',
  ]);
  const insert = store.prepare('INSERT INTO builds (build) VALUES (?)');
  const select = store.prepare<[number], { build: string }>(
    'SELECT build FROM builds ORDER BY number DESC LIMIT ?',
  );
  return {
    add: store.transaction((builds) => {
      for (const build of builds) insert.run(JSON.stringify(build));
    }),
    close: () => store.close(),
    async list({ limit = -1 } = {}) {
      return Array.from(select.iterate(limit), ({ build }) => JSON.parse(build) as Build);
    },
    async get() {
      throw new Error('all of these builds have ended');
    },
    async *logs() {},
  };
}
