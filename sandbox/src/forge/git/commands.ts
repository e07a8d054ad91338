import { mkdir, rm } from 'node:fs/promises';
import { CommandFailedError, run } from '@cc-ci/core';

/** Nobody's own git settings, and no questions on a terminal. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Milliseconds; these are local operations on small repositories. */
const TIMEOUT_MS = 60_000;

async function git(repository: string, args: readonly string[], okCodes = [0]): Promise<string> {
  const options = { env: gitEnvironment(), timeoutMs: TIMEOUT_MS, okCodes };
  const { stdout } = await run('git', [`--git-dir=${repository}`, ...args], options);
  return stdout.trimEnd();
}

/** Makes an empty bare repository, and the folders it lies in. */
export async function initRepository(path: string, defaultBranch: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await git(path, ['init', '--quiet', '--bare', '--template=', `--initial-branch=${defaultBranch}`]);
}

/** Copies all branches and tags of a bare repository into a new one. */
export async function forkRepository(from: string, to: string, defaultBranch: string): Promise<void> {
  await initRepository(to, defaultBranch);
  try {
    await fetchRefs(to, from, ['refs/heads/*:refs/heads/*', 'refs/tags/*:refs/tags/*']);
  } catch (error) {
    await removeRepository(to);
    throw error;
  }
}

export async function removeRepository(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** Copies one branch of a bare repository into a ref of another (or the same) one, whatever that was before. */
export async function copyBranch(from: string, branch: string, to: string, ref: string): Promise<void> {
  await fetchRefs(to, from, [`+refs/heads/${branch}:${ref}`]);
}

async function fetchRefs(into: string, from: string, refspecs: readonly string[]): Promise<void> {
  await git(into, ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', from, ...refspecs]);
}

/** All refs and the commits (or tag objects) they point at. */
export async function readRefs(path: string): Promise<Map<string, string>> {
  const lines = await git(path, ['for-each-ref', '--format=%(objectname) %(refname)']);
  const pairs = lines.split('\n').filter(Boolean);
  return new Map(pairs.map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))]));
}

export async function setDefaultBranch(path: string, branch: string): Promise<void> {
  await git(path, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
}

/** The commit two commits have in common, or undefined when their histories never met. */
export async function mergeBase(path: string, a: string, b: string): Promise<string | undefined> {
  return (await git(path, ['merge-base', '--', a, b], [0, 1])) || undefined;
}

/**
 * The full id of a commit in a repository, given by full or abbreviated id, branch or tag.
 * @returns undefined when there is none
 */
export async function resolveCommit(path: string, name: string): Promise<string | undefined> {
  const wanted = /^[0-9a-f]{7,40}$/.test(name) ? name : `refs/heads/${name}`;
  try {
    const options = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${wanted}^{commit}`];
    return await git(path, options);
  } catch (error) {
    if (error instanceof CommandFailedError) return undefined;
    throw error;
  }
}

/** One commit as Gitea writes it into the activity of a push. */
export interface PushedCommit {
  Sha1: string;
  Message: string;
  AuthorName: string;
  AuthorEmail: string;
  Timestamp: string;
}

/** The newest commits a push brought, the newest first, and how many there were in all. */
export async function pushedCommits(
  path: string,
  before: string | undefined,
  after: string,
): Promise<{ commits: PushedCommit[]; total: number }> {
  const range = before === undefined ? [after] : [after, `^${before}`];
  const format = '--format=%H%x00%aN%x00%aE%x00%aI%x00%B%x00%x00';
  const text = await git(path, ['log', '--max-count=5', format, '--end-of-options', ...range]);
  const total = await git(path, ['rev-list', '--count', '--end-of-options', ...range]);
  const commits = text.split('\0\0').flatMap((record) => {
    const [Sha1, AuthorName, AuthorEmail, Timestamp, Message] = record.trimStart().split('\0');
    if (!Sha1 || !AuthorName || !AuthorEmail || !Timestamp || Message === undefined) return [];
    return [{ Sha1, Message: Message.trimEnd(), AuthorName, AuthorEmail, Timestamp }];
  });
  return { commits, total: Number(total) };
}
