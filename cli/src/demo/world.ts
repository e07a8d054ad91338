import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger } from '@cc-ci/core';
import { type EngineReader, openEngineReader } from '@cc-ci/engine';
import {
  ABRA_EXECUTABLE,
  addUser,
  createForge,
  createOrganisation,
  createRecipeRepository,
  FORGET_SNAPSHOTS_EXECUTABLE,
  type Forge,
  makeWildcardCertificate,
  type Organisation,
  publishRecipe,
  type RecipeRepository,
  startEdge,
  startForge,
} from '@cc-ci/sandbox';
import { writePeople } from './people.js';
import { freePort, type Service, startService } from './services.js';

const ORG = 'coop-cloud';
const ZONE = 'ci.test';

/** The whole of cc-ci on one machine: sandbox forge and edge in this process, bridge and dashboard in their own. */
export interface World {
  forge: Forge;
  org: Organisation;
  recipes: Map<string, RecipeRepository>;
  stateDir: string;
  dashboardUrl: string;
  engine: EngineReader;
  /**
   * Starts the bridge (again). It is started once already. Without `withParent` its builds outlive it, as on a server.
   */
  startBridge(options?: { withParent?: boolean }): Promise<Service>;
  bridge: Service;
  /** Ends everything, the last started first; a build that runs is torn down. */
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** Folder for everything; emptied first. */
  dir: string;
  /** Folder of recipe tests. */
  testsDir: string;
  /** Sample recipes to publish in the organisation. Their images must be there. */
  recipes: readonly string[];
  signal: AbortSignal;
  /** Told what was started. */
  step: (text: string) => void;
  maxTests?: number;
}

/** Starts everything. When a part does not come up, those before it are stopped again. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { dir, signal, step } = options;
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (let action = undo.pop(); action; action = undo.pop()) {
      await action().catch((error: unknown) => step(`while stopping: ${error}`));
    }
  };
  try {
    const stateDir = join(dir, 'state');
    await rm(dir, { recursive: true, force: true });
    await mkdir(stateDir, { recursive: true });

    const forge = createForge({ dataDir: join(dir, 'forge') });
    const admin = { login: 'root', password: randomBytes(12).toString('base64url') };
    await addUser(forge, { ...admin, admin: true });
    const forgeServer = await startForge(forge, { host: '127.0.0.1', port: await freePort(8092) });
    undo.push(() => forgeServer.close());
    step(`forge: ${forgeServer.url}`);

    const certificate = await makeWildcardCertificate(join(dir, 'certificate'), ZONE);
    const logger = createLogger('sandbox', 'warn');
    const edge = await startEdge({ host: '127.0.0.1', httpPort: 0, httpsPort: 0, ...certificate, logger });
    undo.push(() => edge.close());
    step(`edge: *.${ZONE} on 127.0.0.1:${edge.httpsPort}`);

    const org = await createOrganisation(forgeServer.url, admin, ORG);
    const recipes = new Map<string, RecipeRepository>();
    for (const recipe of options.recipes) {
      const local = await createRecipeRepository(recipe, join(dir, 'recipes', recipe));
      await publishRecipe(org, recipe, local.dir);
      recipes.set(recipe, local);
    }

    await writePeople(dir, org);
    const tokenFile = join(dir, 'bot-token');
    await writeFile(tokenFile, org.bot.token, { mode: 0o600 });
    const dashboardPort = await freePort(8091);
    const bridgePort = await freePort(8090);
    const dashboardUrl = `http://127.0.0.1:${dashboardPort}`;
    // All that tells cc-ci that this is a sandbox: where things are.
    const env = {
      ...process.env,
      CC_CI_STATE_DIR: stateDir,
      CC_CI_PUBLIC_URL: dashboardUrl,
      CC_CI_ZONE: ZONE,
      CC_CI_EDGE_ADDRESS: `127.0.0.1:${edge.httpsPort}`,
      CC_CI_EDGE_CA_FILE: certificate.caFile,
      CC_CI_TESTS_DIR: options.testsDir,
      CC_CI_ABRA: ABRA_EXECUTABLE,
      CC_CI_FORGET_SNAPSHOTS: FORGET_SNAPSHOTS_EXECUTABLE,
      ABRA_STANDIN_BACKUPS: join(dir, 'backups'),
      CC_CI_DEPLOY_TIMEOUT: '120',
      MAX_TESTS: String(options.maxTests ?? 1),
      CC_CI_FORGE_URL: forgeServer.url,
      CC_CI_FORGE_TOKEN_FILE: tokenFile,
      CC_CI_ORG: ORG,
      CC_CI_POLL_INTERVAL: '1',
      CC_CI_BRIDGE_LISTEN: `127.0.0.1:${bridgePort}`,
      CC_CI_DASHBOARD_LISTEN: `127.0.0.1:${dashboardPort}`,
    };
    const service = async (name: string, args: readonly string[], health: string, withParent = true) => {
      const logFile = join(dir, `${name}.log`);
      const started = await startService(args, { env, logFile, health, signal, withParent });
      undo.push(() => started.stop());
      return started;
    };
    await service('dashboard', ['dashboard', 'serve'], `${dashboardUrl}/healthz`);
    step(`dashboard: ${dashboardUrl}`);
    const startBridge = ({ withParent = true } = {}) =>
      service('bridge', ['bridge'], `http://127.0.0.1:${bridgePort}/readyz`, withParent);
    const bridge = await startBridge();
    step(`bridge: watching ${ORG} on the forge`);

    const engine = openEngineReader(stateDir);
    undo.push(async () => engine.close());
    return { forge, org, recipes, stateDir, dashboardUrl, engine, startBridge, bridge, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
