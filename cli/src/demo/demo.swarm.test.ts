import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killMarked, run } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { ensureImages } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { selfCommand } from '../runner-process.js';
import { nodeState } from '../testing/node-state.js';

describe('the demo', function () {
  this.timeout(400_000);
  let dir: string;
  let nodeBefore: Awaited<ReturnType<typeof nodeState>>;

  before(async () => {
    await ensureImages(['nginx']);
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-demo-'));
  });
  after(() => rm(dir, { recursive: true }));
  beforeEach(async () => {
    nodeBefore = await nodeState();
  });
  afterEach(async () => {
    expect(await nodeState()).to.deep.equal(nodeBefore);
    // Every service and runner of a demo is told its state folder: none may be left.
    expect(await killMarked('CC_CI_STATE_DIR', join(dir, 'demo', 'state'))).to.deep.equal([]);
  });

  function start(...flags: string[]) {
    const [file = '', ...args] = selfCommand('demo', `--dir=${join(dir, 'demo')}`, ...flags);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    const ended = once(child, 'close').then(([code, signal]: unknown[]) => (code as number | null) ?? signal);
    return { child, ended, output: () => output };
  }

  it('shows the stages live and ends with the comment, the address and exit code 0', async () => {
    const demo = start();
    expect(await demo.ended, demo.output()).to.equal(0);
    const output = demo.output();
    expect(output).to.match(/alice comments: !testme[\s\S]*install {7}PASSED[\s\S]*teardown {6}PASSED/);
    expect(output).to.match(/The comment on http:\S+\/pulls\/1:\n\n✓ \*\*green\*\*/);
    expect(output).to.match(/Dashboard: http:\S+\/runs\/[0-9a-z]{8}\//);
  });

  it('with --broken succeeds because the run was reported red', async () => {
    const demo = start('--broken');
    expect(await demo.ended, demo.output()).to.equal(0);
    expect(demo.output()).to.include('✗ **red**').and.include('Blame: the recipe.').and.include('[emerg]');
  });

  it('refuses to run beside another one in the same place', async () => {
    const first = start();
    await until(() => first.output().includes('forge: '));
    const second = start();
    expect(await second.ended).to.equal(2);
    expect(second.output()).to.include('a demo is running');
    first.child.kill('SIGINT');
    await first.ended;
  });

  for (const { moment, flags = [] } of [
    { moment: 'forge: ' },
    { moment: 'bridge: watching' },
    { moment: 'install       deploy' },
    { moment: 'install         pass' },
    // A broken change is torn down sooner.
    { moment: 'teardown      PASSED', flags: ['--broken'] },
  ]) {
    it(`interrupted after "${moment.trim()}", leaves nothing`, async () => {
      const demo = start(...flags);
      await until(() => demo.output().includes(moment));
      demo.child.kill('SIGINT');
      expect(await demo.ended, demo.output()).to.be.oneOf([130, 0]);
      expect(demo.output()).to.match(/nothing of it is left running|came out as it must/);
    });
  }

  it('with --keep stays until it is interrupted', async () => {
    const demo = start('--keep', '--broken');
    await until(() => demo.output().includes('everything is left running'));
    const [, url = ''] = /Dashboard: (\S+)/.exec(demo.output()) ?? [];
    expect((await fetch(url)).status).to.equal(200);
    const ask = async (...args: string[]) => {
      const [file = '', ...argv] = selfCommand('demo-comment', `--dir=${join(dir, 'demo')}`, ...args);
      return run(file, argv, { okCodes: [0, 2] });
    };
    expect((await ask('hello')).exitCode).to.equal(0);
    expect((await ask('hello', '--as=mallory')).exitCode).to.equal(0);
    expect((await ask('hello', '--as=eve')).stderr).to.include('it has alice and mallory');
    demo.child.kill('SIGINT');
    expect(await demo.ended, demo.output()).to.equal(0);
  });
});
