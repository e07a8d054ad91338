import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { CcCiError } from './errors.js';
import { tryLock } from './lock.js';
import { namingFile } from './sqlite-file.js';
import { openStore } from './store.js';

describe('a file of SQLite that cannot be written', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-sqlite-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('is named, whoever opens it, with what to look at', () => {
    // A folder where the file belongs cannot be opened by root either.
    const opens = [() => openStore(dir, []), () => tryLock(dir)];
    for (const open of opens) {
      expect(open).to.throw(CcCiError, `${dir} cannot be written: unable to open database file`);
      expect(open).to.throw(CcCiError).with.property('hint').that.includes('read-only');
    }
  });

  it('is named when it is read-only', () => {
    const path = join(dir, 'x.sqlite');
    openStore(path, []).close();
    const write = () =>
      namingFile(path, () => new Database(path, { readonly: true }).exec('CREATE TABLE a (b)'));
    expect(write).to.throw(CcCiError, 'readonly database');
  });

  it('is not blamed for what is asked of it', () => {
    const wrong = () => namingFile(dir, () => new Database(':memory:').exec('nonsense'));
    expect(wrong).to.throw('syntax error').that.is.not.instanceOf(CcCiError);
  });
});
