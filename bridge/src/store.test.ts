import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openBridgeStore, readMark, saveMark } from './store.js';

describe("the bridge's database", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-store-'));
    path = join(folder, 'bridge.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('knows of no look at first, keeps the baseline, and goes on and back with the forge', () => {
    const store = openBridgeStore(path);
    expect(readMark(store)).to.equal(undefined);
    saveMark(store, { baselineAt: 5, readTo: 7 });
    saveMark(store, { baselineAt: 6, readTo: 9 });
    expect(readMark(store)).to.deep.equal({ baselineAt: 5, readTo: 9 });
    saveMark(store, { baselineAt: 6, readTo: 8 });
    expect(readMark(store)).to.deep.equal({ baselineAt: 5, readTo: 8 });
    store.close();
  });

  for (const [newestAt, mark] of [
    [1_795_000_000_000, { baselineAt: 1_795_000_000_000, readTo: 1_795_000_000_000 }],
    [0, undefined],
  ] as const) {
    it(`goes on where a bridge that read the feed up to ${newestAt} stopped`, () => {
      // The parts of the first form that later ones change.
      const old = new Database(path);
      old.exec(
        `CREATE TABLE feed (one INTEGER PRIMARY KEY, baseline_id INTEGER NOT NULL, newest_at INTEGER NOT NULL) STRICT;
         CREATE TABLE triggers (number INTEGER PRIMARY KEY, run TEXT UNIQUE, repo TEXT, pr INTEGER) STRICT;`,
      );
      old.prepare('INSERT INTO feed VALUES (1, 100, ?)').run(newestAt);
      old.pragma('user_version = 1');
      old.close();
      const store = openBridgeStore(path);
      expect(readMark(store)).to.deep.equal(mark);
      store.close();
      openBridgeStore(path).close();
    });
  }
});
