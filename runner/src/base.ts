import { CommandFailedError, compareVersions, type Plan, parseVersion, type Version } from '@cc-ci/core';
import { recipeFolder, type StageContext } from './context.js';
import { git } from './recipe.js';

type Base = NonNullable<Plan['base']>;

/**
 * The version people upgrade from to the commit under test: the newest published one (tag) that is older than it.
 *
 * Older is what is not the commit itself, does not have it among its ancestors, and is no higher a version than the
 * commit's own label says. A pull request that does not raise the label yet (it is raised on release) is thus tested
 * against the release of that very label, which is what people run.
 * @param label the version label of the commit's compose files, where it has one
 */
export async function findBase(context: StageContext, label: string | undefined): Promise<Base | undefined> {
  const own = label === undefined ? undefined : parseVersion(label);
  const candidates = (await publishedVersions(context)).filter(
    ({ commit, version }) =>
      commit !== context.plan.request.ref && (!own || compareVersions(version, own) <= 0),
  );
  for (const { commit, version } of candidates) {
    if (!(await isDescendant(context, commit))) return { version: version.text, commit };
  }
  return undefined;
}

async function publishedVersions(context: StageContext): Promise<PublishedVersion[]> {
  const { stdout } = await git(context, ['-C', recipeFolder(context), ...LIST_TAGS]);
  return versionsIn(stdout);
}

/** A version tag of a recipe. */
export interface PublishedVersion {
  version: Version;
  commit: string;
}

/** What git is asked for tags with. */
export const LIST_TAGS = [
  'for-each-ref',
  // An annotated tag's own object first, then the commit it stands for; a lightweight one has only the latter.
  '--format=%(objectname) %(*objectname) %(refname:strip=2)',
  'refs/tags',
];

/** The versions in what git answers to that, the newest first. */
export function versionsIn(stdout: string): PublishedVersion[] {
  return stdout
    .split('\n')
    .flatMap((line) => {
      const [object = '', peeled = '', name = ''] = line.split(' ');
      const version = parseVersion(name);
      return version ? [{ version, commit: peeled || object }] : [];
    })
    .sort((a, b) => compareVersions(b.version, a.version));
}

/** Whether the commit under test is among the ancestors of this one: then this one is newer. */
async function isDescendant(context: StageContext, commit: string): Promise<boolean> {
  try {
    await git(context, [
      '-C',
      recipeFolder(context),
      'merge-base',
      '--is-ancestor',
      context.plan.request.ref,
      commit,
    ]);
    return true;
  } catch (error) {
    if (error instanceof CommandFailedError && error.exitCode === 1) return false;
    throw error;
  }
}
