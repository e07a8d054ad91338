import { access, appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CommandFailedError,
  envLine,
  envValues,
  listSecrets,
  listServices,
  parseEnvFile,
  removeService,
} from '@cc-ci/core';
import { addLocalServer, deployCheckout, generateSecrets, insertSecret, newApp, undeploy } from './abra.js';
import { MAIN_COMPOSE_FILE } from './compose.js';
import {
  abraFolder,
  addSecrets,
  appEnvFile,
  forgetDeployment,
  recipeFolder,
  requireApp,
  type StageContext,
  updatePlan,
} from './context.js';
import { waitConverged } from './converge.js';
import { lastLines, StageFailure } from './failure.js';
import { pullImages } from './images.js';
import { hostHasIpvs, OVERLAY_FILE, overlayFor, writeOverlay } from './overlay.js';
import { checkout } from './recipe.js';
import type { AppFacts } from './recipe-tests/app-file.js';
import type { RecipeSettings } from './recipe-tests/settings.js';
import { removeApp } from './remove-app.js';
import { type RenderedApp, renderApp } from './rendered.js';
import { awaitAnswer } from './route.js';
import { blameFor } from './signals.js';

/** Which commit of the recipe is meant: the one under test, or the published version people upgrade from. */
export type Which = 'head' | 'base';

/** The commit id. @throws Error when there is no base: a stage that needs one has to see to that first */
export function commitOf({ plan }: StageContext, which: Which): string {
  if (which === 'head') return plan.request.ref;
  if (!plan.base) throw new Error('this run has no published version to upgrade from');
  return plan.base.commit;
}

const REMOVE_TIMEOUT_MS = 180_000;

/**
 * Makes the app as an operator would who begins with this version: env file from its sample, settings of the recipe's
 * test folder, secrets. Secrets that are there already stay, so that every deployment of a run has the same ones.
 */
export async function createApp(
  context: StageContext,
  settings: RecipeSettings,
  which: Which,
): Promise<void> {
  await context.stage.phase('secrets', true, async () => {
    await checkout(context, commitOf(context, which));
    const server = join(abraFolder(context.dir), 'servers', context.config.runner.abraServer);
    if (!(await exists(server))) await addLocalServer(context);
    await rm(appEnvFile(context), { force: true });
    await newApp(context);
    await appendEnv(context, {
      DOMAIN: requireApp(context).domain,
      // No certificate resolver: the wildcard certificate of the edge is served.
      LETS_ENCRYPT_ENV: '',
      TIMEOUT: String(deployTimeout(context, settings)),
      ...settings.env,
      ...(which === 'head' ? settings.envAfterUpgrade : {}),
    });
    await makeSecrets(context, settings);
  });
}

/**
 * Prepares the app of the published version for the commit under test, as an operator who upgrades: keys that are new
 * in the commit's sample are added with the values they have there, new secrets are generated, all else stays.
 */
export async function upgradeApp(context: StageContext, settings: RecipeSettings): Promise<void> {
  await context.stage.phase('secrets', true, async () => {
    await checkoutWithOverlay(context, 'head');
    const known = envValues(await readFile(appEnvFile(context), 'utf8'));
    const sample = parseEnvFile(await readFile(join(recipeFolder(context), '.env.sample'), 'utf8'));
    const added = [...sample].filter(([name]) => !(name in known));
    if (added.length > 0) {
      await context.stage.note(
        `new in .env.sample, added for the upgrade: ${added.map(([name]) => name).join(', ')}`,
      );
      // With their comments: abra reads there how a secret is to be made.
      const lines = added.map(
        ([name, { value, comment }]) => `${envLine(name, value)}${comment ? ` # ${comment}` : ''}`,
      );
      await appendFile(appEnvFile(context), `${lines.join('\n')}\n`);
    }
    await appendEnv(context, settings.envAfterUpgrade);
    await makeSecrets(context, settings);
  });
}

async function appendEnv(context: StageContext, values: Record<string, string>): Promise<void> {
  // The last assignment wins.
  const lines = Object.entries(values).map(([name, value]) => `${envLine(name, value)}\n`);
  await appendFile(appEnvFile(context), `\n${lines.join('')}`);
}

async function makeSecrets(context: StageContext, settings: RecipeSettings): Promise<void> {
  const fixtures = Object.entries(settings.secrets);
  await addSecrets(context, await generateSecrets(context, new Set(Object.keys(settings.secrets))));
  if (fixtures.length === 0) return;
  const { stack } = requireApp(context);
  const { secrets } = await renderApp(context);
  const there = new Set((await listSecrets(context.docker, `${stack}_`)).map(({ name }) => name));
  await addSecrets(context, fixtures);
  for (const [key, value] of fixtures) {
    const name = secrets.get(key);
    if (!name) {
      throw new StageFailure(
        'tests',
        `recipe.ts gives a value for the secret ${key}, which the compose files do not have`,
      );
    }
    if (there.has(name)) continue;
    const file = join(context.dir, `fixture-${key.replace(/[^A-Za-z0-9_-]/g, '_')}`);
    try {
      await writeFile(file, value, { mode: 0o600 });
      await insertSecret(context, key, name.slice(`${stack}_${key}_`.length), file);
    } finally {
      await rm(file, { force: true });
    }
  }
}

