import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDocker, disconnectDocker, loadConfig, run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, before, beforeEach, describe, it } from 'mocha';
import { checkNodeSpace, checkSpace } from './disk.js';

const MIB = 1024 ** 2;

describe('room for a run', () => {
  let folder: string;
  before(function () {
    // A file system of its own, small enough to be filled, takes root to mount.
    if (process.getuid?.() !== 0) this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-disk-'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m,nr_inodes=200', 'tmpfs', folder]);
  });
  afterEach(async () => {
    await run('umount', [folder]);
    await rm(folder, { recursive: true });
  });

  const NEED = { bytes: 4 * MIB, inodes: 100 };

  it('is there', async () => {
    expect(await checkSpace([folder], NEED)).to.deep.equal([]);
  });

  it('is not when the disk is full', async () => {
    await writeFile(join(folder, 'big'), Buffer.alloc(6 * MIB));
    const problems = await checkSpace([folder], NEED);
    expect(problems).to.have.length(1);
    expect(problems[0]).to.equal(
      `${folder} has 0.0020 GiB free of 0.0078 GiB, a run needs 0.0039 GiB; remove what is not needed, e.g. docker image prune (without --all)`,
    );
  });

  it('is not when the inodes are used up, however many bytes are free', async () => {
    await Promise.all(Array.from({ length: 150 }, (_, index) => writeFile(join(folder, `${index}`), '')));
    const problems = await checkSpace([folder], NEED);
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/^\S+ has 49 inodes free of 200, a run needs 100; remove/);
  });

  it('can be asked for as a share', async () => {
    expect(await checkSpace([folder], { bytes: 0, inodes: 0, percent: 90 })).to.deep.equal([]);
    await writeFile(join(folder, 'big'), Buffer.alloc(MIB));
    expect(await checkSpace([folder], { bytes: 0, inodes: 0, percent: 90 })).to.have.length(1);
  });

  it('is looked at once for a file system, and not where there is nothing', async () => {
    await mkdir(join(folder, 'a'));
    const paths = [join(folder, 'a'), folder, join(folder, 'not-there'), join(folder, 'a/b')];
    expect(await checkSpace(paths, { bytes: 100 * MIB, inodes: 0 })).to.have.length(1);
    expect(
      await checkSpace([join(folder, 'not-there')], { bytes: Number.MAX_VALUE, inodes: 0 }),
    ).to.deep.equal([]);
  });

  it("counts the state folder and the engine's", async () => {
    const docker = connectDocker();
    const ask = (env: NodeJS.ProcessEnv) =>
      checkNodeSpace(docker, loadConfig(['common', 'runner'], { CC_CI_STATE_DIR: folder, ...env }));
    try {
      const none = { CC_CI_MIN_DISK: '0', CC_CI_MIN_INODES: '0' };
      expect(await ask(none)).to.deep.equal([]);
      const much = await ask({ ...none, CC_CI_MIN_DISK: '1000000' });
      expect(much).to.have.length(2);
      expect(much[0]).to.match(/^\/\S+ has [\d.]+ GiB free of [\d.]+ GiB, a run needs 1000000 GiB/);
      expect(await ask({ ...none, CC_CI_MIN_INODES: '201' })).to.have.length(1);
    } finally {
      await disconnectDocker(docker);
    }
  });

  it('leaves the folder of an engine elsewhere alone', async () => {
    const docker = connectDocker('tcp://docker.invalid:2375');
    const env = { CC_CI_STATE_DIR: folder, CC_CI_MIN_DISK: '1000000', CC_CI_MIN_INODES: '0' };
    const config = loadConfig(['common', 'runner'], env);
    expect(await checkNodeSpace(docker, config)).to.have.length(1);
    await disconnectDocker(docker);
  });
});
