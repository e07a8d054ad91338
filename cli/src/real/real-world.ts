import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeJson } from '@cc-ci/core';
import type { EngineReader } from '@cc-ci/engine';
import { openDroneReader } from '@cc-ci/engine/drone';
import {
  ABRA_EXECUTABLE,
  createRecipeRepository,
  ensureImages,
  FORGET_SNAPSHOTS_EXECUTABLE,
  type Organisation,
  publishRecipe,
  type RecipeRepository,
} from '@cc-ci/sandbox';
import { type ExecRunner, startExecRunner, startTraefik } from '@cc-ci/sandbox/real';
import { freePort, startService } from '../demo/services.js';
import { installed } from '../testing/installed.js';
import { type RealServers, startRealServers } from './servers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const ZONE = 'ci.test';

/** cc-ci on a real Gitea, a real Drone and a real Traefik; abra and recipes are the sandbox's. */
export interface RealWorld {
  servers: RealServers;
  runner: ExecRunner;
  org: Organisation;
  recipes: ReadonlyMap<string, RecipeRepository>;
  stateDir: string;
  dashboardUrl: string;
  engine: EngineReader;
  /** The bridge's log. */
  bridgeLog(): Promise<string>;
  /** Ends everything, the last started first. */
  stop(): Promise<void>;
}

/** Starts everything as a host has it: bridge and dashboard in processes of their own, builds by Drone's runner. */
export async function startRealWorld(
  images: readonly string[],
  recipeNames: readonly string[],
): Promise<RealWorld> {
  await ensureImages(images);
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (let action = undo.pop(); action; action = undo.pop()) await action();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'cc-ci-real-world-'));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const stateDir = join(dir, 'state');
    await mkdir(stateDir);
    const droneYml = await readFile(join(ROOT, '.drone.yml'), 'utf8');
    const servers = await startRealServers({ droneYml, testsDir: join(ROOT, 'tests') });
    undo.push(() => servers.dispose());
    const org = servers.organisation;
    const recipes = new Map<string, RecipeRepository>();
    for (const name of recipeNames) {
      const local = await createRecipeRepository(name, join(dir, 'recipes', name));
      await publishRecipe(org, name, local.dir);
      recipes.set(name, local);
    }

    const edge = await startTraefik({ zone: ZONE, network: 'proxy' });
    undo.push(() => edge.dispose());

    // The runner's host: all its steps get is PATH and the name of this file (docs/drone.md).
    const config = join(dir, 'runner.json');
    await writeJson(config, {
      common: { stateDir },
      runner: {
        zone: ZONE,
        edgeAddress: `127.0.0.1:${edge.httpsPort}`,
        edgeCaFile: edge.caFile,
        abra: ABRA_EXECUTABLE,
        forgetSnapshots: FORGET_SNAPSHOTS_EXECUTABLE,
        deployTimeout: 120,
      },
    });
    const runner = await startExecRunner(servers.drone, {
      capacity: 2,
      path: `${await installed(join(dir, 'bin'))}:${process.env.PATH}`,
      environ: { CC_CI_CONFIG: config, ABRA_STANDIN_BACKUPS: join(dir, 'backups') },
    });
    undo.push(() => runner.stop());

    const secret = async (name: string, value: string) => {
      await writeFile(join(dir, name), value, { mode: 0o600 });
      return join(dir, name);
    };
    const listen = async (wish: number) => `127.0.0.1:${await freePort(wish)}`;
    const [bridgeAt, dashboardAt] = [await listen(0), await listen(0)];
    const dashboardUrl = `http://${dashboardAt}`;
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      CC_CI_STATE_DIR: stateDir,
      CC_CI_PUBLIC_URL: dashboardUrl,
      CC_CI_ZONE: ZONE,
      CC_CI_FORGE_URL: servers.gitea.url,
      CC_CI_FORGE_TOKEN_FILE: await secret('bot-token', org.bot.token),
      CC_CI_ORG: org.name,
      CC_CI_POLL_INTERVAL: '1',
      CC_CI_BRIDGE_LISTEN: bridgeAt,
      CC_CI_DASHBOARD_LISTEN: dashboardAt,
      CC_CI_ENGINE: 'drone',
      CC_CI_DRONE_URL: servers.drone.url,
      CC_CI_DRONE_TOKEN_FILE: await secret('drone-token', servers.drone.token),
      CC_CI_DRONE_REPOSITORY: servers.repository,
    };
    const service = async (name: string, args: readonly string[], health: string) => {
      const started = await startService(args, {
        env,
        logFile: join(dir, `${name}.log`),
        health,
        signal: new AbortController().signal,
      });
      undo.push(() => started.stop());
    };
    await service('dashboard', ['dashboard', 'serve'], `${dashboardUrl}/healthz`);
    await service('bridge', ['bridge'], `http://${bridgeAt}/readyz`);
    const engine = openDroneReader(stateDir);
    undo.push(async () => engine.close());
    const bridgeLog = () => readFile(join(dir, 'bridge.log'), 'utf8');
    return { servers, runner, org, recipes, stateDir, dashboardUrl, engine, bridgeLog, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
