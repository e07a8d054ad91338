import { mkdirSync } from 'node:fs';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { readMany } from './read-many.js';
import { temporaryFolder } from './testing/fixtures.js';

describe('reading many folders', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const names = Array.from({ length: 700 }, (_, number) => `run${number}`);
  const readings = names.map((name) => ({ folder: name, build: undefined, pageKey: undefined }));
  beforeEach(() => {
    folder = temporaryFolder('read-many');
    for (const name of names) mkdirSync(`${folder.path}/runs/${name}`, { recursive: true });
  });
  afterEach(() => folder.remove());

  it('tells of each once, whichever thread it was', async () => {
    const told: string[] = [];
    await readMany({ stateDir: folder.path, secrets: [] }, readings, ({ entry }) => {
      expect(entry.error).to.equal('there is no plan.json in it');
      told.push(entry.folder);
    });
    expect(told.sort()).to.deep.equal([...names].sort());
  });

  it('ends with the error of who is told', async () => {
    let told = 0;
    const full = readMany({ stateDir: folder.path, secrets: [] }, readings, () => {
      told += 1;
      // From then on it fails on both threads: neither may bring the process down.
      if (told > 300) throw new Error('the disk is full');
    });
    const error = await full.then(
      () => expect.fail('it ended well'),
      (failed: unknown) => failed,
    );
    expect(error).to.have.property('message', 'the disk is full');
  });
});
