import { writeAppFacts } from '../app-facts.js';
import { runGenericChecks, testUp } from '../checks.js';
import { type StageContext, updatePlan } from '../context.js';
import { seedData, verifyData } from '../data.js';
import { commitOf, deploy, deployFresh, upgradeApp } from '../deployment.js';
import { StageFailure, StageSkip } from '../failure.js';
import { type LoadedRecipe, loadRecipe } from '../recipe-tests/hooks.js';
import { runStageTests } from '../recipe-tests/stage-tests.js';
import { awaitAnswer } from '../route.js';
import { requireWanted } from './skip.js';

/**
 * What people go through who run the published version: deploy that, put data in, deploy the commit under test over it,
 * and look whether the deployment has moved and the data are there.
 */
export async function upgrade(context: StageContext): Promise<void> {
  const recipe = await loadRecipe(context);
  const { settings } = recipe;
  requireWanted(recipe, 'upgrade');
  const { base } = context.plan;
  if (!base) {
    throw new StageSkip(
      'structural-skip',
      'there is no published version older than this commit to upgrade from',
    );
  }
  context.stage.log(`upgrading from ${base.version} (${base.commit.slice(0, 8)})`);
  await deployBase(context, recipe);
  await seedData(context, recipe);
  try {
    await upgradeApp(context, settings);
    await deploy(context, settings, 'head');
    await testUp(context, () => lookAtUpgrade(context, recipe));
  } catch (error) {
    await distrust(context);
    throw error;
  }
}

async function lookAtUpgrade(context: StageContext, recipe: LoadedRecipe): Promise<void> {
  const { settings } = recipe;
  const facts = await writeAppFacts(context);
  await context.stage.phase('tests', false, () =>
    runGenericChecks(context, facts, settings, commitOf(context, 'head')),
  );
  await verifyData(context, recipe, 'after the upgrade');
  await runStageTests(context, settings, 'upgrade');
}

/** What a failed upgrade leaves is nothing to build on: the next stage begins with a deployment of its own. */
async function distrust(context: StageContext): Promise<void> {
  const { deployment } = context.plan;
  if (deployment) await updatePlan(context, { deployment: { ...deployment, healthy: false } });
}

/** @throws StageSkip when the published version does not come up: that says nothing of the change */
async function deployBase(context: StageContext, { settings }: LoadedRecipe): Promise<void> {
  try {
    await deployFresh(context, settings, 'base');
    await context.stage.phase('converge', false, () => awaitAnswer(context));
  } catch (error) {
    if (!(error instanceof StageFailure) || error.blame !== 'recipe') throw error;
    throw new StageSkip(
      'base-broken',
      `the published version ${context.plan.base?.version} does not come up by itself: ${error.message}`,
      error.evidence,
    );
  }
}
