import { appNames, createLogger, describeError, dockerInfo, InputError } from '@cc-ci/core';
import { abraVersion } from '../abra.js';
import { findBase } from '../base.js';
import { longestNamePart, MAIN_COMPOSE_FILE, readComposeFiles, versionLabel } from '../compose.js';
import { recipeFolder, runTool, type StageContext, updatePlan } from '../context.js';
import { checkNodeSpace } from '../disk.js';
import { StageFailure } from '../failure.js';
import { janitor } from '../janitor.js';
import { lintRecipe } from '../lint/index.js';
import { fetchRecipe } from '../recipe.js';
import { findChromium } from '../recipe-tests/browser.js';

/** Clears up after killed runs, fetches the recipe at the commit under test, reads it, and chooses the app's names. */
export async function prepare(context: StageContext): Promise<void> {
  const { stage, config, docker } = context;
  await stage.phase('janitor', true, async () => {
    const info = await dockerInfo(docker);
    if (info.Swarm.LocalNodeState !== 'active' || !info.Swarm.ControlAvailable) {
      throw new StageFailure('ci', 'this Docker engine is not a Swarm manager; run: docker swarm init');
    }
    // A browser that is missing should not be found out after a deployment.
    await findChromium(config.runner.chromium);
    await cleanUpAfterOthers(context);
    const tooFull = await checkNodeSpace(docker, config);
    if (tooFull[0]) throw new StageFailure('ci', tooFull[0], tooFull);
    await updatePlan(context, { tools: { docker: info.ServerVersion, abra: await abraVersion(context) } });
  });
  await stage.phase('fetch', true, () => fetchRecipe(context));
  await stage.phase('lint', true, async () => {
    await readRecipe(context);
    await lint(context);
  });
}

/** Lints the clean clone, before any overlay of ours. What is wrong is red, but what can be deployed still will be. */
async function lint(context: StageContext): Promise<void> {
  const findings = await lintRecipe({
    dir: recipeFolder(context),
    recipe: context.plan.request.recipe,
    run: (file, args, options) => runTool(context, file, args, { ...options, quiet: true }),
    signal: context.signal,
  });
  for (const finding of findings) await context.stage.finding(finding);
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new StageFailure(
    'recipe',
    `lint: ${first.message}${more}`,
    errors.map(({ rule, message, where }) => `${rule}: ${message}${where ? ` (${where})` : ''}`),
  );
}

async function cleanUpAfterOthers({ stage, config, docker }: StageContext): Promise<void> {
  const found = await janitor(docker, {
    stateDir: config.common.stateDir,
    zone: config.runner.zone,
    forgetSnapshots: config.runner.forgetSnapshots,
    logger: createLogger('janitor', config.common.logLevel),
  });
  if (found.reaped.length > 0) await stage.note(`cleaned up after killed runs: ${found.reaped.join(', ')}`);
  for (const { run, error } of found.failed)
    await stage.note(`could not clean up after run ${run}: ${error.split('\n')[0]}`);
  for (const { run, minutes } of found.held)
    await stage.note(`run ${run} has been at work for ${minutes} minutes; it was left alone`);
  for (const stack of found.orphans)
    stage.log(`stack ${stack} is of a run that has no folder; it was left alone`);
}

async function readRecipe(context: StageContext): Promise<void> {
  const { request } = context.plan;
  try {
    const files = await readComposeFiles(recipeFolder(context));
    const app = appNames(
      request.recipe,
      request.run,
      context.config.runner.zone,
      longestNamePart(files.values()),
    );
    const base = await findBase(context, versionLabel(files.get(MAIN_COMPOSE_FILE)));
    await updatePlan(context, { app, ...(base ? { base } : {}) });
    context.stage.log(
      `the app is ${app.domain}, stack ${app.stack}; upgrades begin at ${base?.version ?? 'nothing'}`,
    );
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const [headline = '', ...detail] = describeError(error).split('\n');
    throw new StageFailure('recipe', headline.replace(/:$/, ''), detail, error);
  }
}
