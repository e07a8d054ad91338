import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CcCiError, envValues, InputError, readAbraSh, readFileIfAny } from '@cc-ci/core';
import { type App, pinVersion } from './app.js';
import { type Compose, composeFileNames, locateComplaint, readCompose } from './compose.js';
import type { Abra } from './context.js';
import { waitConverged } from './converge.js';
import { appLabel, requireDeployed } from './deployed.js';
import { dockerClient } from './docker-client.js';
import { requireLinted } from './lint.js';
import { overlays, type Target, targetLabels } from './overlay.js';
import { requireSecrets } from './secrets.js';

const DEFAULT_TIMEOUT_SECONDS = 300;
const STACK_DEPLOY_TIMEOUT_MS = 300_000;

/**
 * Brings what is checked out to the Swarm as this app, waits until it is up (unless told not to), and writes the
 * version into the app's env file.
 * @throws InputError before anything is changed: broken lint rules (not with chaos), missing secrets or compose files
 * @throws CcCiError in Docker's words when it refuses, `deploy failed` and `deploy timed out` when it does not come up
 */
export async function deployTree(
  abra: Abra,
  app: App,
  target: Target,
  options: { converge: boolean },
): Promise<void> {
  const compose = await readCompose(app.folder, app.env);
  if (!target.chaos) await requireLinted(abra, app, compose);
  if (!compose.services.has('app')) throw new InputError(`${app.recipe} has no service called "app"`);
  await requireSecrets(abra, app, compose);
  const { exports } = await readAbraSh(app.folder);
  const env = { ...app.env, ...exports };
  await warn(abra, app);
  await stackDeploy(abra, app, compose, env, targetLabels(app.stack, app.recipe, target));
  if (options.converge) {
    const names = [...compose.services.keys()].map((name) => `${app.stack}_${name}`);
    await waitConverged(abra, app.stack, names, await timeoutOf(abra, app));
    abra.log.info('deploy succeeded');
  }
  await pinVersion(app, target.version);
}

async function warn(abra: Abra, app: App): Promise<void> {
  for (const key of await missingKeys(app)) abra.log.warn(`${key} missing from ${app.name}.env`);
  for (const key of ['POST_DEPLOY_CMDS', 'POST_UPGRADE_CMDS', 'POST_UNDEPLOY_CMDS']) {
    if (app.env[key]) abra.log.warn(`${key} is set, but this stand-in does not run it`);
  }
}

/** The keys of the recipe's `.env.sample` that the app's env file does not have. */
export async function missingKeys(app: App): Promise<string[]> {
  const sample = envValues((await readFileIfAny(join(app.folder, '.env.sample'))) ?? '');
  return Object.keys(sample).filter((key) => !app.entries.has(key));
}

/** Variables of the Docker client itself, and the mark by which a supervisor finds every process of a run. */
const CLIENT_VARIABLES = /^(?:PATH|HOME|DOCKER_\w+|CC_CI_RUN)$/;

/**
 * The client's environment: the app's variables, which it puts into the compose files, and only what it needs for
 * itself besides; nothing of ours may leak into a recipe.
 */
export function clientEnvironment(
  appEnv: Readonly<Record<string, string>>,
  own: NodeJS.ProcessEnv,
): { env: NodeJS.ProcessEnv; hidden: string[] } {
  const needed = Object.entries(own).filter(([name]) => CLIENT_VARIABLES.test(name));
  const hidden = needed.filter(([name, value]) => (appEnv[name] ?? value) !== value).map(([name]) => name);
  return { env: { ...appEnv, ...Object.fromEntries(needed) }, hidden };
}

/**
 * The flag by which a deploy does not wait for tasks, which we do ourselves: clients before 26 lack it, later ones
 * mean to change what happens without it.
 */
async function detachFlag(abra: Abra): Promise<string[]> {
  const { stdout } = await dockerClient(abra, ['stack', 'deploy', '--help']);
  return stdout.includes('--detach') ? ['--detach=true'] : [];
}

/**
 * `docker stack deploy` over the recipe's files and what abra adds, with clients from 20.10 on.
 * `--resolve-image never`, unlike abra: the images of a sandbox are in no registry, and asking one for each of them
 * takes long where there is no way out.
 */
async function stackDeploy(
  abra: Abra,
  app: App,
  compose: Compose,
  appEnv: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const { env, hidden } = clientEnvironment(appEnv, abra.env);
  for (const name of hidden) {
    abra.log.warn(`${name} of ${app.name}.env is not seen by compose files: it is the Docker client's own`);
  }
  const { before, after } = overlays(compose.sources[0]?.data.version, appEnv, labels);
  const folder = await mkdtemp(join(tmpdir(), 'abra-'));
  try {
    const labelsFile = join(folder, 'labels.json');
    await writeFile(labelsFile, after);
    // The first file decides where relative paths begin; for stdin that is the working folder.
    const files = ['-', ...composeFileNames(app.env), labelsFile].flatMap((file) => ['--compose-file', file]);
    const flags = ['--resolve-image', 'never', ...(await detachFlag(abra))];
    await dockerClient(abra, ['stack', 'deploy', ...flags, ...files, app.stack], {
      cwd: app.folder,
      env,
      input: before,
      timeoutMs: STACK_DEPLOY_TIMEOUT_MS,
    });
  } catch (error) {
    if (!(error instanceof CcCiError)) throw error;
    throw new CcCiError(locateComplaint(error.message, compose.sources), { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds that the app may take to come up: its `timeout` label. */
async function timeoutOf(abra: Abra, app: App): Promise<number> {
  const { services } = await requireDeployed(abra, app);
  const label = appLabel(app.stack, 'timeout');
  const value = services.map(({ Spec }) => Spec.Labels[label]).find((text) => text !== undefined);
  if (value === undefined || value === '') return DEFAULT_TIMEOUT_SECONDS;
  if (!/^\d+$/.test(value)) throw new InputError(`label ${label}=${value} is not a number of seconds`);
  return Number(value);
}
