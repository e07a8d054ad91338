import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@cc-ci/core/testing';
import { type Build, type Engine, EngineError, isFinal } from '@cc-ci/engine';
import { openDroneReader } from '@cc-ci/engine/drone';
import { someRequest } from '@cc-ci/engine/testing';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { type DroneRig, pipelineOf, startDroneRig, TALK, TALKER } from './drone-rig.js';

describe('DroneEngine', () => {
  let rig: DroneRig;
  afterEach(() => rig.dispose());

  const started = (id: string) => until(() => existsSync(join(rig.dir, `${id}.started`)));
  const finish = (id: string, code = 0) => writeFile(join(rig.dir, `${id}.exit`), `${code}`);
  const ended = (id: string): Promise<Build> =>
    until(async () => {
      const build = await rig.engine.get(id);
      return build && isFinal(build.state) && build;
    });
  const logOf = async (engine: Pick<Engine, 'logs'>, id: string, from = 1) => {
    const lines: string[] = [];
    for await (const { text } of engine.logs(id, { from })) lines.push(text);
    return lines;
  };
  const refusal = async (work: Promise<unknown>): Promise<EngineError> => {
    const error = await work.then(
      () => expect.fail('it did not fail'),
      (it: unknown) => it,
    );
    if (!(error instanceof EngineError)) throw error;
    return error;
  };
  const POST = { method: 'POST', path: /builds$/ };

  it('says that Drone is down, and starts the build once it is back', async () => {
    rig = await startDroneRig();
    await rig.stopServer();
    const request = someRequest();
    expect(await refusal(rig.engine.start(request))).to.include({ retry: true, nothingStarted: true });
    expect(await rig.engine.get(request.run)).to.equal(undefined);
    await rig.startServer();
    await rig.engine.start(request);
    await finish(request.run);
    expect((await ended(request.run)).state).to.equal('success');
    expect(rig.drone.builds()).to.have.length(1);
  });

  it('finds the build whose answer got lost, also after a crash and behind many others', async () => {
    rig = await startDroneRig({ drone: { capacity: 1 } });
    const request = someRequest();
    rig.drone.faults.inject({ ...POST, when: 'after', answer: 'close' });
    expect(await refusal(rig.engine.start(request))).to.include({ retry: true, nothingStarted: false });
    for (let i = 0; i < 120; i++) rig.drone.create('main', { RUN: `other${i}` });
    const engine = await rig.restartEngine();
    const build = await engine.start(request);
    expect(build.id).to.equal(request.run);
    expect(rig.drone.builds().filter(({ params }) => params.RUN === request.run)).to.have.length(1);
    await finish(request.run);
    expect((await ended(request.run)).state).to.equal('success');
  });

  it('asks again only when a request without an answer can have started nothing', async () => {
    rig = await startDroneRig({ engine: { settleMs: 300 } });
    const request = someRequest();
    rig.drone.faults.inject({ ...POST, answer: 'close' });
    await refusal(rig.engine.start(request));
    expect((await refusal(rig.engine.start(request))).message).to.include('its answer got lost');
    expect(rig.drone.builds()).to.have.length(0);
    await until(() => rig.engine.start(request).catch(() => undefined));
    await until(() => rig.engine.start(request));
    expect(rig.drone.builds()).to.have.length(1);
  });

  it('starts a request once when it is asked several times at once', async () => {
    rig = await startDroneRig();
    const request = someRequest();
    await Promise.all([1, 2, 3].map(() => rig.engine.start(request)));
    expect(rig.drone.builds()).to.have.length(1);
  });

  for (const [answer, retry] of [
    [500, true],
    [502, true],
    [429, true],
    [403, false],
  ] as const) {
    it(`throws an error that is ${retry ? '' : 'not '}worth a retry when Drone answers ${answer}`, async () => {
      rig = await startDroneRig();
      rig.drone.faults.inject({ answer });
      const error = await refusal(rig.engine.start(someRequest()));
      expect(error).to.include({ retry });
      expect(error.message).to.include(`HTTP ${answer}`);
    });
  }

  it('refuses a token that Drone refuses, says what to do, and shows none of it', async () => {
    rig = await startDroneRig();
    await writeFile(rig.options.tokenFile, 'not-the-token');
    const engine = await rig.restartEngine();
    for (const work of [engine.ready(), engine.start(someRequest())]) {
      const error = await refusal(work);
      expect(error.hint).to.include('CC_CI_DRONE_TOKEN_FILE');
      expect(JSON.stringify({ ...error, message: error.message })).to.not.include('not-the-token');
    }
  });

  it('is ready when Drone knows the repository', async () => {
    rig = await startDroneRig();
    await rig.engine.ready();
    const engine = await rig.restartEngine({ repository: 'recipes/other' });
    expect((await refusal(engine.ready())).hint).to.include('activate');
  });

  it('says so when no pipeline wants the build, or none can be read', async () => {
    const pushOnly = pipelineOf(['true']).replace('custom', 'push');
    rig = await startDroneRig({ drone: { pipeline: pushOnly } });
    expect(await refusal(rig.engine.start(someRequest()))).to.include({ retry: false, nothingStarted: true });
    await rig.dispose();
    rig = await startDroneRig({
      drone: { pipeline: 'kind: pipeline\ntype: exec\nsteps: [{ commands: [] }]\n' },
    });
    const build = await rig.engine.start(someRequest());
    expect(await ended(build.id)).to.include({ state: 'error', startedAt: undefined });
    expect((await rig.engine.get(build.id))?.reason).to.include('steps');
  });

  it("follows a build over a restart of Drone's server, and loses no line", async () => {
    rig = await startDroneRig({ drone: { pipeline: pipelineOf([TALKER]) } });
    const { id } = await rig.engine.start(someRequest());
    await started(id);
    await until(async () => (await logOf(rig.engine, id)).includes('line 50'));
    await rig.stopServer();
    expect((await rig.engine.get(id))?.state).to.equal('running');
    await writeFile(join(rig.dir, `${id}.more`), '');
    await rig.startServer();
    await finish(id);
    expect((await ended(id)).state).to.equal('success');
    expect((await logOf(rig.engine, id)).slice(-101)).to.deep.equal(TALK);
  });

  it('follows a build over a restart of its own, and writes no line twice', async () => {
    rig = await startDroneRig({ drone: { pipeline: pipelineOf([TALKER]) } });
    const { id } = await rig.engine.start(someRequest());
    await until(async () => (await logOf(rig.engine, id)).includes('line 50'));
    await rig.engine.close();
    const file = join(rig.options.stateDir, 'builds', `${id}.log`);
    // As a crash in the middle of a line leaves it.
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -3));
    await writeFile(join(rig.dir, `${id}.more`), '');
    await finish(id);
    await until(() => rig.drone.build(1)?.status === 'success');
    await rig.restartEngine();
    expect((await ended(id)).state).to.equal('success');
    expect((await logOf(rig.engine, id)).slice(-101)).to.deep.equal(TALK);
    expect(await logOf(rig.engine, id, 3)).to.deep.equal((await logOf(rig.engine, id)).slice(2));
  });

  it('completes a live log whose beginning Drone did not keep when the step has ended', async () => {
    rig = await startDroneRig({ drone: { pipeline: pipelineOf([TALKER]), keepLines: 10 } });
    const { id } = await rig.engine.start(someRequest());
    await rig.engine.close();
    await started(id);
    await rig.restartEngine();
    await until(() => rig.drone.requests.some((it) => it.includes('/api/stream/')));
    await writeFile(join(rig.dir, `${id}.more`), '');
    await finish(id);
    await ended(id);
    expect((await logOf(rig.engine, id)).slice(-101)).to.deep.equal(TALK);
  });

  it('calls a build lost that Drone has forgotten, or given to another', async () => {
    rig = await startDroneRig({ drone: { capacity: 1 } });
    const [first, second] = [await rig.engine.start(someRequest()), await rig.engine.start(someRequest())];
    await started(first.id);
    rig.drone.forget(1);
    expect(await ended(first.id)).to.include({ state: 'lost' });
    expect((await ended(first.id)).reason).to.include('!testme');
    const other = rig.drone.build(2);
    if (other) other.params = { RUN: 'zzzzzzzz' };
    expect((await ended(second.id)).state).to.equal('lost');
    await finish(first.id);
  });

  it('keeps the wish to cancel while Drone is down, over a restart of its own', async () => {
    rig = await startDroneRig();
    const { id } = await rig.engine.start(someRequest());
    await started(id);
    await rig.stopServer();
    await rig.engine.cancel(id, 'stopped by alice');
    await rig.engine.cancel(id, 'stopped by bob');
    await rig.restartEngine();
    expect(rig.drone.build(1)?.status).to.equal('running');
    await rig.startServer();
    expect(await ended(id)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
    expect(rig.drone.build(1)?.status).to.equal('killed');
  });

  it('cancels a request whose build nobody has seen yet', async () => {
    rig = await startDroneRig();
    const [seen, unseen] = [someRequest(), someRequest()];
    rig.drone.faults.inject({ ...POST, when: 'after', answer: 'close' });
    await refusal(rig.engine.start(seen));
    await rig.engine.cancel(seen.run, 'not wanted');
    expect(await ended(seen.run)).to.include({ state: 'cancelled', reason: 'not wanted' });
    expect(rig.drone.build(1)?.status).to.equal('killed');
    rig.drone.faults.inject({ ...POST, answer: 'close' });
    await refusal(rig.engine.start(unseen));
    await rig.engine.cancel(unseen.run, 'not wanted either');
    expect(await ended(unseen.run)).to.include({ state: 'cancelled', reason: 'not wanted either' });
    expect((await rig.engine.start(unseen)).state).to.equal('cancelled');
    expect(rig.drone.builds()).to.have.length(1);
  });

  it('says when somebody has cancelled a build in Drone', async () => {
    rig = await startDroneRig();
    const { id } = await rig.engine.start(someRequest());
    await started(id);
    rig.drone.cancel(1);
    expect(await ended(id)).to.include({ state: 'cancelled', reason: 'the build was cancelled in Drone' });
  });

  it('ends a build that takes too long', async () => {
    rig = await startDroneRig({ engine: { buildTimeoutMs: 200 } });
    const { id } = await rig.engine.start(someRequest());
    expect(await ended(id)).to.include({
      state: 'error',
      reason: 'the build took longer than 0.2 s and was ended',
    });
    expect(rig.drone.build(1)?.status).to.equal('killed');
  });

  it('gives the log of all steps in order, and takes the verdict of the last', async () => {
    const steps = [
      { name: 'install', commands: ['echo one', 'printf two', 'exit 2'] },
      { name: 'upgrade', commands: ['echo never'] },
      { name: 'teardown', commands: ['echo three', 'exit 1'], when: { status: ['success', 'failure'] } },
    ];
    const pipeline = JSON.stringify({ ...JSON.parse(pipelineOf([])), steps });
    rig = await startDroneRig({ drone: { pipeline } });
    const { id } = await rig.engine.start(someRequest());
    expect((await ended(id)).state).to.equal('failure');
    expect(await logOf(rig.engine, id)).to.deep.equal([
      '+ echo one',
      'one',
      '+ printf two',
      'two+ exit 2',
      '+ echo three',
      'three',
      '+ exit 1',
    ]);
  });

  it('asks for all waiting builds with one request', async () => {
    rig = await startDroneRig({ drone: { capacity: 1 } });
    const builds = [];
    for (let i = 0; i < 6; i++) builds.push(await rig.engine.start(someRequest()));
    await started(builds[0]?.id ?? '');
    await rig.engine.list();
    const before = rig.drone.requests.length;
    await rig.engine.list();
    await rig.engine.list();
    const asked = new Set(rig.drone.requests.slice(before));
    expect([...asked].filter((it) => /builds\/[2-6]$/.test(it))).to.deep.equal([]);
    for (const { id } of builds) await finish(id);
    for (const { id } of builds) await ended(id);
  });

  it('can be read from another process, also before any engine ran', async () => {
    rig = await startDroneRig();
    const empty = openDroneReader(join(rig.dir, 'elsewhere'));
    expect(await empty.list()).to.deep.equal([]);
    empty.close();
    const { id } = await rig.engine.start(someRequest());
    const reader = openDroneReader(rig.options.stateDir);
    const following = (async () => {
      const lines: string[] = [];
      for await (const { text } of reader.logs(id, { follow: true })) lines.push(text);
      return lines;
    })();
    await finish(id);
    await ended(id);
    expect((await following).slice(1)).to.deep.equal([`${id} began`, `${id} ends`]);
    expect((await reader.get(id))?.state).to.equal('success');
    reader.close();
  });

  it('leaves what runs when it is closed, unless it is told to end it', async () => {
    rig = await startDroneRig();
    const { id } = await rig.engine.start(someRequest());
    await started(id);
    await rig.restartEngine();
    expect((await rig.engine.get(id))?.state).to.equal('running');
    await (rig.engine as { close(how: { running: 'cancel' }): Promise<void> }).close({ running: 'cancel' });
    expect(rig.drone.build(1)?.status).to.equal('killed');
    await rig.restartEngine();
    expect(await rig.engine.get(id)).to.include({ state: 'cancelled', reason: 'the engine was shut down' });
  });
});
