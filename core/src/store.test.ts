import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { CcCiError } from './errors.js';
import { openStore } from './store.js';

const FIRST = 'CREATE TABLE a (x INTEGER PRIMARY KEY) STRICT';
const SECOND = 'ALTER TABLE a ADD COLUMN y TEXT';

describe('store', () => {
  it('brings an old file to the newest form and keeps what is in it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cc-ci-store-'));
    const path = join(dir, 'deep', 'store.sqlite');
    try {
      const old = openStore(path, [FIRST]);
      old.exec('INSERT INTO a VALUES (7)');
      old.close();
      const now = openStore(path, [FIRST, SECOND]);
      expect(now.prepare('SELECT * FROM a').all()).to.deep.equal([{ x: 7, y: null }]);
      expect(now.pragma('journal_mode', { simple: true })).to.equal('wal');
      expect(now.pragma('foreign_keys', { simple: true })).to.equal(1);
      now.close();
      expect(() => openStore(path, [FIRST])).to.throw(CcCiError, 'has version 2');
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('does a migration whole or not at all', () => {
    expect(() => openStore(':memory:', [`${FIRST}; nonsense`])).to.throw('syntax error');
  });

  it('compiles the same text once, and never another', () => {
    const store = openStore(':memory:', [FIRST]);
    const insert = () => store.prepare('INSERT INTO a VALUES (?)');
    expect(insert()).to.equal(insert());
    expect(insert()).to.not.equal(store.prepare('SELECT * FROM a'));
    insert().run(1);
    store.exec(SECOND);
    insert();
    // Compiled before the column was there: SQLite compiles it again by itself.
    expect(store.prepare('SELECT * FROM a').all()).to.deep.equal([{ x: 1, y: null }]);
    store.close();
  });
});
