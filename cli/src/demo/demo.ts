import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CancelledError,
  CcCiError,
  connectDocker,
  createLogger,
  disconnectDocker,
  InputError,
  judge,
  readRun,
  runFolder,
  tryLock,
  type Verdict,
} from '@cc-ci/core';
import { openEngineReader } from '@cc-ci/engine';
import { leftoversOf } from '@cc-ci/runner';
import {
  ABRA_STANDIN,
  addUser,
  comment,
  createForge,
  createOrganisation,
  createRecipeRepository,
  ensureImages,
  makeWildcardCertificate,
  openPull,
  publishRecipe,
  startEdge,
  startForge,
} from '@cc-ci/sandbox';
import { followBuild, waitForBuild, waitForFinalComment } from './follow.js';
import { freePort, startService } from './services.js';

const ORG = 'coop-cloud';
const RECIPE = 'custom-html';
const ZONE = 'ci.test';

export interface DemoOptions {
  /** Folder of everything the demo writes; emptied at the start, the pages and records stay after it. */
  dir: string;
  /** The checkout: recipe tests are in its `tests/`. */
  root: string;
  /** Opens a pull request that must come out red. */
  broken: boolean;
  /** Leaves everything running until interrupted. */
  keep: boolean;
  signal: AbortSignal;
  print: (line: string) => void;
}

/**
 * The main job, whole, on this machine: sandbox forge and edge, bridge, engine and dashboard; a pull request; `!testme`;
 * the comment it comes to. Whatever way it ends, everything it started is gone after.
 * @returns whether the run came out as it must
 */
export async function demo(options: DemoOptions): Promise<boolean> {
  const lock = tryLock(`${options.dir}.lock`);
  if (!lock) throw new InputError(`a demo is running in ${options.dir}`, { hint: 'end it first (Ctrl-C)' });
  const undo: (() => Promise<unknown>)[] = [];
  const started = performance.now();
  const step = (text: string) => options.print(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  try {
    return await play(options, step, undo);
  } finally {
    if (undo.length > 0) step('stopping everything this demo started');
    for (const action of undo.reverse()) await action().catch((error: unknown) => step(`while stopping: ${error}`));
    lock.release();
  }
}

async function play(options: DemoOptions, step: (text: string) => void, undo: (() => Promise<unknown>)[]): Promise<boolean> {
  const { dir, signal } = options;
  const stateDir = join(dir, 'state');
  await rm(dir, { recursive: true, force: true });
  await mkdir(stateDir, { recursive: true });

  step('images: building what is missing');
  await ensureImages(['nginx'], { onProgress: (line) => step(`images: ${line}`), signal });

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
  const local = await createRecipeRepository(RECIPE, join(dir, 'recipes', RECIPE));
  await publishRecipe(org, RECIPE, local.dir);

  const dashboardPort = await freePort(8091);
  const bridgePort = await freePort(8090);
  const dashboardUrl = `http://127.0.0.1:${dashboardPort}`;
  const tokenFile = join(dir, 'bot-token');
  await writeFile(tokenFile, org.bot.token, { mode: 0o600 });
  const env = {
    ...process.env,
    CC_CI_STATE_DIR: stateDir,
    CC_CI_PUBLIC_URL: dashboardUrl,
    CC_CI_ZONE: ZONE,
    CC_CI_EDGE_ADDRESS: `127.0.0.1:${edge.httpsPort}`,
    CC_CI_EDGE_CA_FILE: certificate.caFile,
    CC_CI_TESTS_DIR: join(options.root, 'tests'),
    CC_CI_ABRA: ABRA_STANDIN,
    CC_CI_DEPLOY_TIMEOUT: '120',
    CC_CI_FORGE_URL: forgeServer.url,
    CC_CI_FORGE_TOKEN_FILE: tokenFile,
    CC_CI_ORG: ORG,
    CC_CI_POLL_INTERVAL: '1',
    CC_CI_BRIDGE_LISTEN: `127.0.0.1:${bridgePort}`,
    CC_CI_DASHBOARD_LISTEN: `127.0.0.1:${dashboardPort}`,
  };
  const dashboard = await startService(['dashboard', 'serve'], {
    env,
    logFile: join(dir, 'dashboard.log'),
    health: `${dashboardUrl}/healthz`,
    signal,
  });
  undo.push(() => dashboard.stop());
  const bridge = await startService(['bridge'], {
    env,
    logFile: join(dir, 'bridge.log'),
    health: `http://127.0.0.1:${bridgePort}/readyz`,
    signal,
  });
  undo.push(() => bridge.stop());
  step(`dashboard: ${dashboardUrl}`);
  step(`bridge: watching ${ORG} on the forge`);

  const branch = options.broken ? 'broken-change' : 'good-change';
  const pull = await openPull(org, RECIPE, local.dir, branch, options.broken ? 'Change that must not pass' : 'A good change');
  step(`pull request: ${pull.url}`);
  await comment(org.url, org.member, pull, '!testme');
  step(`${org.member.login} comments: !testme`);

  const engine = openEngineReader(stateDir);
  undo.push(async () => engine.close());
  const run = await waitForBuild(engine, pull, signal);
  step(`build ${run} started`);
  const state = await followBuild(engine, run, (line) => step(`  ${line}`), signal);
  step(`build ${run}: ${state}`);
  const body = await waitForFinalComment(org, pull, run, signal);
  const verdict = await verdictOf(stateDir, run);

  options.print(`\nThe comment on ${pull.url}:\n\n${body}\n`);
  options.print(`Dashboard: ${dashboardUrl}/runs/${run}/`);
  await mustBeClean(stateDir, run);
  if (options.keep) {
    step('everything is left running to be browsed; Ctrl-C ends it');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  } else options.print(`(it is gone when this ends: ./demo --keep leaves it running; the pages stay in ${join(stateDir, 'site')})`);
  return verdict === (options.broken ? 'red' : 'green');
}

async function verdictOf(stateDir: string, run: string): Promise<Verdict> {
  const record = await readRun(runFolder(stateDir, run));
  if (!record) throw new CcCiError(`run ${run} left no record`);
  return (record.summary?.outcome ?? judge(record.stages)).verdict;
}

/** The promise of every run: nothing of it is left on the node. */
async function mustBeClean(stateDir: string, run: string): Promise<void> {
  const record = await readRun(runFolder(stateDir, run));
  if (!record?.plan.app) return;
  const docker = connectDocker();
  const left = await leftoversOf(docker, record.plan.app.stack);
  await disconnectDocker(docker);
  if (left.length > 0) throw new CcCiError(`the run left on the node: ${left.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`);
}

/** The error of a demo that was interrupted, for which no message is needed. */
export function isInterruption(error: unknown): boolean {
  return error instanceof CancelledError || (error instanceof Error && error.name === 'AbortError');
}
