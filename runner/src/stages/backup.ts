import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listServices } from '@cc-ci/core';
import { createBackup, downloadBackup, restoreBackup } from '../abra-backup.js';
import { writeAppFacts } from '../app-facts.js';
import { artefactProblems } from '../artefact.js';
import { backedUpVolumes, takesPart } from '../backup-labels.js';
import { requireApp, runTool, type StageContext, updatePlan } from '../context.js';
import { waitConverged } from '../converge.js';
import { MARKER, mutateData, seedData, verifyData } from '../data.js';
import { deployFresh, deployTimeout, ensureHead } from '../deployment.js';
import { StageFailure, StageSkip } from '../failure.js';
import { type LoadedRecipe, loadRecipe } from '../recipe-tests/hooks.js';
import { runStageTests } from '../recipe-tests/stage-tests.js';
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
  await writeAppFacts(context);
  const chosen = await requireLabels(context);
  if (!context.plan.deployment?.seeded) await seedData(context, recipe);
  const snapshot = await context.stage.phase('backup', false, () => verifiedBackup(context));
  await mutateData(context, recipe);
  await restoreAndVerify(context, recipe, snapshot, chosen, 'after the restore');
  await deployFresh(context, settings, 'head');
  await writeAppFacts(context);
  await restoreAndVerify(context, recipe, snapshot, chosen, 'after the restore onto a clean deployment');
}

/** Keys of the volumes that are backed up whole. @throws StageSkip when nothing of what is deployed asks for backups */
async function requireLabels(context: StageContext): Promise<Set<string>> {
  const { stack } = requireApp(context);
  const services = await listServices(context.docker, stack);
  if (!takesPart(services)) {
    throw new StageSkip('structural-skip', 'no deployed service has the label backupbot.backup=true');
  }
  const mounts = await volumeMounts(context.docker, stack);
  const wanted = backedUpVolumes(
    services,
    mounts.map(({ volume }) => volume),
  );
  return new Set(wanted.filter(({ paths }) => paths.length === 0).map(({ volume }) => volume));
}

/** @returns the id of a snapshot that was looked into and found whole */
async function verifiedBackup(context: StageContext): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { id, hookErrors } = await createBackup(context);
    await updatePlan(context, { snapshots: [...context.plan.snapshots, id] });
    const problems = [...hookErrors, ...(await problemsOf(context, id))];
    if (problems.length === 0) {
      context.stage.log(`snapshot ${id} holds what it should`);
      return id;
    }
    await context.stage.note(`backup ${attempt} of at most ${TRIES} is not whole: ${problems.join('; ')}`);
    if (attempt === TRIES)
      throw new StageFailure('recipe', `the backup is not whole: ${problems[0]}`, problems);
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
  wholeVolumes: ReadonlySet<string>,
  when: string,
): Promise<void> {
  const { stage, docker, signal } = context;
  await stage.phase('restore', false, async () => {
    const hookErrors = await restoreBackup(context, snapshot);
    if (hookErrors[0])
      throw new StageFailure('recipe', `a restore hook failed: ${hookErrors[0]}`, hookErrors);
    // A hook may restart what it has restored into.
    await waitConverged(docker, requireApp(context).stack, {
      timeoutMs: deployTimeout(context, recipe.settings) * 1000,
      signal,
      onChange: (text) => stage.log(text),
    });
  });
  await verifyData(context, recipe, when, ({ volume }) => wholeVolumes.has(volume));
  await runStageTests(context, 'backup');
}
