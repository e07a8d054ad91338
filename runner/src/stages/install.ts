import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailedError, envValues, writeJson } from '@cc-ci/core';
import { addLocalServer, deployCheckout, generateSecrets, newApp } from '../abra.js';
import { runGenericChecks } from '../checks.js';
import { MAIN_COMPOSE_FILE, parseCompose } from '../compose.js';
import {
  addSecrets,
  appEnvFile,
  recipeFolder,
  requireApp,
  type StageContext,
  updatePlan,
} from '../context.js';
import { waitConverged } from '../converge.js';
import { lastLines, StageFailure } from '../failure.js';
import { hostHasIpvs, OVERLAY_FILE, overlayFor, writeOverlay } from '../overlay.js';
import { checkout } from '../recipe.js';
import { type AppFacts, appFile } from '../recipe-tests/app-file.js';
import { findTests, runBrowserTests, runMocha } from '../recipe-tests/run-tests.js';

/** Deploys the commit under test from nothing, waits until it is healthy, and tests it over HTTPS and in a browser. */
export async function install(context: StageContext): Promise<void> {
  const { stage, config, docker, signal } = context;
  await stage.phase('secrets', true, async () => {
    await createApp(context);
    await addSecrets(context, await generateSecrets(context));
  });
  await stage.phase('deploy', false, () => deploy(context));
  await stage.phase('converge', false, () =>
    waitConverged(docker, requireApp(context).stack, {
      timeoutMs: config.runner.deployTimeout * 1000,
      signal,
      onChange: (text) => stage.log(text),
    }),
  );
  await stage.phase('tests', false, () => runTests(context));
}

async function createApp(context: StageContext): Promise<void> {
  await addLocalServer(context);
  await newApp(context);
  const { domain } = requireApp(context);
  const envFile = appEnvFile(context);
  // The last assignment wins. No certificate resolver: the wildcard certificate of the edge is served.
  await appendFile(
    envFile,
    `\n# cc-ci\nDOMAIN=${domain}\nLETS_ENCRYPT_ENV=\nTIMEOUT=${context.config.runner.deployTimeout}\n`,
  );
}

/** Puts the tree at the commit under test, adds the overlay this host needs, and deploys. */
async function deploy(context: StageContext): Promise<void> {
  const dir = recipeFolder(context);
  const envFile = appEnvFile(context);
  await checkout(context);
  const listed = envValues(await readFile(envFile, 'utf8')).COMPOSE_FILE || MAIN_COMPOSE_FILE;
  const names = listed.split(':').filter((name) => name && name !== OVERLAY_FILE);
  const files = await Promise.all(names.map((name) => readComposeFile(dir, name)));
  const overlay = overlayFor(files, await hostHasIpvs());
  if (overlay) {
    await writeOverlay(dir, overlay.text);
    await appendFile(envFile, `COMPOSE_FILE="${[...names, OVERLAY_FILE].join(':')}"\n`);
    await updatePlan(context, { overlays: [{ file: OVERLAY_FILE, why: overlay.why }] });
    context.stage.log(`overlay: ${overlay.why}`);
  }
  try {
    await deployCheckout(context);
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    throw new StageFailure(
      'recipe',
      `abra app deploy failed: ${fatalLine(error.trace.output)}`,
      lastLines(error.trace.output),
      error,
    );
  }
}

async function readComposeFile(dir: string, name: string) {
  try {
    return parseCompose(name, await readFile(join(dir, name), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new StageFailure(
      'recipe',
      `COMPOSE_FILE names ${name}, which this version of the recipe does not have`,
      [],
      error,
    );
  }
}

/** What abra says it died of, or its last line. */
function fatalLine(output: string): string {
  const lines = lastLines(output);
  const fatal = lines.findLast((line) => /\bFATA\b/.test(line));
  return (fatal ?? lines.at(-1) ?? 'no output').replace(/^.*?\bFATA\b\s*/, '');
}

async function runTests(context: StageContext): Promise<void> {
  const facts = await writeAppFacts(context);
  await runGenericChecks(context, facts);
  const { mocha, specs } = await findTests(context, 'install');
  if (!mocha && !specs)
    await context.stage.note(`no tests of ours for ${facts.recipe}; only the generic checks were run`);
  const failures: StageFailure[] = [];
  if (mocha) await runMocha(context, [mocha], { source: 'cc-ci' }).catch(collect(failures));
  await runBrowserTests(context, facts, specs, { source: 'cc-ci', generic: true }).catch(collect(failures));
  if (failures[0]) throw failures[0];
}

/** The browser still looks after a test failed: its picture often shows why. */
function collect(failures: StageFailure[]) {
  return (error: unknown) => {
    if (!(error instanceof StageFailure)) throw error;
    failures.push(error);
  };
}

async function writeAppFacts(context: StageContext): Promise<AppFacts> {
  const { domain, stack } = requireApp(context);
  const { edgeAddress, edgeCaFile } = context.config.runner;
  const facts: AppFacts = {
    recipe: context.plan.request.recipe,
    url: `https://${domain}`,
    domain,
    stack,
    env: envValues(await readFile(appEnvFile(context), 'utf8')),
    secrets: Object.fromEntries(context.secrets),
    edge: {
      ...(edgeAddress ? { address: edgeAddress } : {}),
      ...(edgeCaFile ? { ca: await readFile(edgeCaFile, 'utf8') } : {}),
    },
  };
  await writeJson(appFile(context.dir), facts, 0o600);
  return facts;
}
