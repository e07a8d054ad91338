import { appendFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  connectDocker,
  disconnectDocker,
  listServices,
  newRunId,
  type RunRecord,
  requestParameters,
  run,
  STAGES,
  type TestRequest,
} from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { type Build, isFinal } from '@cc-ci/engine';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { installed } from '../testing/installed.js';
import { nodeStaysAsItIs } from '../testing/node-state.js';
import { findProcesses } from '../testing/processes.js';
import { type Rig, startRig } from '../testing/rig.js';
import { type DroneRig, startDroneRig } from './drone-rig.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Everything but Drone itself is real: the committed pipeline, its checkout, cc-ci on PATH, Docker. */
describe('.drone.yml, run as Drone’s exec runner does', function () {
  this.timeout(600_000);
  let rig: Rig;
  let drone: DroneRig;

  before(async () => {
    rig = await startRig(['nginx']);
    const { CC_CI_TESTS_DIR: _, ...settings } = Object.fromEntries(
      Object.entries(rig.env).filter(([name]) => /^(CC_CI_|ABRA_STANDIN_)/.test(name)),
    );
    const environ = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, value ?? '']));
    drone = await startDroneRig({
      engine: { buildTimeoutMs: 600_000 },
      drone: {
        pipeline: await readFile(join(ROOT, '.drone.yml'), 'utf8'),
        source: await checkoutWithTests(join(rig.dir, 'cc-ci')),
        environ: { ...environ, PATH: `${await installed(join(rig.dir, 'bin'))}:${process.env.PATH}` },
      },
    });
  });
  after(async () => {
    await drone?.dispose();
    await rig.close();
  });
  nodeStaysAsItIs();

  const requestOf = async (ref: string): Promise<TestRequest> => ({
    run: newRunId(),
    recipe: 'custom-html',
    ...(await rig.recipe('custom-html', ref)),
    pr: 7,
    requestedBy: 'alice',
  });
  const ended = (id: string): Promise<Build> =>
    until(async () => {
      const build = await drone.engine.get(id);
      return build && isFinal(build.state) && build;
    });
  const recordOf = async (id: string): Promise<RunRecord> =>
    (await rig.record(id)) ?? expect.fail('no record');
  const logOf = async (id: string) => {
    const lines: string[] = [];
    for await (const { text } of drone.engine.logs(id)) lines.push(text);
    return lines.join('\n');
  };
  const stepsOf = (id: string) =>
    drone.drone.builds().findLast(({ params }) => params.RUN === id)?.stages[0]?.steps ??
    expect.fail('no steps');

  it('takes a good change through every stage, each a step, with the tests of the checkout', async () => {
    const request = await requestOf('good-change');
    await drone.engine.start(request);
    // Somebody presses "restart" meanwhile: that build must touch nothing of this run.
    await until(() =>
      stepsOf(request.run).find(({ name, status }) => name === 'install' && status === 'running'),
    );
    const again = drone.drone.create('main', requestParameters(request)) ?? expect.fail('not started');
    await until(() => again.status === 'failure');
    const codes = again.stages[0]?.steps.map(({ exit_code }) => exit_code);
    expect(codes).to.deep.equal([0, ...STAGES.map(() => 2)]);
    const build = await ended(request.run);
    expect(build.state, await logOf(request.run)).to.equal('success');
    expect(stepsOf(request.run).map(({ name, status }) => [name, status])).to.deep.equal(
      ['clone', ...STAGES].map((name) => [name, 'success']),
    );
    const record = await recordOf(request.run);
    expect(record.plan.request).to.deep.equal(request);
    expect(record.summary?.outcome.verdict).to.equal('green');
    const tests = record.stages.flatMap((stage) => stage.tests);
    // One test is only in the checkout, not in this tree.
    expect(tests.find(({ title }) => title === 'is the checkout')).to.include({
      source: 'cc-ci',
      state: 'passed',
    });
  });

  it('ends red, and not with an error, for a recipe that cannot be read; the later steps say why they do nothing', async () => {
    const request = await requestOf('unparsable');
    await drone.engine.start(request);
    expect(await ended(request.run)).to.include({ state: 'failure', reason: undefined });
    const codes = stepsOf(request.run).map(({ name, exit_code }) => [name, exit_code]);
    expect(codes).to.deep.include(['prepare', 1]).and.deep.include(['teardown', 1]);
    expect((await recordOf(request.run)).summary?.outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(await logOf(request.run)).to.include('prepare did not come far enough');
  });

  it('cancelled in the middle of a deployment, tears down by itself, its shell killed and its workspace gone', async () => {
    const request = await requestOf('good-change');
    await drone.engine.start(request);
    const docker = connectDocker();
    try {
      await until(async () => {
        const app = (await rig.record(request.run))?.plan.app;
        return app !== undefined && (await listServices(docker, app.stack)).length > 0;
      });
    } finally {
      await disconnectDocker(docker);
    }
    await drone.engine.cancel(request.run, 'stopped by alice');
    expect(await ended(request.run)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
    const summary = await until(async () => (await rig.record(request.run))?.summary);
    expect(summary.outcome).to.include({ verdict: 'cancelled', blame: 'cancelled' });
    const { stages } = await recordOf(request.run);
    expect(stages.find(({ stage }) => stage === 'teardown')?.state).to.equal('passed');
    expect(stages.every(({ state }) => state !== 'pending' && state !== 'running')).to.equal(true);
    // The record is complete a moment before its writer and the watchdog have ended.
    await until(async () => (await findProcesses('stage', 'install')).length === 0);
  });

  it('refuses parameters that are none before anything is started', async () => {
    drone.drone.create('main', { RUN: newRunId(), RECIPE: '$(touch /tmp/x)', REF: 'main', SRC: 'ext::id' });
    const build = await until(() => {
      const [newest] = drone.drone.builds();
      return newest?.status === 'failure' && newest;
    });
    expect(build.stages[0]?.steps.slice(1).map(({ exit_code }) => exit_code)).to.deep.equal(
      STAGES.map(() => 2),
    );
  });
});

/** A repository like ours as far as a build needs it, with a test of its own. */
async function checkoutWithTests(dir: string): Promise<string> {
  await cp(join(ROOT, 'tests'), join(dir, 'tests'), { recursive: true });
  await appendFile(
    join(dir, 'tests/custom-html/install.test.ts'),
    `\ndescribe('tests', () => { it('is the checkout', () => undefined); });\n`,
  );
  const git = (...args: string[]) => run('git', ['-C', dir, ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '--all');
  await git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '-m', 'tests');
  return dir;
}
