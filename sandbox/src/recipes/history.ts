import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, readJson, recipeName } from '@cc-ci/core';
import { z } from 'zod';

const RECIPES_FOLDER = fileURLToPath(new URL('../../recipes/', import.meta.url));

const step = z.strictObject({
  /** Below the recipe's folder: the files that this commit adds or replaces, whole. */
  folder: z.string().regex(/^[\w.+-]+(\/[\w.+-]+)*$/),
  /** The branch it goes on. One that is not there yet begins where `main` then is. */
  branch: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Published as this version: an annotated tag, whose text is the release note. */
  tag: z
    .string()
    .regex(/^\d+\.\d+\.\d+\+\S+$/, 'a version is <recipe semver>+<app version>')
    .optional(),
  message: z.string().min(1),
  date: z.iso.datetime(),
});
/** One commit of a sample recipe's history. */
export type RecipeStep = z.output<typeof step>;

const history = z.strictObject({ steps: z.tuple([step], step) });

/** Names of the sample recipes. */
export async function listSampleRecipes(): Promise<string[]> {
  const entries = await readdir(RECIPES_FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * A sample recipe's history, the first commit first, with the folder its steps' folders are in.
 * @throws InputError when there is no such recipe
 */
export async function readHistory(recipe: string): Promise<{ root: string; steps: RecipeStep[] }> {
  const root = join(RECIPES_FOLDER, recipeName.parse(recipe));
  const found = await readJson(join(root, 'history.json'), history);
  if (!found) {
    throw new InputError(`there is no sample recipe ${recipe}`, {
      hint: `there are: ${(await listSampleRecipes()).join(', ')}`,
    });
  }
  return { root, steps: found.steps };
}
