import { mkdir } from 'node:fs/promises';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { findBase } from './base.js';
import { recipeFolder } from './context.js';
import { testContext } from './testing/context.js';

describe('the version an upgrade begins at', () => {
  let scene: Awaited<ReturnType<typeof testContext>>;
  const git = async (...args: string[]) => {
    const identity = ['-c', 'user.name=M', '-c', 'user.email=m@example.org'];
    return (await run('git', ['-C', recipeFolder(scene.context), ...identity, ...args])).stdout.trim();
  };
  const commit = async (message: string) => {
    await git('commit', '--quiet', '--allow-empty', '-m', message);
    return git('rev-parse', 'HEAD');
  };
  const baseOf = (ref: string, label?: string) => {
    scene.context.plan.request.ref = ref;
    return findBase(scene.context, label);
  };

  beforeEach(async () => {
    scene = await testContext('prepare');
    await mkdir(recipeFolder(scene.context), { recursive: true });
    await git('init', '--quiet', '--initial-branch=main');
  });
  afterEach(() => scene.dispose());

  it('is none where nothing was published', async () => {
    expect(await baseOf(await commit('first'), '1.0.0+1')).to.equal(undefined);
  });

  it('is the newest release, also of the label that a pull request has not raised yet', async () => {
    await commit('first');
    await git('tag', '-a', '-m', 'x', '0.9.0+1.0');
    const released = await commit('second');
    await git('tag', '-a', '-m', 'x', '0.10.0+1.0');
    const head = await commit('a change');
    const base = { version: '0.10.0+1.0', commit: released };
    expect(await baseOf(head, '0.10.0+1.0')).to.deep.equal(base);
    expect(await baseOf(head, '0.11.0+1.1')).to.deep.equal(base);
    expect(await baseOf(head)).to.deep.equal(base);
  });

  it('is never the commit itself: a release is tested against the one before', async () => {
    const first = await commit('first');
    await git('tag', '1.0.0+1.0');
    const second = await commit('second');
    await git('tag', '-a', '-m', 'x', '1.1.0+1.0');
    expect(await baseOf(second, '1.1.0+1.0')).to.deep.equal({ version: '1.0.0+1.0', commit: first });
    expect(await baseOf(first, '1.0.0+1.0')).to.equal(undefined);
  });

  it('is no release that came later, nor one of a higher version on another line', async () => {
    const first = await commit('first');
    await git('tag', '-a', '-m', 'x', '1.0.0+1.0');
    const between = await commit('not released');
    await git('branch', 'old-line');
    await commit('second');
    await git('tag', '-a', '-m', 'x', '2.0.0+2.0');
    const base = { version: '1.0.0+1.0', commit: first };
    expect(await baseOf(between)).to.deep.equal(base);
    await git('checkout', '--quiet', 'old-line');
    expect(await baseOf(await commit('backport'), '1.0.1+1.0')).to.deep.equal(base);
  });

  it('passes over tags that are no versions', async () => {
    await commit('first');
    for (const tag of ['latest', 'v-next', 'release/1.0.0']) await git('tag', tag);
    expect(await baseOf(await commit('head'), '1.0.0+1')).to.equal(undefined);
  });
});
