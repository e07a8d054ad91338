import { lstat, mkdir, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CommandFailedError, folderNames, InputError, tryLock } from '@cc-ci/core';
import { git } from './git.js';

/** Recipes are text; a file of this size is there by mistake, and would be copied more than once. In bytes. */
const LARGEST_FILE = 50 * 1024 * 1024;

/** A working tree as it was at one moment, in a repository of ours that a run can fetch from. */
export interface Snapshot {
  /** The working tree, as an absolute path without symbolic links. */
  dir: string;
  /** The bare repository: the branches and tags of the tree's own, and the snapshot on a branch of its own. */
  src: string;
  /** The snapshot's commit; the tree's own head when nothing was changed. */
  ref: string;
  head: string;
  /** Files that differ from the head. */
  changed: string[];
  /** Removes the repository. Twice is the same as once. */
  close(): Promise<void>;
}

/**
 * Commits a working tree as it is (tracked and untracked files, not ignored ones) in a repository below
 * `<state>/worktrees`. The tree's own repository is only read. Snapshots of processes that died are removed first.
 * @throws InputError when `dir` is not the top of a git working tree with a commit, or holds a file over 50 MB
 */
export async function snapshot(
  dir: string,
  { stateDir, run, signal }: { stateDir: string; run: string; signal: AbortSignal },
): Promise<Snapshot> {
  const tree = await topOfTree(dir, signal);
  const head = await headOf(tree, signal);
  const files = await filesOf(tree, signal);
  mustBeSmall(tree, files);
  const folder = resolve(stateDir, 'worktrees');
  await mkdir(folder, { recursive: true });
  await removeLeftovers(folder);
  const src = join(folder, run);
  // Held before the folder is there: whoever sees the folder also sees that it is in use.
  const lock = tryLock(`${src}.lock`);
  if (!lock) throw new InputError(`run ${run} exists already`, { hint: 'every run has an id of its own' });
  const close = async () => {
    await rm(src, { recursive: true, force: true });
    await rm(`${src}.lock`, { force: true });
    lock.release();
  };
  try {
    // No hard links: not even the link count of the tree's own objects changes.
    await git(['clone', '--quiet', '--bare', '--no-hardlinks', '--template=', '--', tree, src], { signal });
    const ref = await commitTree(tree, src, head, files, signal);
    await git(['--git-dir', src, 'update-ref', `refs/heads/cc-ci/worktree-${run}`, ref], { signal });
    const changed = await git(['--git-dir', src, 'diff-tree', '-r', '-z', '--name-only', head, ref], {
      signal,
    });
    return { dir: tree, src, ref, head, changed: listed(changed), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function topOfTree(dir: string, signal: AbortSignal): Promise<string> {
  let tree: string;
  let top: string;
  try {
    tree = await realpath(dir);
  } catch (error) {
    throw new InputError(
      `--dir ${dir}: ${(error as NodeJS.ErrnoException).code ?? error}: there is no such folder`,
    );
  }
  try {
    top = (await git(['-C', tree, 'rev-parse', '--show-toplevel'], { signal })).trimEnd();
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    const said = error.trace.output.split('\n').at(0) ?? '';
    throw new InputError(`--dir ${tree} is no git working tree: ${said}`, {
      hint: 'clone the recipe with git, or make it a repository: git init, git add, git commit',
      cause: error,
    });
  }
  if ((await realpath(top)) === tree) return tree;
  throw new InputError(`--dir ${tree} is a folder within the working tree ${top}`, {
    hint: 'a recipe is a repository of its own; give its top folder',
  });
}

async function headOf(tree: string, signal: AbortSignal): Promise<string> {
  try {
    return (await git(['-C', tree, 'rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], { signal })).trim();
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    throw new InputError(`--dir ${tree} has no commit yet`, { hint: 'git commit once, whatever is in it' });
  }
}

/** What git would commit with `add --all`, by the tree's own rules of what is ignored: sizes in bytes by name. */
async function filesOf(tree: string, signal: AbortSignal): Promise<Map<string, number>> {
  const args = ['-C', tree, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  // A repository within the repository is listed as a folder; git would not commit its files either.
  const names = new Set(listed(await git(args, { signal })).filter((name) => !name.endsWith('/')));
  const files = new Map<string, number>();
  for (const name of names) {
    const info = await lstat(join(tree, name)).catch(() => undefined);
    if (info) files.set(name, info.size); // otherwise it is deleted, but not yet in the index
  }
  // What was a file and is a folder now is listed by its old name too.
  for (const name of [...files.keys()]) for (const folder of foldersOf(name)) files.delete(folder);
  return files;
}

const listed = (text: string) => text.split('\0').filter((name) => name);

function foldersOf(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function mustBeSmall(tree: string, files: ReadonlyMap<string, number>): void {
  const large = [...files].filter(([, size]) => size > LARGEST_FILE);
  if (large.length === 0) return;
  const names = large.map(([name, size]) => `${name} (${Math.round(size / 1024 / 1024)} MB)`);
  throw new InputError(`--dir ${tree} holds files over 50 MB: ${names.join(', ')}`, {
    hint: 'a recipe does not need them: move them away, or name them in .gitignore',
  });
}

/** How the tree's own repository turns files into content; ours must do the same. */
const CONVERSIONS = ['core.autocrlf', 'core.eol', 'core.filemode', 'core.symlinks'];

/** Writes the files into our repository. @returns the commit on top of `head`, or `head` where nothing was changed */
async function commitTree(
  tree: string,
  src: string,
  head: string,
  files: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<string> {
  const same: string[] = [];
  for (const name of CONVERSIONS) {
    const value = await git(['-C', tree, 'config', '--get', name], { signal, okCodes: [0, 1] });
    if (value) same.push('-c', `${name}=${value.trimEnd()}`);
  }
  const env = { GIT_INDEX_FILE: join(src, 'cc-ci-index') };
  const ours = (args: readonly string[], input?: readonly string[]) =>
    git(['-C', tree, ...same, '--git-dir', src, '--work-tree', tree, ...args], {
      signal,
      env,
      ...(input === undefined ? {} : { input: input.map((name) => `${name}\0`).join('') }),
    });
  await ours(['read-tree', head]);
  const gone = listed(await ours(['ls-files', '-z'])).filter((name) => !files.has(name));
  await ours(['update-index', '-z', '--force-remove', '--stdin'], gone);
  await ours(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], [...files.keys()]);
  const content = (await ours(['write-tree'])).trim();
  if (content === (await ours(['rev-parse', `${head}^{tree}`])).trim()) return head;
  // The head's date: the same files on the same head are the same commit.
  const date = (await ours(['show', '--no-patch', '--format=%cI', head])).trim();
  Object.assign(env, asPerson(date));
  return (
    await ours(['commit-tree', '-p', head, '-m', 'The working tree, not committed yet', content])
  ).trim();
}

function asPerson(date: string): NodeJS.ProcessEnv {
  const [name, email] = ['cc-ci', 'cc-ci@localhost'];
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}

/** Snapshots whose lock is free belong to processes that were killed. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await folderNames(folder)) {
    const path = join(folder, name);
    const lock = tryLock(`${path}.lock`);
    if (!lock) continue;
    await rm(path, { recursive: true, force: true });
    await rm(`${path}.lock`, { force: true });
    lock.release();
  }
}
