import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, type RunResult, run } from '@cc-ci/core';
import { GIT_ENV, LIST_TAGS, OVERLAY_FILE, versionsIn } from '@cc-ci/runner';

/** A recipe's clone, where abra looks for it. */
export interface TreeOptions {
  recipe: string;
  dir: string;
  /** Where it is cloned from. */
  url: string;
  /** The version it is to be at; undefined: the one that is deployed, or else the newest. */
  version: string | undefined;
}

/** How a deployment names the code it was made of (abra contract 5.5). */
export interface DeployedAs {
  /** The first digits of a commit. */
  commit: string | undefined;
  version: string | undefined;
}

/** How a clone was found. */
export interface Tree {
  /** The commit it is to be at; undefined where it does not have it. */
  commit: string | undefined;
  /** The name of that. */
  version: string | undefined;
  /** The commit that is deployed, where it has that. */
  deployed: string | undefined;
  /** What is wrong with it; empty where it is as it is to be. */
  faults: string[];
}

const FETCH_TIMEOUT_MS = 300_000;
const TIMEOUT_MS = 60_000;
/** git answers a question with no by 1, and by 128 where it cannot look. */
const ANY_ANSWER = [0, 1, 128];

/** Looks at a clone, and changes nothing. */
export async function lookAtTree(options: TreeOptions, deployedAs: DeployedAs): Promise<Tree> {
  const { dir, recipe, url } = options;
  const head = await commitOf(dir, 'HEAD');
  if (head === undefined) {
    const faults = [`there is no clone of ${url}`];
    return { commit: undefined, version: undefined, deployed: undefined, faults };
  }
  const wanted = await wantedIn(options, deployedAs);
  if (wanted.commit === undefined) {
    return { ...wanted, faults: [`the clone of ${recipe} has no version ${options.version ?? 'at all'}`] };
  }
  const { stdout } = await git(dir, ['status', '--porcelain', '--untracked-files=all', '--ignored']);
  const changed = stdout.split('\n').filter((line) => line && line.slice(3) !== OVERLAY_FILE);
  const faults = [
    ...(head === wanted.commit
      ? []
      : [`the clone of ${recipe} is at ${head.slice(0, 8)} instead of ${wanted.version}`]),
    ...(changed.length === 0
      ? []
      : [
          `in the clone of ${recipe} somebody has changed ${changed.map((line) => line.slice(3)).join(', ')}`,
        ]),
  ];
  return { ...wanted, faults };
}

/**
 * Brings a clone to where it is to be, whatever it was.
 * @throws InputError when the recipe has no such version
 * @throws CommandFailedError when it cannot be fetched
 */
export async function makeTree(options: TreeOptions, deployedAs: DeployedAs): Promise<void> {
  const { dir, recipe, url, version } = options;
  if ((await commitOf(dir, 'HEAD')) === undefined) await clone(url, dir);
  let { commit } = await wantedIn(options, deployedAs);
  if (commit === undefined) {
    await git(dir, ['fetch', '--quiet', '--tags', '--force', 'origin'], { timeoutMs: FETCH_TIMEOUT_MS });
    ({ commit } = await wantedIn(options, deployedAs));
  }
  if (commit === undefined) {
    throw new InputError(`the recipe ${recipe} has no version ${version ?? 'at all'}`, {
      hint: `its versions are the tags of ${url}`,
    });
  }
  await git(dir, ['checkout', '--quiet', '--force', '--detach', commit]);
  await git(dir, ['clean', '--quiet', '-ffdx']);
}

/** A clone is there whole or not at all, so that one that was killed is begun anew. */
async function clone(url: string, dir: string): Promise<void> {
  const part = `${dir}.part`;
  await rm(part, { recursive: true, force: true });
  await mkdir(dirname(dir), { recursive: true });
  await run('git', ['clone', '--quiet', '--', url, part], { env: GIT_ENV, timeoutMs: FETCH_TIMEOUT_MS });
  await rm(dir, { recursive: true, force: true });
  await rename(part, dir);
}

async function wantedIn(
  { dir, version }: TreeOptions,
  deployedAs: DeployedAs,
): Promise<Omit<Tree, 'faults'>> {
  const published = versionsIn((await git(dir, LIST_TAGS)).stdout);
  const tagged = (name: string | undefined) => published.find((it) => it.version.text === name)?.commit;
  const nameOf = (commit: string) =>
    published.find((it) => it.commit === commit)?.version.text ?? commit.slice(0, 8);
  const deployed =
    deployedAs.commit === undefined ? tagged(deployedAs.version) : await commitOf(dir, deployedAs.commit);
  const commit = version === undefined ? (deployed ?? published[0]?.commit) : tagged(version);
  return { commit, deployed, version: commit === undefined ? version : nameOf(commit) };
}

/** The commit of a name, or undefined where the clone has none, or is none. */
async function commitOf(dir: string, name: string): Promise<string | undefined> {
  const question = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  const { exitCode, stdout } = await git(dir, question, { okCodes: ANY_ANSWER });
  return exitCode === 0 ? stdout.trim() : undefined;
}

/** Never the repository of a folder above. */
function git(
  dir: string,
  args: readonly string[],
  options: { timeoutMs?: number; okCodes?: readonly number[] } = {},
): Promise<RunResult> {
  const where = ['--git-dir', join(dir, '.git'), '--work-tree', dir];
  return run('git', [...where, ...args], { env: GIT_ENV, timeoutMs: TIMEOUT_MS, ...options });
}
