import { z } from 'zod';
import { type Answer, type ForgeClient, PAGE_SIZE, parse, repoPath } from './client.js';
import { ForgeError } from './errors.js';
import {
  type ForgeComment,
  type ForgeIssue,
  type ForgeRepository,
  forgeComment,
  forgeIssue,
  forgeRepository,
} from './schemas.js';

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** Entries on all pages, where the forge tells it. */
  total: number | undefined;
  /** What the forge says of a page after this one; undefined when it says nothing. */
  hasNext: boolean | undefined;
  /**
   * When the answer was made, in milliseconds and whole seconds: by the forge's clock, or by that of a proxy before
   * it (nginx puts its own).
   */
  date: number | undefined;
}

/**
 * One page of the pull requests in an owner's repositories that the bot may see, open or closed, changed at `since`
 * (milliseconds, the forge's clock, whole seconds) or later; without it, all. The one opened last comes first,
 * whenever it was changed (scope: read issue; Gitea 1.23 reads its database for it, not its search index).
 */
export function searchPulls(
  forge: ForgeClient,
  owner: string,
  { since, page }: { since: number; page: number },
): Promise<Page<ForgeIssue>> {
  const query = `owner=${encodeURIComponent(owner)}&type=pulls&state=all${sinceQuery(since)}`;
  return readPage(forge, '/repos/issues/search', query, page, forgeIssue);
}

/**
 * One page of the comments on issues and pull requests of a repository that were made or edited at `since` or later,
 * the oldest first (scope: read issue).
 */
export function listRepoComments(
  forge: ForgeClient,
  repo: string,
  { since, page }: { since: number; page: number },
): Promise<Page<ForgeComment>> {
  return readPage(forge, `${repoPath(repo)}/issues/comments`, sinceQuery(since), page, forgeComment);
}

/** One page of an organisation's repositories. Gitea's pages can be short: it leaves out what the bot may not see. */
export function listOrgRepos(forge: ForgeClient, org: string, page: number): Promise<Page<ForgeRepository>> {
  return readPage(forge, `/orgs/${encodeURIComponent(org)}/repos`, '', page, forgeRepository);
}

/** All repositories of a list whose pages can be short, and even empty, before the last one. */
export async function allRepositories(
  read: (page: number) => Promise<Page<ForgeRepository>>,
): Promise<ForgeRepository[]> {
  const found = new Map<number, ForgeRepository>();
  for (let page = 1; ; page++) {
    const { items, hasNext, total } = await read(page);
    const before = found.size;
    for (const repo of items) found.set(repo.id, repo);
    const isLast = found.size >= (total ?? Number.POSITIVE_INFINITY) || !(hasNext ?? found.size > before);
    if (isLast) return [...found.values()];
  }
}

async function readPage<S extends z.ZodType>(
  forge: ForgeClient,
  path: string,
  query: string,
  page: number,
  item: S,
): Promise<Page<z.output<S>>> {
  const asked = `${path}?${query.replace(/^&/, '')}${query && '&'}limit=${PAGE_SIZE}&page=${page}`;
  const answer = await forge.ask({ method: 'GET', path: asked });
  const { link, date } = answer.headers;
  return {
    items: parse(answer, z.array(item), `GET ${path}`),
    total: totalOf(answer),
    hasNext: link === undefined ? undefined : /rel="next"/.test(link),
    date: date === undefined || Number.isNaN(Date.parse(date)) ? undefined : Date.parse(date),
  };
}

/** Gitea takes a time before 1970 for wrong, and one that is 1970 for none. */
function sinceQuery(since: number): string {
  if (since <= 0) return '';
  return `&since=${new Date(since).toISOString().replace(/\.\d+Z$/, 'Z')}`;
}

function totalOf({ headers }: Answer): number | undefined {
  const total = Number.parseInt(headers['x-total-count'] ?? '', 10);
  return Number.isNaN(total) ? undefined : total;
}

/** How often a list that changes while its pages are read is begun again. */
const TRIES = 3;

/**
 * Reads a list to its end. An entry that leaves the list while its pages are read moves the others up, one of them
 * past the reader: so the list is read again until it stood still meanwhile.
 * @returns the entries, each once, and the date of the first answer
 * @throws ForgeError also when it never stands still
 */
export async function readAll<T extends { id: number }>(
  what: string,
  read: (page: number) => Promise<Page<T>>,
): Promise<{ items: T[]; date: number | undefined }> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { items, date, isWhole } = await readPages(read);
    if (isWhole) return { items, date };
  }
  throw new ForgeError('unavailable', `${what} changed ${TRIES} times while its pages were read`);
}

async function readPages<T extends { id: number }>(
  read: (page: number) => Promise<Page<T>>,
): Promise<{ items: T[]; date: number | undefined; isWhole: boolean }> {
  const first = await read(1);
  const items = new Map(first.items.map((item) => [item.id, item]));
  const { total, date } = first;
  if (first.items.length === 0 || first.items.length >= (total ?? Number.POSITIVE_INFINITY)) {
    return { items: first.items, date, isWhole: true };
  }
  for (let page = 2; ; page++) {
    const next = await read(page);
    const before = items.size;
    for (const item of next.items) items.set(item.id, item);
    const stood = next.total === total && items.size === before + next.items.length;
    // A forge that knows no pages gives the same one for ever.
    const isLast = items.size === before || items.size >= (total ?? Number.POSITIVE_INFINITY);
    if (total !== undefined && !(stood && (!isLast || items.size === total))) {
      return { items: [...items.values()], date, isWhole: false };
    }
    if (isLast) return { items: [...items.values()], date, isWhole: true };
  }
}
