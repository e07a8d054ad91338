import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError, recipeName, sortVersions } from '@cc-ci/core';
import { type Abra, recipeFolder } from './context.js';
import { exists } from './folders.js';
import { git } from './git.js';

/** Hex digits of a commit in labels and pins. */
const SHORT_COMMIT = 8;
/** What a chaos version ends in when the tree is not as it was committed. */
const DIRTY = '+U';

/** A commit id as it may stand where a version is expected. */
const COMMIT = /^[0-9a-f]{7,40}$/;

/** Checks a recipe's name: it becomes a folder and a part of a URL. @throws InputError */
export function requireRecipeName(name: string): string {
  const parsed = recipeName.safeParse(name);
  if (!parsed.success) throw new InputError(`no recipe can be called "${name}"`, { hint: 'a-z 0-9 . _ -' });
  return parsed.data;
}

/**
 * Clones a recipe from `<ABRA_STANDIN_ORIGIN>/<recipe>.git` where there is no folder of its name yet.
 * @returns whether it was cloned now
 * @throws InputError when there is no folder and no origin
 */
export async function ensureExists(abra: Abra, recipe: string): Promise<boolean> {
  const folder = recipeFolder(abra, requireRecipeName(recipe));
  if (await exists(folder)) return false;
  const origin = abra.env.ABRA_STANDIN_ORIGIN;
  if (!origin) {
    throw new InputError(
      `recipe ${recipe} is not in ${dirname(folder)}, and there is nowhere to fetch it from`,
      {
        hint: 'set ABRA_STANDIN_ORIGIN to the URL in front of <recipe>.git',
      },
    );
  }
  await mkdir(dirname(folder), { recursive: true });
  const source = `${origin.replace(/\/+$/, '')}/${recipe}.git`;
  await git(abra, dirname(folder), ['clone', '--quiet', '--', source, folder], { remote: true });
  return true;
}

/** Clones a recipe anew; what is there is lost. */
export async function cloneAnew(abra: Abra, recipe: string): Promise<void> {
  await rm(recipeFolder(abra, requireRecipeName(recipe)), { recursive: true, force: true });
  await ensureExists(abra, recipe);
}

/** Whether anything in the tree differs from its commit, untracked files included. */
export async function isDirty(abra: Abra, folder: string): Promise<boolean> {
  return (await git(abra, folder, ['status', '--porcelain'])).stdout !== '';
}

/**
 * What every command without `--chaos` does first: the clone is there, its tree clean, its versions up to date.
 * @throws InputError when the tree has changes of its own
 */
export async function ensureFresh(abra: Abra, recipe: string): Promise<void> {
  const cloned = await ensureExists(abra, recipe);
  const folder = recipeFolder(abra, recipe);
  if (await isDirty(abra, folder)) {
    throw new InputError(`${recipe} (${folder}) has locally unstaged changes`, {
      hint: 'commit or remove them, or use --chaos where the command has it',
    });
  }
  if (cloned || abra.offline) return;
  if ((await git(abra, folder, ['remote'])).stdout === '') return;
  await git(abra, folder, ['fetch', '--quiet', '--tags', '--force'], { remote: true });
}

/**
 * The recipe as a command should see it: with `chaos` as it lies there, otherwise at `pin`, the latest version, or
 * (where none was published) the default branch's head.
 */
export async function syncRecipe(
  abra: Abra,
  recipe: string,
  options: { chaos: boolean; pin: string | undefined },
): Promise<void> {
  if (options.chaos) {
    await ensureExists(abra, recipe);
    return;
  }
  await ensureFresh(abra, recipe);
  await checkout(abra, recipe, options.pin ?? (await latestVersion(abra, recipe)));
}

/** The tags of a recipe that are versions, the oldest first: annotated ones (published), and the lightweight ones. */
export async function versionsOf(
  abra: Abra,
  recipe: string,
): Promise<{ published: string[]; lightweight: string[] }> {
  const folder = recipeFolder(abra, recipe);
  const format = '--format=%(objecttype) %(refname:strip=2)';
  const { stdout } = await git(abra, folder, ['for-each-ref', format, 'refs/tags']);
  const tags = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ annotated: line.startsWith('tag '), name: line.slice(line.indexOf(' ') + 1) }));
  const names = (annotated: boolean) =>
    sortVersions(tags.filter((tag) => tag.annotated === annotated).map((tag) => tag.name));
  return { published: names(true), lightweight: names(false) };
}

/** The newest published version, or undefined where there is none. */
export async function latestVersion(abra: Abra, recipe: string): Promise<string | undefined> {
  return (await versionsOf(abra, recipe)).published.at(-1);
}

/**
 * Puts the tree at a version (a tag), a commit id, or without either at the default branch's head.
 * @returns what was checked out, as it is written to labels and pins: the tag, or the first 8 hex digits
 * @throws InputError when the recipe has no such version
 */
export async function checkout(abra: Abra, recipe: string, version: string | undefined): Promise<string> {
  const folder = recipeFolder(abra, recipe);
  if (version === undefined) {
    const found = await resolve(abra, folder, 'refs/remotes/origin/HEAD');
    const head = found ?? (await headOf(abra, folder));
    await git(abra, folder, ['checkout', '--quiet', '--detach', head]);
    return head.slice(0, SHORT_COMMIT);
  }
  const tag = `refs/tags/${version}`;
  if (await resolve(abra, folder, tag)) {
    await git(abra, folder, ['checkout', '--quiet', '--detach', tag]);
    return version;
  }
  const commit = COMMIT.test(version) ? await resolve(abra, folder, version) : undefined;
  if (!commit) {
    throw new InputError(`${recipe} has no version "${version}"`, {
      hint: `abra recipe versions ${recipe} lists what there is; a commit id is fine too`,
    });
  }
  await git(abra, folder, ['checkout', '--quiet', '--detach', commit]);
  return commit.slice(0, SHORT_COMMIT);
}

async function resolve(abra: Abra, folder: string, ref: string): Promise<string | undefined> {
  const args = ['rev-parse', '--quiet', '--verify', '--end-of-options', `${ref}^{commit}`];
  const { exitCode, stdout } = await git(abra, folder, args, { okCodes: [0, 1, 128] });
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function headOf(abra: Abra, folder: string): Promise<string> {
  return (await git(abra, folder, ['rev-parse', 'HEAD'])).stdout.trim();
}

/** What is in the tree, as the chaos-version label says it: 8 hex digits of HEAD, `+U` where the tree is dirty. */
export async function chaosVersion(abra: Abra, recipe: string): Promise<string> {
  const folder = recipeFolder(abra, recipe);
  const short = (await headOf(abra, folder)).slice(0, SHORT_COMMIT);
  return (await isDirty(abra, folder)) ? `${short}${DIRTY}` : short;
}

/** A pin as git knows it: without the mark of a dirty tree. */
export const withoutDirtyMark = (version: string) => version.replace(/\+U$/, '');
