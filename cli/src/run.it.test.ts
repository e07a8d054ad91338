import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  connectDocker,
  disconnectDocker,
  killMarked,
  listServices,
  type RunRecord,
  runFolder,
  type StageName,
  stageLogFile,
} from '@cc-ci/core';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { nodeState } from './testing/node-state.js';
import { findProcesses } from './testing/processes.js';
import { type Rig, type RunnerProcess, startRig } from './testing/rig.js';
import { until } from './testing/until.js';

/** What the node holds before each test is what it must hold after. */
describe('cc-ci run, on the real swarm', function () {
  this.timeout(180_000);
  let rig: Rig;
  let nodeBefore: Awaited<ReturnType<typeof nodeState>>;

  before(async () => {
    rig = await startRig(['nginx', 'radicale']);
  });
  after(() => rig.close());
  beforeEach(async () => {
    nodeBefore = await nodeState();
  });
  afterEach(async function () {
    // A failed test has its own story; what it leaves must not fail the next one.
    if (this.currentTest?.state === 'failed') return;
    expect(await nodeState()).to.deep.equal(nodeBefore);
  });

  const recordOf = async ({ run }: RunnerProcess): Promise<RunRecord> =>
    (await rig.record(run)) ?? expect.fail('no record');
  const stagesOf = (record: RunRecord) =>
    Object.fromEntries(record.stages.map(({ stage, state }) => [stage, state]));
  const stageOf = (record: RunRecord, name: StageName) =>
    record.stages.find(({ stage }) => stage === name) ?? expect.fail(`no ${name}`);
  const logOf = ({ run }: RunnerProcess, stage: StageName) =>
    readFile(stageLogFile(runFolder(rig.stateDir, run), stage), 'utf8');

  /** Resolves when the run's stack has a service on the node: in the middle of its deployment. */
  const deploying = async (runner: RunnerProcess): Promise<string> => {
    const docker = connectDocker();
    try {
      return await until(async () => {
        const app = (await rig.record(runner.run))?.plan.app;
        return app !== undefined && (await listServices(docker, app.stack)).length > 0 && app.stack;
      });
    } finally {
      await disconnectDocker(docker);
    }
  };

  it('takes a good change to green and leaves a whole record, pictures included', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    expect(await runner.ended, runner.output()).to.equal(0);
    const record = await recordOf(runner);
    expect(record.summary?.outcome.verdict).to.equal('green');
    expect(stagesOf(record)).to.deep.equal({
      prepare: 'passed',
      install: 'passed',
      upgrade: 'not-implemented',
      backup: 'not-implemented',
      'recipe-tests': 'not-implemented',
      teardown: 'passed',
    });
    const install = stageOf(record, 'install');
    expect(new Set(install.tests.map(({ source }) => source))).to.deep.equal(new Set(['generic', 'cc-ci']));
    expect(install.phases.map(({ name }) => name)).to.deep.equal(['secrets', 'deploy', 'converge', 'tests']);
    const picture =
      install.artifacts.find(({ kind }) => kind === 'screenshot') ?? expect.fail('no screenshot');
    expect((await stat(join(record.dir, picture.path))).size).to.be.greaterThan(2_000);
    expect(record.plan.tools.abra).to.equal('0.0.0-standin');
    expect(await logOf(runner, 'install'))
      .to.include('abra app deploy')
      .and.match(/every service is up/);
  });

  it('takes an app with secrets and a volume to green, and keeps its secrets to itself', async () => {
    const runner = await rig.start('radicale', 'good-change');
    const secrets = await until(() =>
      readFile(join(runFolder(rig.stateDir, runner.run), 'secrets.json'), 'utf8').catch(() => undefined),
    );
    expect(await runner.ended, runner.output()).to.equal(0);
    const values = Object.values(JSON.parse(secrets) as Record<string, string>);
    expect(values).to.have.length.greaterThan(0);
    const record = await recordOf(runner);
    const texts = [runner.output(), JSON.stringify(record), await logOf(runner, 'install')];
    for (const value of values) for (const text of texts) expect(text).to.not.include(value);
    expect(await readdir(record.dir)).to.not.include.members(['secrets.json', 'app.json', 'abra']);
  });

  it('says of a change that does not come up that the recipe is to blame, with its log', async () => {
    const runner = await rig.start('custom-html', 'broken-change');
    expect(await runner.ended).to.equal(1);
    const { summary, stages } = await recordOf(runner);
    expect(summary?.outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(summary?.outcome.evidence.join('\n')).to.match(/nginx.*emerg|unknown directive|invalid/i);
    expect(stages.find(({ stage }) => stage === 'teardown')?.state).to.equal('passed');
  });

  it("ends a recipe that does not parse in prepare, with the compose file's own error", async () => {
    const runner = await rig.start('custom-html', 'unparsable');
    expect(await runner.ended).to.equal(1);
    const record = await recordOf(runner);
    expect(stagesOf(record)).to.include({ prepare: 'failed', install: 'not-run' });
    expect(record.summary?.outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(record.summary?.outcome.sentence).to.match(/compose\.yml: .* at line \d+, column \d+/);
  });

  it('blames the forge for a commit that is gone', async () => {
    const runner = await rig.start('custom-html', 'good-change', [`--ref=${'0'.repeat(40)}`]);
    expect(await runner.ended).to.equal(2);
    expect((await recordOf(runner)).summary?.outcome).to.include({ verdict: 'error', blame: 'forge' });
  });

  it('tears down when told to stop, and says cancelled', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    await deploying(runner);
    runner.child.kill('SIGTERM');
    expect(await runner.ended).to.equal(2);
    expect((await recordOf(runner)).summary?.outcome).to.include({
      verdict: 'cancelled',
      blame: 'cancelled',
    });
  });

  it('tears down at its deadline, and says timeout', async () => {
    const runner = await rig.start('custom-html', 'good-change', ['--timeout=2']);
    expect(await runner.ended).to.equal(2);
    expect((await recordOf(runner)).summary?.outcome).to.include({ verdict: 'error', blame: 'timeout' });
  });

  it('killed in the middle of a deployment, is cleaned up after by its watchdog', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    await deploying(runner);
    runner.child.kill('SIGKILL');
    expect(await runner.ended).to.equal('SIGKILL');
    const summary = await until(async () => (await rig.record(runner.run))?.summary);
    expect(summary.outcome).to.include({ verdict: 'error', blame: 'ci' });
    expect(summary.outcome.sentence).to.match(/^install: the runner was killed/);
  });

  it('killed together with its watchdog, is cleaned up after by the next run', async () => {
    const runner = await rig.start('custom-html', 'good-change');
    await deploying(runner);
    const watchdogs = await findProcesses('watchdog', runFolder(rig.stateDir, runner.run));
    expect(watchdogs).to.have.length(1);
    for (const pid of watchdogs) process.kill(pid, 'SIGKILL');
    runner.child.kill('SIGKILL');
    await runner.ended;
    const next = await rig.start('custom-html', 'unparsable');
    expect(await next.ended).to.equal(1);
    expect(stageOf(await recordOf(next), 'prepare').notes.join()).to.include(runner.run);
    expect((await recordOf(runner)).summary?.outcome.sentence).to.include('was killed');
    expect(await killMarked('CC_CI_RUN', runner.run)).to.deep.equal([]);
  });

  it('runs one recipe at two commits side by side, and the janitor of one leaves the other alone', async () => {
    const good = await rig.start('custom-html', 'good-change');
    const stack = await deploying(good);
    const older = await rig.start('custom-html', '1.1.0+1.22.1');
    expect(await deploying(older)).to.not.equal(stack);
    expect([await good.ended, await older.ended], good.output() + older.output()).to.deep.equal([0, 0]);
  });
});
