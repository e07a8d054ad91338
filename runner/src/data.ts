import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfAny } from '@cc-ci/core';
import { requireApp, runTool, type StageContext, updatePlan } from './context.js';
import { StageFailure } from './failure.js';
import { HookError, type LoadedRecipe, runHook } from './recipe-tests/hooks.js';
import type { HookName } from './recipe-tests/settings.js';
import { type DataFolder, dataFolders } from './volumes.js';

/** A file of ours in every volume: what every recipe's data are checked with, without writing a line. */
export const MARKER = '.cc-ci-marker';
const CHANGED = 'changed after the backup\n';

/** The marker's text; the same through all stages of a run. */
async function markerText(context: StageContext): Promise<string> {
  const file = join(context.dir, 'marker');
  const known = await readFileIfAny(file);
  if (known) return known;
  const text = `cc-ci ${context.plan.request.run} ${randomBytes(8).toString('hex')}\n`;
  await writeFile(file, text);
  return text;
}

/**
 * Puts data into the app: the recipe's own by its `seed` hook, and a marker file into every volume.
 * @throws StageFailure when the hook fails
 */
export async function seedData(context: StageContext, recipe: LoadedRecipe): Promise<void> {
  await context.stage.phase('seed', false, async () => {
    await hook(context, recipe, 'seed', { record: true });
    await writeMarkers(context, await markerText(context));
    const { deployment } = context.plan;
    if (deployment) await updatePlan(context, { deployment: { ...deployment, seeded: true } });
  });
}

/**
 * Looks for the data that `seedData` put in, and records what it finds as tests.
 * @param when ends the tests' titles: "after the upgrade"
 * @param options.backedUp look only into what a backup holds
 * @throws StageFailure blaming the recipe when something is missing
 */
export async function verifyData(
  context: StageContext,
  recipe: LoadedRecipe,
  when: string,
  options: { backedUp?: boolean } = {},
): Promise<void> {
  await context.stage.phase('verify', false, async () => {
    const all = await dataFolders(context.docker, requireApp(context).stack);
    const folders = options.backedUp ? all.filter((it) => it.isBackedUp) : all;
    const missing = await withoutMarker(context, folders);
    if (folders.length > 0) {
      await context.stage.test({
        source: 'generic',
        suite: 'data',
        title: `files in the volumes are there ${when}`,
        state: missing.length > 0 ? 'failed' : 'passed',
        durationMs: 0,
        ...(missing.length > 0 ? { message: `gone or changed in ${missing.join(', ')}` } : {}),
      });
    } else if (!recipe.hooks.includes('verify')) {
      await context.stage.note(
        `nothing could be looked for ${when}: no volume to put a file in, and no verify hook in recipe.ts`,
      );
    }
    await hook(context, recipe, 'verify', { record: true, title: `verify ${when}` });
    if (missing.length > 0) {
      throw new StageFailure(
        'recipe',
        `data were lost: a file in ${missing.join(', ')} is gone or changed ${when}`,
      );
    }
  });
}

/**
 * Changes the data, so that a restore has something to bring back, and makes sure that `verify` would notice.
 * @throws StageFailure blaming the tests when `verify` does not notice: it could never fail
 */
export async function mutateData(context: StageContext, recipe: LoadedRecipe): Promise<void> {
  await context.stage.phase('mutate', false, async () => {
    await hook(context, recipe, 'mutate', { record: true });
    await writeMarkers(context, CHANGED);
    if (!recipe.hooks.includes('verify')) return;
    if (await verifies(context, recipe)) {
      throw new StageFailure(
        'tests',
        'recipe.ts: verify still passes after mutate, so it cannot tell whether a restore worked; let it look for exactly what seed put in and mutate changes',
      );
    }
  });
}

async function verifies(context: StageContext, recipe: LoadedRecipe): Promise<boolean> {
  try {
    await runHook(context, recipe, 'verify');
    return true;
  } catch (error) {
    if (error instanceof HookError && error.thrown) return false;
    throw error;
  }
}

async function hook(
  context: StageContext,
  recipe: LoadedRecipe,
  name: HookName,
  options: { record: true; title?: string },
): Promise<void> {
  if (recipe.hooks.includes(name)) await runHook(context, recipe, name, options);
}

async function writeMarkers(context: StageContext, text: string): Promise<void> {
  const file = join(context.dir, 'marker-to-copy');
  await writeFile(file, text);
  try {
    for (const { container, path } of await dataFolders(context.docker, requireApp(context).stack)) {
      await runTool(context, 'docker', ['cp', file, `${container}:${path}/${MARKER}`], { timeoutMs: 60_000 });
    }
  } finally {
    await rm(file, { force: true });
  }
}

/** Names of the folders whose marker is gone or changed. `docker cp` gives a tar stream: the text is in it as it is. */
async function withoutMarker(context: StageContext, folders: readonly DataFolder[]): Promise<string[]> {
  const text = await markerText(context);
  const missing: string[] = [];
  for (const { name, container, path } of folders) {
    const { exitCode, stdout } = await runTool(
      context,
      'docker',
      ['cp', `${container}:${path}/${MARKER}`, '-'],
      {
        timeoutMs: 60_000,
        okCodes: [0, 1],
        quiet: true,
      },
    );
    if (exitCode !== 0 || !stdout.includes(text)) missing.push(name);
  }
  return missing;
}
