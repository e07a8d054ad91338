import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { FORGET_SNAPSHOTS_EXECUTABLE } from '../index.js';

describe('forgetting snapshots', () => {
  let folder: string;
  let store: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-forget-'));
    store = join(folder, 'backups');
    for (const snapshot of ['one_test/1a2b3c4d', 'one_test/5e6f7a8b.partial', 'one_test_next/9c0d1e2f']) {
      await mkdir(join(store, snapshot), { recursive: true });
      await writeFile(join(store, snapshot, 'snapshot.json'), '{}');
    }
  });
  afterEach(() => rm(folder, { recursive: true }));
  const forget = (args: string[], backups: string | undefined = store) =>
    run(FORGET_SNAPSHOTS_EXECUTABLE, args, {
      env: { PATH: process.env.PATH, ...(backups === undefined ? {} : { ABRA_STANDIN_BACKUPS: backups }) },
      okCodes: [0, 1],
    });

  it('removes those of one stack, and not those of one whose name begins alike', async () => {
    expect(await forget(['one_test'])).to.include({ exitCode: 0, stdout: '', stderr: '' });
    expect(await readdir(store)).to.deep.equal(['one_test_next']);
    expect(await forget(['one_test']), 'a second time').to.include({ exitCode: 0 });
    expect(await forget(['one_test'], join(folder, 'nowhere'))).to.include({ exitCode: 0 });
  });

  for (const name of ['', '.', '..', '../backups', 'one_test/1a2b3c4d', '/etc', '-rf', 'one.test', 'a\nb']) {
    it(`refuses what is no stack's name: ${JSON.stringify(name)}`, async () => {
      const { exitCode, stderr } = await forget([name]);
      expect(exitCode).to.equal(1);
      expect(stderr).to.include("is no stack's name");
      expect(await readdir(folder)).to.deep.equal(['backups']);
      expect(await readdir(join(store, 'one_test'))).to.have.lengthOf(2);
    });
  }

  it('needs exactly one name, and to be told where they are', async () => {
    expect((await forget([])).stderr).to.include('usage: forget-snapshots <stack>');
    expect((await forget(['one_test', 'one_test_next'])).exitCode).to.equal(1);
    expect((await forget(['one_test'], '')).stderr).to.include('set ABRA_STANDIN_BACKUPS');
    expect(await readdir(store)).to.have.lengthOf(2);
  });
});
