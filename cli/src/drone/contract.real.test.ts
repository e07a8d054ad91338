import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, killMarked } from '@cc-ci/core';
import { openDroneEngine } from '@cc-ci/engine/drone';
import { engineContract, OBEDIENT_RUNNER } from '@cc-ci/engine/testing';
import { type ExecRunner, type RealServers, startExecRunner, startRealServers } from '@cc-ci/sandbox/real';
import { after, before, describe } from 'mocha';

const CAPACITY = 2;

describe('on a real Drone', function () {
  this.timeout(120_000);
  let dir: string;
  let servers: RealServers;
  let runner: ExecRunner;
  let rigs = 0;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-drone-contract-'));
    servers = await startRealServers(obedientPipeline(dir));
    runner = await startExecRunner(servers.drone, CAPACITY);
    await writeFile(join(dir, 'token'), servers.drone.token, { mode: 0o600 });
  });
  after(async () => {
    await runner?.stop();
    await servers?.dispose();
    await killMarked('CC_CI_RUN', dir);
    await rm(dir, { recursive: true });
  });

  engineContract('DroneEngine', async () => {
    const stateDir = join(dir, `state-${rigs++}`);
    const open = () =>
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
      });
    let engine = open();
    return {
      engine,
      capacity: CAPACITY,
      folder: dir,
      asksToEnd: false,
      // Drone shows each command before it runs it.
      linesBefore: 1,
      async reopen() {
        await engine.close();
        engine = open();
        return engine;
      },
      dispose: () => engine.close(),
    };
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
        environment: { RUNNER: OBEDIENT_RUNNER, FOLDER: folder, CC_CI_RUN: folder },
        commands: ['sh -c "$RUNNER" sh "$RUN" "$FOLDER"'],
      },
    ],
  });
}
