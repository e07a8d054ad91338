import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, killMarked } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { type Build, type Engine, EngineError, isFinal } from '@cc-ci/engine';
import { openDroneEngine } from '@cc-ci/engine/drone';
import { engineContract, OBEDIENT_RUNNER, someRequest } from '@cc-ci/engine/testing';
import { type ExecRunner, startExecRunner } from '@cc-ci/sandbox/real';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { type RealServers, startRealServers } from '../real/servers.js';
import { TALK, TALKER } from './drone-rig.js';

const CAPACITY = 2;

describe('on a real Drone', () => {
  let dir: string;
  let servers: RealServers;
  let runner: ExecRunner;
  let rigs = 0;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-drone-contract-'));
    servers = await startRealServers({ droneYml: obedientPipeline(dir) });
    runner = await startExecRunner(servers.drone, { capacity: CAPACITY });
    await writeFile(join(dir, 'token'), servers.drone.token, { mode: 0o600 });
  });
  after(async () => {
    await runner?.stop();
    await servers?.dispose();
    await killMarked('CC_CI_RUN', dir);
    await rm(dir, { recursive: true });
  });

  const openEngine = (stateDir: string, change: { buildTimeoutMs?: number } = {}) =>
    openDroneEngine({
      url: servers.drone.url,
      tokenFile: join(dir, 'token'),
      repository: servers.repository,
      branch: 'main',
      stateDir,
      buildTimeoutMs: 60_000,
      pollMs: { shortest: 50, longest: 500 },
      settleMs: 5_000,
      killedLogWaitMs: 2_000,
      logger: createLogger('test', 'fatal'),
      ...change,
    });

  engineContract('DroneEngine', async () => {
    const stateDir = join(dir, `state-${rigs++}`);
    let engine = openEngine(stateDir);
    return {
      engine,
      capacity: CAPACITY,
      folder: dir,
      // Drone shows each command before it runs it.
      linesBefore: 1,
      async reopen(change) {
        await engine.close();
        engine = openEngine(stateDir, change);
        return engine;
      },
      dispose: () => engine.close(),
    };
  });

  describe('that is killed and started again', () => {
    let stateDir: string;
    let engine: Engine;
    beforeEach(() => {
      stateDir = join(dir, `state-${rigs++}`);
      engine = openEngine(stateDir);
    });
    afterEach(() => engine.close());

    const tell = (id: string, what: string, text = '') => writeFile(join(dir, `${id}.${what}`), text);
    const started = (id: string) => until(() => existsSync(join(dir, `${id}.started`)));
    const ended = (id: string): Promise<Build> =>
      until(async () => {
        const build = await engine.get(id);
        return build && isFinal(build.state) && build;
      });
    const logOf = async (id: string) => {
      const lines: string[] = [];
      for await (const { text } of engine.logs(id)) lines.push(text);
      return lines;
    };

    it('refuses a request while it is away, and starts it once when it is back', async () => {
      await servers.drone.kill();
      const request = someRequest();
      const refused = await engine.start(request).catch((error: unknown) => error);
      expect(refused).to.be.instanceOf(EngineError).and.include({ retry: true });
      await servers.drone.start();
      const { id } = await until(() => engine.start(request).catch(() => undefined));
      await engine.start(request);
      await tell(id, 'exit', '0');
      expect((await ended(id)).state).to.equal('success');
      expect(await engine.list()).to.have.length(1);
    });

    it('ends a build well that ran meanwhile, and loses no line of its log', async () => {
      const { id } = await engine.start(someRequest('talker'));
      await started(id);
      await servers.drone.kill();
      expect((await engine.get(id))?.state).to.be.oneOf(['queued', 'running']);
      await tell(id, 'more');
      await servers.drone.start();
      await tell(id, 'exit', '0');
      expect((await ended(id)).state).to.equal('success');
      expect((await logOf(id)).slice(-101)).to.deep.equal(TALK);
    });

    it('hears of a wish to cancel that was said while it was away, though the engine was restarted too', async () => {
      const { id } = await engine.start(someRequest());
      await started(id);
      await servers.drone.kill();
      await engine.cancel(id, 'stopped by alice');
      await engine.close();
      engine = openEngine(stateDir);
      await servers.drone.start();
      expect(await ended(id)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
    });
  });
});

/** One step that obeys a rig; only builds that were asked for. */
function obedientPipeline(folder: string): string {
  return JSON.stringify({
    kind: 'pipeline',
    type: 'exec',
    name: 'test',
    platform: { os: 'linux', arch: 'amd64' },
    clone: { disable: true },
    trigger: { event: ['custom'] },
    steps: [
      {
        name: 'run',
        // The mark by which what a kill left alive is found.
        environment: { RUNNER: OBEDIENT_RUNNER, TALKER, FOLDER: folder, CC_CI_RUN: folder },
        commands: [
          'if [ "$RECIPE" = talker ]; then sh -c "$TALKER"; else sh -c "$RUNNER" sh "$RUN" "$FOLDER" "$RECIPE" "$REF" "$SRC"; fi',
        ],
      },
    ],
  });
}
