import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { allows, canSee, unitAccess } from '../access.js';
import { type Forge, findOrg, findOwner, findPull, findRepository, rootUrl } from '../forge.js';
import type { Access, Org, Pull, Repository, Unit, User } from '../model.js';
import { requireUser, viewerOf } from './caller.js';
import { notFound, refuse } from './errors.js';

const DEFAULT_LIMIT = 30;
const MAX_LIMIT = 50;

/** A part of a request's path, decoded. */
export function pathPart(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? '';
}

/** One parameter of the query, the last one when it was given several times. */
export function queryPart(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, string | string[]>)[name];
  return Array.isArray(value) ? value.at(-1) : value;
}

/**
 * The JSON body of a request.
 * @throws ApiError 422 naming the field that is missing or wrong
 */
export function bodyOf<S extends z.ZodType>(request: FastifyRequest, schema: S): z.output<S> {
  if (request.body === undefined) throw refuse(422, '[]: Empty Content-Type');
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(422, `[${goName(issue?.path)}]: ${issue?.message}`);
}

// Gitea names a field as its Go struct does: default_branch is DefaultBranch.
function goName(path: readonly PropertyKey[] | undefined): string {
  return (path?.map(String).join('.') ?? '').replace(/(?:^|_)([a-z])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
}

/** The organisation in the path. @throws ApiError 404 */
export function orgOf(forge: Forge, request: FastifyRequest): Org {
  const name = pathPart(request, 'org');
  const org = findOrg(forge, name);
  if (!org) throw notFound(`user redirect does not exist [name: ${name}]`, 'GetOrgByName');
  return org;
}

/**
 * The repository in the path, where whoever asks may know of it.
 * @throws ApiError 404 otherwise
 */
export function repositoryOf(forge: Forge, request: FastifyRequest): Repository {
  const [owner, name] = [pathPart(request, 'owner'), pathPart(request, 'repo')];
  if (!findOwner(forge, owner))
    throw notFound(`user redirect does not exist [name: ${owner}]`, 'GetUserByName');
  const repository = findRepository(forge, owner, name);
  if (!repository || !canSee(forge, viewerOf(request), repository)) throw notFound();
  return repository;
}

/**
 * The repository in the path and the user who asks.
 * @throws ApiError 401, 403 or 404 when nobody signed in, they may not, or there is none they know of
 */
export function repositoryFor(
  forge: Forge,
  request: FastifyRequest,
  unit: Unit,
  needed: Access,
): { repository: Repository; user: User } {
  const repository = repositoryOf(forge, request);
  const user = requireUser(request);
  if (!allows(unitAccess(forge, user, repository, unit), needed)) {
    throw refuse(403, `user should have a permission to ${needed} to a repo`);
  }
  return { repository, user };
}

/** The pull request whose number is in the path. */
export function pullOf(forge: Forge, request: FastifyRequest, repository: Repository): Pull | undefined {
  if (!allows(unitAccess(forge, viewerOf(request), repository, 'repo.pulls'), 'read')) return undefined;
  return findPull(forge, repository, Number(pathPart(request, 'index')));
}

/** Which part of a list is asked for. */
export interface Paging {
  /** From 1. */
  page: number;
  limit: number;
}

/** `page` and `limit` of the query; what is not a number from 1 counts as not given. */
export function pagingOf(request: FastifyRequest, defaultLimit = DEFAULT_LIMIT): Paging {
  const number = (name: string) => Math.trunc(Number(queryPart(request, name))) || 0;
  const limit = number('limit');
  return { page: Math.max(number('page'), 1), limit: limit > 0 ? Math.min(limit, MAX_LIMIT) : defaultLimit };
}

/** One page of a list. */
export function pageOf<T>(all: readonly T[], { page, limit }: Paging): T[] {
  return all.slice((page - 1) * limit, page * limit);
}

export function setTotal(reply: FastifyReply, total: number): void {
  reply.header('x-total-count', total);
}

/** Sets the total and, where there are other pages, the Link header that leads to them. */
export function setLinks(
  forge: Forge,
  request: FastifyRequest,
  reply: FastifyReply,
  total: number,
  asked = pagingOf(request),
): void {
  setTotal(reply, total);
  const last = Math.max(1, Math.ceil(total / asked.limit));
  const page = Math.min(asked.page, last);
  const links: [string, number][] = [];
  if (page < last) links.push(['next', page + 1], ['last', last]);
  if (page > 1) links.push(['first', 1], ['prev', page - 1]);
  const url = new URL(`${rootUrl(forge)}${request.url}`);
  const link = links.map(([rel, to]) => {
    url.searchParams.set('page', `${to}`);
    url.searchParams.sort();
    return `<${url.href}>; rel="${rel}"`;
  });
  if (link.length > 0) reply.header('link', link.join(','));
}

/**
 * Whether something was last changed from `since` to `before` of the query, both included.
 * @throws ApiError 422 for a time that is not RFC 3339
 */
export function updatedWithin(request: FastifyRequest): (changed: { updated: Date }) => boolean {
  const [since, before] = [timeOf(request, 'since'), timeOf(request, 'before')];
  return ({ updated }) => (!since || updated >= since) && (!before || updated <= before);
}

function timeOf(request: FastifyRequest, name: string): Date | undefined {
  const given = queryPart(request, name);
  if (!given) return undefined;
  const isRfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(given);
  const time = new Date(given);
  if (!isRfc3339 || Number.isNaN(time.getTime())) throw refuse(422, `parsing time "${given}": not RFC 3339`);
  return time;
}
