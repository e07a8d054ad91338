import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listServices } from '@cc-ci/core';
import { createBackup, downloadBackup, restoreBackup } from '../abra-backup.js';
import { artefactProblems } from '../artefact.js';
import { backedUpVolumes, takesPart } from '../backup-labels.js';
import { requireApp, runTool, type StageContext, updatePlan } from '../context.js';
import { MARKER, mutateData, seedData, verifyData } from '../data.js';
import { awaitUp, deployFresh, ensureHead } from '../deployment.js';
import { StageFailure, StageSkip } from '../failure.js';
import { type LoadedRecipe, loadRecipe } from '../recipe-tests/hooks.js';
import { runStageTests } from '../recipe-tests/stage-tests.js';
import { awaitAnswer } from '../route.js';
import { volumeMounts } from '../volumes.js';
import { requireWanted } from './skip.js';

/** A dump can be cut short by a database that restarts at the wrong moment; a backup that fails thrice is broken. */
const TRIES = 3;

/**
 * Backs up, looks into what was saved, changes the data and restores exactly that snapshot; then restores it once more
 * onto a deployment without any data, as after the loss of a server.
 */
export async function backup(context: StageContext): Promise<void> {
  const recipe = await loadRecipe(context);
  const { settings } = recipe;
  requireWanted(recipe, 'backup');
  await ensureHead(context, settings);
  await requireLabels(context);
  if (!context.plan.deployment?.seeded) await seedData(context, recipe);
  const snapshot = await context.stage.phase('backup', false, () => verifiedBackup(context));
  await mutateData(context, recipe);
  await restoreAndVerify(context, recipe, snapshot, 'after the restore');
  await deployFresh(context, settings, 'head');
  await restoreAndVerify(context, recipe, snapshot, 'after the restore onto a clean deployment');
}

/** @throws StageSkip when nothing of what is deployed asks for backups */
async function requireLabels(context: StageContext): Promise<void> {
  if (takesPart(await listServices(context.docker, requireApp(context).stack))) return;
  throw new StageSkip('structural-skip', 'no deployed service has the label backupbot.backup=true');
}

/** @returns the id of a snapshot that was looked into and found whole */
async function verifiedBackup(context: StageContext): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const started = performance.now();
    const { id, hookErrors } = await createBackup(context);
    await updatePlan(context, { snapshots: [...context.plan.snapshots, id] });
    const problems = [...hookErrors, ...(await problemsOf(context, id))];
    if (problems.length > 0) {
      await context.stage.note(`backup ${attempt} of at most ${TRIES} is not whole: ${problems.join('; ')}`);
      if (attempt < TRIES) continue;
    }
    await context.stage.test({
      source: 'generic',
      suite: 'data',
      title: 'the backup holds what its labels choose, whole',
      state: problems.length > 0 ? 'failed' : 'passed',
      durationMs: performance.now() - started,
      ...(problems.length > 0 ? { message: problems.join('; ') } : {}),
    });
    if (problems.length > 0)
      throw new StageFailure('recipe', `the backup is not whole: ${problems[0]}`, problems);
    return id;
  }
}

async function problemsOf(context: StageContext, snapshot: string): Promise<string[]> {
  const { stack } = requireApp(context);
  const dir = join(context.dir, 'snapshot');
  await rm(dir, { recursive: true, force: true });
  try {
    const archive = await downloadBackup(context, snapshot, dir);
    await runTool(context, 'tar', ['--extract', '--no-same-owner', '--file', archive, '--directory', dir], {
      timeoutMs: 300_000,
    });
    await rm(archive);
    const volumes = (await volumeMounts(context.docker, stack)).map(({ volume }) => volume);
    const services = await listServices(context.docker, stack);
    return await artefactProblems(dir, stack, backedUpVolumes(services, volumes), MARKER);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function restoreAndVerify(
  context: StageContext,
  recipe: LoadedRecipe,
  snapshot: string,
  when: string,
): Promise<void> {
  await context.stage.phase('restore', false, async () => {
    const hookErrors = await restoreBackup(context, snapshot);
    if (hookErrors[0])
      throw new StageFailure('recipe', `a restore hook failed: ${hookErrors[0]}`, hookErrors);
    // A hook may restart what it has restored into.
    await awaitUp(context, recipe.settings);
    await awaitAnswer(context);
  });
  await verifyData(context, recipe, when, { backedUp: true });
  await runStageTests(context, recipe.settings, 'backup');
}
