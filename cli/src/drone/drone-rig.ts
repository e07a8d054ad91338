import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, killMarked } from '@cc-ci/core';
import type { Engine } from '@cc-ci/engine';
import { type DroneEngineOptions, openDroneEngine } from '@cc-ci/engine/drone';
import { OBEDIENT_RUNNER } from '@cc-ci/engine/testing';
import {
  createDrone,
  type DroneServer,
  type DroneStandIn,
  type DroneStandInOptions,
  startDrone,
} from '@cc-ci/sandbox';

const TOKEN = 'drone-token-of-a-test';
const REPOSITORY = 'recipes/cc-ci';

/** A pipeline of one step that obeys a rig, as the engine contract wants it. */
export const OBEDIENT_PIPELINE = pipelineOf(['sh -c "$RUNNER" sh "$RUN" "$FOLDER" "$RECIPE" "$REF" "$SRC"']);

/** Shell text of a runner that says 50 lines, waits for a word, says 50 more, and ends as it is told. */
export const TALKER = [
  'i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo "line $i"; done',
  ': > "$FOLDER/$RUN.started"; until [ -e "$FOLDER/$RUN.more" ]; do sleep 0.02; done',
  'while [ $i -lt 100 ]; do i=$((i+1)); echo "line $i"; done',
  'until [ -s "$FOLDER/$RUN.exit" ]; do sleep 0.02; done; printf "no newline at the end"',
].join('; ');
/** What it says. */
export const TALK = [...Array.from({ length: 100 }, (_, i) => `line ${i + 1}`), 'no newline at the end'];

/** An exec pipeline of one step. */
export function pipelineOf(commands: readonly string[]): string {
  return JSON.stringify({
    kind: 'pipeline',
    type: 'exec',
    name: 'test',
    platform: { os: 'linux' },
    clone: { disable: true },
    trigger: { event: ['custom'] },
    steps: [{ name: 'run', commands }],
  });
}

/** A Drone on loopback with an engine that uses it; both can be stopped and started again. */
export interface DroneRig {
  dir: string;
  drone: DroneStandIn;
  engine: Engine;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** Ends the engine and opens another on the same state folder. */
  restartEngine(change?: Partial<DroneEngineOptions>): Promise<Engine>;
  options: DroneEngineOptions;
  dispose(): Promise<void>;
}

export async function startDroneRig(
  change: { drone?: Partial<DroneStandInOptions>; engine?: Partial<DroneEngineOptions> } = {},
): Promise<DroneRig> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-drone-'));
  const drone = createDrone({
    token: TOKEN,
    repository: REPOSITORY,
    capacity: 2,
    pipeline: OBEDIENT_PIPELINE,
    root: join(dir, 'workspaces'),
    // The mark by which what a kill left alive is found.
    environ: { RUNNER: OBEDIENT_RUNNER, FOLDER: dir, CC_CI_RUN: dir },
    ...change.drone,
  });
  let server: DroneServer = await startDrone(drone);
  const tokenFile = join(dir, 'token');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const options: DroneEngineOptions = {
    url: server.url,
    tokenFile,
    repository: REPOSITORY,
    branch: 'main',
    stateDir: join(dir, 'state'),
    buildTimeoutMs: 60_000,
    timeoutMs: 5_000,
    pollMs: { shortest: 1, longest: 100 },
    settleMs: 300,
    killedLogWaitMs: 1_000,
    logger: createLogger('test', 'fatal'),
    ...change.engine,
  };
  const rig: DroneRig = {
    dir,
    drone,
    options,
    engine: openDroneEngine(options),
    stopServer: () => server.close(),
    async startServer() {
      server = await startDrone(drone, server.port);
    },
    async restartEngine(other = {}) {
      await rig.engine.close();
      rig.engine = openDroneEngine({ ...options, ...other });
      return rig.engine;
    },
    async dispose() {
      await rig.engine.close();
      await server.close();
      await drone.close();
      await killMarked('CC_CI_RUN', dir);
      await rm(dir, { recursive: true });
    },
  };
  return rig;
}
