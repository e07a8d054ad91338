import { mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError, run, tryLock } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { everythingOf } from './testing/everything-of.js';
import { type Snapshot, snapshot } from './worktree.js';

describe('a snapshot of a working tree', () => {
  const signal = new AbortController().signal;
  let root: string;
  let dir: string;
  let stateDir: string;
  let taken: Snapshot | undefined;

  const git = async (...args: string[]) =>
    (await run('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args])).stdout.trim();
  const put = (name: string, text: string) => writeFile(join(dir, name), text);
  const take = async (what = dir, id = 'abcd2345') => {
    taken = await snapshot(what, { stateDir, run: id, signal });
    return taken;
  };
  const filesIn = async ({ src, ref }: Snapshot) =>
    (await run('git', ['--git-dir', src, 'ls-tree', '-r', '--name-only', ref])).stdout.trim().split('\n');
  const shown = async ({ src, ref }: Snapshot, name: string) =>
    (await run('git', ['--git-dir', src, 'show', `${ref}:${name}`])).stdout;
  const refusal = async (what: string): Promise<InputError> => {
    try {
      await take(what);
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
    return expect.fail('it was taken');
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'cc-ci-worktree-'));
    dir = join(root, 'pad');
    stateDir = join(root, 'state');
    await mkdir(dir);
    await git('init', '--quiet', '--initial-branch=main');
    await put('compose.yml', 'services: {}\n');
    await put('old.txt', 'old\n');
    await put('.gitignore', '*.secret\n');
    await git('add', '--all');
    await git('commit', '--quiet', '--message=first');
    await git('tag', '--annotate', '--message=x', '1.0.0+1.0');
  });
  afterEach(async () => {
    await taken?.close();
    taken = undefined;
    await rm(root, { recursive: true });
  });

  it('has what is changed, new, staged and deleted, without what is ignored', async () => {
    await put('compose.yml', 'services: { app: {} }\n');
    await put('new.txt', 'new\n');
    await put('staged.txt', 'staged\n');
    await git('add', 'staged.txt');
    await put('staged.txt', 'changed again\n');
    await put('token.secret', 'x\n');
    await rm(join(dir, 'old.txt'));
    await symlink('compose.yml', join(dir, 'link.yml'));
    const it = await take();
    expect(await filesIn(it)).to.have.members([
      '.gitignore',
      'compose.yml',
      'link.yml',
      'new.txt',
      'staged.txt',
    ]);
    expect(await shown(it, 'compose.yml')).to.equal('services: { app: {} }\n');
    expect(await shown(it, 'staged.txt')).to.equal('changed again\n');
    expect(it.changed).to.have.members(['compose.yml', 'link.yml', 'new.txt', 'old.txt', 'staged.txt']);
    expect(it.head).to.equal(await git('rev-parse', 'HEAD'));
  });

  it('follows what the repository itself ignores, and what was added all the same', async () => {
    await writeFile(join(dir, '.git/info/exclude'), 'mine.txt\n');
    await put('mine.txt', 'x\n');
    await put('wanted.secret', 'x\n');
    await git('add', '--force', 'wanted.secret');
    await git('rm', '--quiet', '--cached', 'old.txt');
    await writeFile(join(dir, '.git/info/exclude'), 'mine.txt\nold.txt\n');
    expect(await filesIn(await take())).to.have.members(['.gitignore', 'compose.yml', 'wanted.secret']);
  });

  it('takes a file that became a folder, and a folder that became a file', async () => {
    await mkdir(join(dir, 'conf'));
    await put('conf/a', 'a\n');
    await git('add', '--all');
    await git('commit', '--quiet', '--message=second');
    await rm(join(dir, 'conf'), { recursive: true });
    await put('conf', 'now a file\n');
    await rm(join(dir, 'old.txt'));
    await mkdir(join(dir, 'old.txt'));
    await put('old.txt/inside', 'x\n');
    expect(await filesIn(await take())).to.have.members([
      '.gitignore',
      'compose.yml',
      'conf',
      'old.txt/inside',
    ]);
  });

  it('leaves the repository untouched, to the last byte, link and time', async () => {
    await put('compose.yml', 'services: { app: {} }\n');
    await put('new.txt', 'new\n');
    // Same size, other time: git would refresh its index if it could.
    await put('old.txt', 'old\n');
    const before = await everythingOf(dir);
    const it = await take();
    await run('git', ['clone', '--quiet', '--', it.src, join(root, 'clone')]);
    await it.close();
    expect(await everythingOf(dir)).to.deep.equal(before);
  });

  it('is the head itself where nothing was changed, on a branch that can be fetched', async () => {
    await git('checkout', '--quiet', '--detach');
    await git('commit', '--quiet', '--allow-empty', '--message=on no branch');
    const it = await take();
    expect([it.ref, it.changed]).to.deep.equal([it.head, []]);
    const { stdout } = await run('git', ['ls-remote', '--', it.src]);
    expect(stdout).to.include(`${it.head}\trefs/heads/`).and.include('refs/tags/1.0.0+1.0^{}');
  });

  it('is the same commit for the same files', async () => {
    await put('compose.yml', 'services: { app: {} }\n');
    const first = await take();
    await first.close();
    expect((await take(dir, 'abcd2346')).ref).to.equal(first.ref);
  });

  it('works in a linked work tree, and when a hook calls us', async () => {
    const linked = join(root, 'linked');
    await git('worktree', 'add', '--quiet', '--detach', linked);
    await writeFile(join(linked, 'new.txt'), 'new\n');
    process.env.GIT_DIR = join(dir, '.git');
    process.env.GIT_INDEX_FILE = join(dir, '.git/index');
    try {
      expect((await take(linked)).changed).to.deep.equal(['new.txt']);
    } finally {
      delete process.env.GIT_DIR;
      delete process.env.GIT_INDEX_FILE;
    }
  });

  it('is gone after, also when its process was killed', async () => {
    const folder = join(stateDir, 'worktrees');
    const live = await snapshot(dir, { stateDir, run: 'vvvvvvvv', signal });
    // As a killed process leaves it: a folder whose lock nobody holds.
    await rename((await take(dir, 'kkkkkkkk')).src, join(folder, 'deadbeef'));
    await taken?.close();
    const repositories = async () => (await readdir(folder)).filter((name) => !name.includes('.lock')).sort();
    expect(await repositories()).to.deep.equal(['deadbeef', 'vvvvvvvv']);
    await take();
    expect(await repositories()).to.deep.equal(['abcd2345', 'vvvvvvvv']);
    await live.close();
    await taken?.close();
    await taken?.close();
    expect(await readdir(folder)).to.deep.equal([]);
    const lock = tryLock(join(folder, 'abcd2345.lock')) ?? expect.fail('the lock is held');
    lock.release();
  });

  it('is refused where there is nothing to take, with what to do', async () => {
    const plain = join(root, 'plain');
    await mkdir(join(plain, 'inside'), { recursive: true });
    expect((await refusal(join(root, 'nowhere'))).message).to.include('there is no such folder');
    const none = await refusal(plain);
    expect(none.message).to.include('is no git working tree');
    expect(none.hint).to.include('git init');
    await run('git', ['-C', plain, 'init', '--quiet']);
    expect((await refusal(plain)).message).to.include('has no commit yet');
    await mkdir(join(dir, 'sub'));
    expect((await refusal(join(dir, 'sub'))).message).to.include('a folder within the working tree');
    expect((await refusal(join(dir, '.git'))).message).to.include('is no git working tree');
  });

  it('is refused with a file that is there by mistake', async () => {
    await put('dump.sql', '');
    await truncate(join(dir, 'dump.sql'), 50 * 1024 * 1024 + 1);
    const { message, hint } = await refusal(dir);
    expect(message).to.include('over 50 MB').and.include('dump.sql (50 MB)');
    expect(hint).to.include('.gitignore');
    await put('.gitignore', '*.sql\n');
    expect(await filesIn(await take())).to.have.members(['.gitignore', 'compose.yml', 'old.txt']);
  });
});
