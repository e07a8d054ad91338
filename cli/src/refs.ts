import { CommandFailedError, CommandTimeoutError, commitSha, InputError, sortVersions } from '@cc-ci/core';
import { z } from 'zod';
import { git } from './git.js';

/**
 * How a person names a commit: a branch, a tag, a full commit id or the beginning of one. The rules of
 * git-check-ref-format, and nothing that a program could take for an option.
 */
export const refName = z
  .string()
  .regex(
    /^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock$|[/.]$))[\w./+@#-]{1,200}$/,
    'a ref is a branch, a tag or a commit id: letters, digits and . _ / + @ # -',
  );

/** What a repository offers: commits by the names of its branches and tags. */
export interface RemoteRefs {
  /** Where its default branch ends. */
  head: { branch: string; commit: string } | undefined;
  branches: ReadonlyMap<string, string>;
  tags: ReadonlyMap<string, string>;
}

/**
 * Asks a repository for its branches and tags.
 * @throws InputError when there is none at that place, or it cannot be read without a password
 */
export async function listRefs(src: string, signal: AbortSignal): Promise<RemoteRefs> {
  try {
    return parseRefs(await git(['ls-remote', '--symref', '--', src], { signal }));
  } catch (error) {
    if (!(error instanceof CommandFailedError || error instanceof CommandTimeoutError)) throw error;
    const said = error.trace.output.split('\n');
    const why = said.find((line) => line.startsWith('fatal: '))?.slice('fatal: '.length) ?? said[0];
    throw new InputError(`there is no recipe to be read at ${src}: ${why || 'git does not say why'}`, {
      hint: 'check the name, or say where it is with --src or CC_CI_RECIPES_URL',
      cause: error,
    });
  }
}

/** Reads what `git ls-remote --symref` prints. An annotated tag counts as the commit it is about. */
export function parseRefs(text: string): RemoteRefs {
  const branches = new Map<string, string>();
  const tags = new Map<string, string>();
  let branch: string | undefined;
  let head: string | undefined;
  for (const line of text.split('\n')) {
    const [value = '', name = ''] = line.split('\t');
    if (name === 'HEAD' && value.startsWith('ref: refs/heads/'))
      branch = value.slice('ref: refs/heads/'.length);
    else if (name === 'HEAD') head = value;
    else if (name.startsWith('refs/heads/')) branches.set(name.slice('refs/heads/'.length), value);
    // The peeled line `name^{}` follows the tag's own, and wins.
    else if (name.startsWith('refs/tags/'))
      tags.set(name.slice('refs/tags/'.length).replace(/\^\{\}$/, ''), value);
  }
  return {
    head: head === undefined ? undefined : { branch: branch ?? 'HEAD', commit: head },
    branches,
    tags,
  };
}

/** A commit, and how people call what it was found as. */
export interface FoundRef {
  commit: string;
  what: string;
}

/**
 * The commit a person means: a branch, a tag, or the beginning of the id of a commit that one of them ends at; without
 * a wish, the end of the default branch.
 * @throws InputError when there is none (names that look like it are listed), or more than one
 */
export function resolveRef(refs: RemoteRefs, wish: string | undefined, src: string): FoundRef {
  if (wish === undefined) {
    if (refs.head) return { commit: refs.head.commit, what: `the end of ${refs.head.branch}` };
    throw new InputError(`${src} has no default branch`, { hint: `say which with --ref; ${offered(refs)}` });
  }
  if (commitSha.safeParse(wish).success) return { commit: wish, what: 'a commit' };
  const name = wish.replace(/^refs\/(?:heads|tags)\//, '');
  const branch = wish.startsWith('refs/tags/') ? undefined : refs.branches.get(name);
  const tag = wish.startsWith('refs/heads/') ? undefined : refs.tags.get(name);
  if (branch !== undefined && tag !== undefined && branch !== tag) {
    throw new InputError(`${wish} is a branch and a tag in ${src}, and they are not the same commit`, {
      hint: `say --ref refs/heads/${wish} or --ref refs/tags/${wish}`,
    });
  }
  if (branch !== undefined) return { commit: branch, what: `the end of ${name}` };
  if (tag !== undefined) return { commit: tag, what: `tag ${name}` };
  return byBeginning(refs, wish, src);
}

/** An id is abbreviated to no less than this, as git does. */
const SHORTEST_ID = /^[0-9a-f]{4,39}$/;

function byBeginning(refs: RemoteRefs, wish: string, src: string): FoundRef {
  const named = [...refs.branches, ...refs.tags];
  const commits = SHORTEST_ID.test(wish)
    ? new Set(named.map(([, commit]) => commit).filter((commit) => commit.startsWith(wish)))
    : new Set<string>();
  const [commit] = commits;
  if (commits.size === 1 && commit !== undefined) {
    return { commit, what: named.find(([, it]) => it === commit)?.[0] ?? 'a commit' };
  }
  if (commits.size > 1) {
    throw new InputError(
      `${wish} is the beginning of ${commits.size} commits in ${src}: ${[...commits].join(', ')}`,
      {
        hint: 'give more of it',
      },
    );
  }
  const close = closeNames(
    wish,
    named.map(([name]) => name),
  );
  const found = close.length > 0 ? `did you mean ${close.join(', ')}?` : offered(refs);
  const ids = SHORTEST_ID.test(wish)
    ? '; of a commit that no branch or tag ends at, give the whole id (40 digits)'
    : '';
  throw new InputError(`${src} has no branch, tag or commit ${wish}`, { hint: found + ids });
}

const LISTED = 5;

function offered({ branches, tags }: RemoteRefs): string {
  const newest = sortVersions(tags.keys()).reverse();
  const list = (what: string, names: readonly string[]) =>
    names.length === 0
      ? `no ${what}`
      : `${what} ${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ''}`;
  return `it has ${list('branches', [...branches.keys()])}; ${list('versions', newest)}`;
}

/** Names that somebody who typed `wish` may have meant, the likeliest first. */
export function closeNames(wish: string, names: readonly string[]): string[] {
  const lower = wish.toLowerCase();
  const scored = [...new Set(names)].map((name) => {
    const other = name.toLowerCase();
    const part = lower.length >= 3 && (other.includes(lower) || lower.includes(other));
    return { name, score: Math.min(editDistance(lower, other), part ? 1 : Number.POSITIVE_INFINITY) };
  });
  return scored
    .filter(({ score }) => score <= Math.max(1, Math.floor(wish.length / 3)))
    .sort((a, b) => a.score - b.score || a.name.localeCompare(b.name))
    .slice(0, LISTED)
    .map(({ name }) => name);
}

/** How many letters must be put in, taken out, changed or swapped with the next (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : change;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
