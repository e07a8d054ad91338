import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type Forge, fullName, ownerById, repositoryPath, rootUrl } from '../forge.js';
import { resolveCommit } from '../git/commands.js';
import { type Repository, STATUS_STATES, type Status } from '../model.js';
import { branchName } from '../names.js';
import { requireScopes, viewerOf } from './caller.js';
import { internalError } from './errors.js';
import { timestamp, userJson } from './people-json.js';
import { repositoryJson } from './repository-json.js';
import {
  bodyOf,
  pageOf,
  pagingOf,
  pathPart,
  repositoryFor,
  repositoryOf,
  setLinks,
  setTotal,
} from './requests.js';

const newStatus = z.object({
  // Gitea takes any word here and shows nothing for the unknown ones: a typing error is better told of.
  state: z.enum(STATUS_STATES, `must be one of ${STATUS_STATES.join(', ')}`),
  target_url: z.string().default(''),
  description: z.string().default(''),
  context: z.string().default(''),
});

/** Statuses of commits. */
export function statusRoutes(app: FastifyInstance, forge: Forge): void {
  app.addHook('preHandler', async (request) => requireScopes(request, ['repository']));

  app.post('/repos/:owner/:repo/statuses/:sha', async (request, reply) => {
    const { repository, user } = repositoryFor(forge, request, 'repo.code', 'write');
    const wanted = bodyOf(request, newStatus);
    const sha = await commitOf(forge, repository, pathPart(request, 'sha'));
    if (sha === undefined) throw internalError();
    const status: Status = {
      id: statusesOf(forge, repository, sha).length + 1,
      repoId: repository.id,
      sha,
      state: wanted.state,
      targetUrl: wanted.target_url,
      description: wanted.description.trim(),
      context: wanted.context,
      creatorId: user.id,
      created: forge.now(),
    };
    forge.statuses.push(status);
    return reply.code(201).send(statusJson(forge, repository, status));
  });

  app.get('/repos/:owner/:repo/statuses/:sha', async (request, reply) => {
    const repository = repositoryOf(forge, request);
    const sha = (await commitOf(forge, repository, pathPart(request, 'sha'))) ?? '';
    const statuses = statusesOf(forge, repository, sha).toReversed();
    setLinks(forge, request, reply, statuses.length);
    return pageOf(statuses, pagingOf(request)).map((status) => statusJson(forge, repository, status));
  });

  app.get('/repos/:owner/:repo/commits/:ref/status', async (request, reply) => {
    const repository = repositoryOf(forge, request);
    const sha = (await commitOf(forge, repository, pathPart(request, 'ref'))) ?? '';
    const latest = latestStatuses(forge, repository, sha);
    const page = pageOf(latest, pagingOf(request));
    if (page.length > 0) setTotal(reply, latest.length);
    return {
      state: combinedState(page),
      sha: page.length > 0 ? sha : '',
      total_count: page.length,
      statuses: page.length > 0 ? page.map((status) => statusJson(forge, repository, status)) : null,
      repository: page.length > 0 ? repositoryJson(forge, repository, viewerOf(request)) : null,
      commit_url: '',
      url: '',
    };
  });
}

async function commitOf(forge: Forge, repository: Repository, name: string): Promise<string | undefined> {
  if (!branchName.safeParse(name).success) return undefined;
  return resolveCommit(repositoryPath(forge, repository), name);
}

function statusesOf(forge: Forge, repository: Repository, sha: string): Status[] {
  return forge.statuses.filter((it) => it.repoId === repository.id && it.sha === sha);
}

/** The newest status of each context of a commit, the newest first. */
export function latestStatuses(forge: Forge, repository: Repository, sha: string): Status[] {
  const byContext = new Map(statusesOf(forge, repository, sha).map((status) => [status.context, status]));
  return [...byContext.values()].sort((a, b) => b.id - a.id);
}

/** What statuses come to together: the worst of them, where an error counts as a failure; none at all is ''. */
export function combinedState(statuses: readonly Status[]): string {
  const worst = STATUS_STATES.find((state) => statuses.some((status) => status.state === state));
  return worst === 'error' ? 'failure' : (worst ?? '');
}

function statusJson(forge: Forge, repository: Repository, status: Status) {
  return {
    id: status.id,
    status: status.state,
    target_url: status.targetUrl,
    description: status.description,
    url: `${rootUrl(forge)}/api/v1/repos/${fullName(forge, repository)}/statuses/${status.sha}`,
    context: status.context,
    creator: userJson(forge, ownerById(forge, status.creatorId)),
    created_at: timestamp(status.created),
    updated_at: timestamp(status.created),
  };
}