/** Deploys a commit of the recipe over whatever is deployed, and waits until it is up. The app's env file must be there. */
export async function deploy(context: StageContext, settings: RecipeSettings, which: Which): Promise<void> {
  const { stage, docker, signal } = context;
  const commit = commitOf(context, which);
  await updatePlan(context, {
    deployment: { commit, healthy: false, seeded: context.plan.deployment?.seeded ?? false },
  });
  const rendered = await checkoutWithOverlay(context, which);
  await stage.phase('pull', false, () =>
    pullImages(docker, [...new Set(rendered.images.values())], {
      signal,
      timeoutMs: deployTimeout(context, settings) * 1000,
      log: (line) => stage.log(line),
    }),
  );
  await stage.phase('deploy', false, async () => {
    await applyCheckout(context);
    await removeDropped(context, rendered);
  });
  const notes = await stage.phase('converge', false, () => awaitUp(context, settings));
  for (const note of notes) await stage.note(note);
  await updatePlan(context, {
    deployment: { commit, healthy: true, seeded: context.plan.deployment?.seeded ?? false },
  });
}

/**
 * Waits until all of the app is up.
 * @returns what a person should know although it is
 * @throws StageFailure like `waitConverged`
 */
export async function awaitUp(context: StageContext, settings: RecipeSettings): Promise<string[]> {
  const { docker, signal, stage } = context;
  const { notes, since } = await waitConverged(docker, requireApp(context).stack, {
    timeoutMs: deployTimeout(context, settings) * 1000,
    signal,
    onChange: (text) => stage.log(text),
  });
  context.upSince = since;
  return notes;
}

/** Seconds a deployment may take to become healthy. */
export function deployTimeout(context: StageContext, settings: RecipeSettings): number {
  return settings.timeouts.deploy ?? context.config.runner.deployTimeout;
}

/**
 * Puts the tree at a commit and lays the overlay over it that this host needs. Right before whatever reads the tree:
 * `abra app new` and other commands move it.
 */
async function checkoutWithOverlay(context: StageContext, which: Which): Promise<RenderedApp> {
  await checkout(context, commitOf(context, which));
  const rendered = await renderApp(context);
  const overlay = overlayFor(rendered.files, await hostHasIpvs());
  const names = overlay ? [...rendered.names, OVERLAY_FILE] : rendered.names;
  if (overlay) await writeOverlay(recipeFolder(context), overlay.text);
  const wanted = names.join(':');
  if ((rendered.listed || MAIN_COMPOSE_FILE) !== wanted) await appendEnv(context, { COMPOSE_FILE: wanted });
  const overlays = overlay ? [{ file: OVERLAY_FILE, why: overlay.why }] : [];
  await updatePlan(context, { overlays });
  return rendered;
}

async function applyCheckout(context: StageContext): Promise<void> {
  try {
    await deployCheckout(context);
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    const lines = lastLines(error.trace.output);
    throw new StageFailure(
      blameFor(lines, 'recipe'),
      `abra app deploy failed: ${fatalLine(lines)}`,
      lines,
      error,
    );
  }
}

/** What abra says it died of, or its last line. */
function fatalLine(lines: readonly string[]): string {
  const fatal = lines.findLast((line) => /\bFATA\b/.test(line));
  return (fatal ?? lines.at(-1) ?? 'no output').replace(/^.*?\bFATA\b\s*/, '');
}

/** `docker stack deploy`, which abra does without pruning, leaves services running that a new version has dropped. */
async function removeDropped(context: StageContext, { images }: RenderedApp): Promise<void> {
  const { stack } = requireApp(context);
  for (const { ID, Spec } of await listServices(context.docker, stack)) {
    const name = Spec.Name.slice(stack.length + 1);
    if (images.has(name)) continue;
    await removeService(context.docker, ID);
    await context.stage.note(
      `service ${name} is no longer in the recipe; Swarm would have left it running, so it was removed (operators have to do that, too)`,
    );
  }
}

/** Removes the app with its data from the node, and waits until it is gone; its secrets stay for the next deployment. */
export async function clean(context: StageContext): Promise<void> {
  const { stack } = requireApp(context);
  await context.stage.phase('clean', true, async () => {
    await undeploy(context, context.signal);
    await removeApp(context.docker, stack, REMOVE_TIMEOUT_MS, { keep: ['secret'] });
    await forgetDeployment(context);
  });
}

/** Deploys a version from nothing: no data, the same secrets. */
export async function deployFresh(
  context: StageContext,
  settings: RecipeSettings,
  which: Which,
): Promise<void> {
  if (context.plan.deployment) await clean(context);
  await createApp(context, settings, which);
  await deploy(context, settings, which);
}

/**
 * Sees to it that the commit under test is deployed, healthy and answers, from nothing where it is not deployed.
 * @returns what hooks and tests may know of it
 */
export async function ensureHead(context: StageContext, settings: RecipeSettings): Promise<AppFacts> {
  const { deployment } = context.plan;
  if (!deployment?.healthy || deployment.commit !== commitOf(context, 'head'))
    await deployFresh(context, settings, 'head');
  return context.stage.phase('converge', false, () => awaitAnswer(context));
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
