import { appendFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { connectDocker, disconnectDocker, listServices, newRunId, type RunRecord, run } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { everythingOf } from './testing/everything-of.js';
import { nodeStaysAsItIs } from './testing/node-state.js';
import { type Rig, startRig } from './testing/rig.js';

/** What people do at their own machine. What the node holds before each test is what it must hold after. */
describe('cc-ci run, by hand', function () {
  this.timeout(400_000);
  let rig: Rig;

  before(async () => {
    rig = await startRig(['nginx']);
  });
  after(() => rig.close());
  nodeStaysAsItIs();

  const ask = async (args: readonly string[], change: NodeJS.ProcessEnv = {}) => {
    const process = rig.spawn('none', args, change);
    return { code: await process.ended, output: process.output() };
  };
  const record = async (id: string): Promise<RunRecord> => (await rig.record(id)) ?? expect.fail('no record');
  const statesOf = ({ stages }: RunRecord) =>
    Object.fromEntries(stages.map(({ stage, state }) => [stage, state]));
  const foldersIn = (name: string) => readdir(join(rig.stateDir, name)).catch(() => []);

  /** A clone of the sample recipe, as a maintainer has it. */
  const cloned = async (name: string) => {
    const { src, ref } = await rig.recipe('custom-html', 'good-change');
    const dir = join(rig.dir, name, 'custom-html');
    await run('git', ['clone', '--quiet', '--', src, dir]);
    await run('git', ['-C', dir, 'checkout', '--quiet', 'good-change']);
    return { dir, ref };
  };

  it('deploys a working tree as it is, keeps the app while it is wanted, and removes it when told', async () => {
    const { dir, ref } = await cloned('kept');
    await appendFile(join(dir, 'welcome.html.tmpl'), '<!-- not committed yet -->\n');
    const before = await everythingOf(dir);
    const id = newRunId();
    const kept = await ask([
      'run',
      'custom-html',
      `--dir=${dir}`,
      `--run=${id}`,
      '--stage=install',
      '--keep',
    ]);
    expect(kept.code, kept.output).to.equal(0);
    expect(await everythingOf(dir)).to.deep.equal(before);
    expect(await foldersIn('worktrees')).to.deep.equal([]);

    const { plan, stages, summary } = await record(id);
    expect(plan.request.ref).to.not.equal(ref);
    expect(plan.kept).to.equal(true);
    expect(statesOf(await record(id))).to.deep.equal({
      prepare: 'passed',
      install: 'passed',
      upgrade: 'declared-skip',
      backup: 'declared-skip',
      'recipe-tests': 'declared-skip',
      teardown: 'declared-skip',
    });
    expect(stages.find(({ stage }) => stage === 'upgrade')?.reason).to.equal('left out by --stage');
    expect(summary?.outcome.verdict).to.equal('green');
    const stack = plan.app?.stack ?? expect.fail('no app');
    const { stdout } = await run('docker', [
      'config',
      'inspect',
      `${stack}_welcome_v2`,
      '--format={{json .Spec.Data}}',
    ]);
    expect(Buffer.from(stdout, 'base64').toString()).to.include('not committed yet');
    expect(kept.output)
      .to.include(`https://${plan.app?.domain}`)
      .and.include(`cc-ci teardown ${id}`)
      .and.include(join(rig.stateDir, 'runs', id, 'secrets.json'));

    expect((await ask(['janitor'])).output).to.equal('nothing to clean up\n');
    const removed = await ask(['teardown', id]);
    expect(removed.code, removed.output).to.equal(0);
    expect(removed.output).to.include(`service ${stack}_app`).and.include(`volume ${stack}_content`);
    expect(statesOf(await record(id))).to.include({ teardown: 'passed' });
    expect(await readdir(join(rig.stateDir, 'runs', id))).to.not.include.members([
      'secrets.json',
      'app.json',
      'abra',
    ]);
    const again = await ask(['teardown', id]);
    expect([again.code, again.output]).to.deep.equal([0, `nothing of run ${id} was left on the node\n`]);
  });

  it('tears a kept run down all the same when it is stopped, and its snapshot is gone', async () => {
    const { dir } = await cloned('stopped');
    const id = newRunId();
    const runner = rig.spawn(id, ['run', 'custom-html', `--dir=${dir}`, `--run=${id}`, '--keep']);
    const docker = connectDocker();
    await until(async () => {
      const app = (await rig.record(id))?.plan.app;
      return app !== undefined && (await listServices(docker, app.stack)).length > 0;
    }).finally(() => disconnectDocker(docker));
    const early = await ask(['teardown', id]);
    expect([early.code, early.output]).to.deep.equal([
      2,
      `cc-ci: run ${id} has not ended (stop it (Ctrl-C), or clean up after it with cc-ci janitor if it was killed)\n`,
    ]);
    runner.child.kill('SIGINT');
    expect(await runner.ended).to.equal(2);
    expect(runner.output()).to.include('stopping: ').and.include('CANCELLED  custom-html');
    expect(statesOf(await record(id))).to.include({ teardown: 'passed' });
    expect((await record(id)).plan.kept).to.equal(undefined);
    expect(await foldersIn('worktrees')).to.deep.equal([]);
  });

  it('says what it would do, and does nothing', async () => {
    const { src, ref } = await rig.recipe('custom-html', 'good-change');
    const { ref: main } = await rig.recipe('custom-html', '1.1.0+1.22.1');
    const mirror = join(rig.dir, 'mirror');
    await mkdir(mirror);
    await symlink(src, join(mirror, 'custom-html.git'));
    const { dir } = await cloned('plan');
    await appendFile(join(dir, 'compose.yml'), '# not committed yet\n');
    const before = [await everythingOf(dir), await foldersIn('runs')];
    const env = { CC_CI_RECIPES_URL: `${mirror}/` };

    const words = await ask(['run', 'custom-html', '--plan', '--ref=good-change'], env);
    expect(words.code, words.output).to.equal(0);
    expect(words.output)
      .to.include(ref)
      .and.include('upgrade from  1.0.0+1.22.1')
      .and.include('Nothing was started.');
    const json = async (...args: string[]) => {
      const { code, output } = await ask(['run', ...args, '--plan', '--json'], env);
      expect(code, output).to.equal(0);
      return JSON.parse(output);
    };
    expect(await json('custom-html')).to.deep.include({
      versions: ['1.1.0+1.22.1', '1.0.0+1.22.1'],
      base: { version: '1.0.0+1.22.1', sure: true },
      zone: 'ci.test',
    });
    expect((await json('custom-html')).request).to.include({
      ref: main,
      src: join(mirror, 'custom-html.git'),
    });
    expect((await json('custom-html', `--ref=${ref.slice(0, 9)}`)).request.ref).to.equal(ref);
    const tree = await json('custom-html', `--dir=${dir}`, '--stage=install,backup');
    expect(tree.worktree).to.deep.equal({ dir, head: ref, changed: ['compose.yml'] });
    const done = (tree.stages as { stage: string; done: boolean }[])
      .filter((it) => it.done)
      .map(({ stage }) => stage);
    expect(done).to.deep.equal(['prepare', 'install', 'backup', 'teardown']);
    expect((await json('custom-html')).programs.map(({ name }: { name: string }) => name)).to.deep.equal([
      'node',
      'git',
      'docker',
      'abra',
      'chromium',
    ]);

    const unknown = await ask(['run', 'custom-html', '--ref=good-chnage'], env);
    expect([unknown.code, unknown.output]).to.deep.equal([
      2,
      `cc-ci: ${join(mirror, 'custom-html.git')} has no branch, tag or commit good-chnage (did you mean good-change?)\n`,
    ]);
    expect([await everythingOf(dir), await foldersIn('runs')]).to.deep.equal(before);
    expect(await foldersIn('worktrees')).to.deep.equal([]);
  });

  it('finds the recipe in the folder it is called in, and says where records cannot be kept', async () => {
    const { dir } = await cloned('here');
    const plan = rig.spawn('none', ['run', '.', `--dir=${dir}`, '--plan', '--json']);
    expect(await plan.ended, plan.output()).to.equal(0);
    expect(JSON.parse(plan.output()).request.recipe).to.equal('custom-html');
    const file = join(dir, 'compose.yml');
    const nowhere = await ask(['run', '.', `--dir=${dir}`], { CC_CI_STATE_DIR: file });
    expect(nowhere.code).to.equal(2);
    expect(nowhere.output)
      .to.include(`records of runs cannot be kept in ${file}`)
      .and.include('CC_CI_STATE_DIR');
  });
});
