import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { allows, unitAccess } from '../access.js';
import { type Forge, findOwner, findRepository, ownerById } from '../forge.js';
import type { Pull, Repository } from '../model.js';
import { openPull, openPullBetween, setPullState } from '../pulls.js';
import { findFork } from '../repositories.js';
import { requireScopes, requireUser, viewerOf } from './caller.js';
import { ApiError, notFound, refuse } from './errors.js';
import { createRefReader, pullJson } from './pull-json.js';
import {
  bodyOf,
  pageOf,
  pagingOf,
  pullOf,
  queryPart,
  repositoryFor,
  repositoryOf,
  setLinks,
} from './requests.js';

const required = z.string('Required').min(1, 'Required');

const newPull = z.object({ head: required, base: required, title: required, body: z.string().default('') });

const pullEdit = z.object({
  title: z.string().default(''),
  body: z.string().optional(),
  state: z.string().optional(),
});

/** Pull requests. */
export function pullRoutes(app: FastifyInstance, forge: Forge): void {
  app.addHook('preHandler', async (request) => requireScopes(request, ['repository']));

  app.get('/repos/:owner/:repo/pulls', async (request, reply) => {
    const repository = repositoryOf(forge, request);
    const asked = queryPart(request, 'state');
    // Without one of the two, all: Gitea's documentation says "open", Gitea does not.
    const state = asked === 'open' || asked === 'closed' ? asked : undefined;
    const wanted = (pull: Pull) => pull.repoId === repository.id && (!state || pull.state === state);
    const pulls = [...forge.pulls.values()].filter(wanted).sort((a, b) => b.number - a.number);
    setLinks(forge, request, reply, pulls.length);
    const refs = createRefReader(forge);
    const page = pageOf(pulls, pagingOf(request));
    return Promise.all(page.map((pull) => pullJson(forge, pull, viewerOf(request), refs)));
  });

  app.post('/repos/:owner/:repo/pulls', async (request, reply) => {
    const { repository: base, user } = repositoryFor(forge, request, 'repo.pulls', 'read');
    const wanted = bodyOf(request, newPull);
    if (wanted.head === wanted.base) {
      throw refuse(422, 'Invalid PullRequest: There are no changes between the head and the base');
    }
    const { head, headBranch } = findHead(forge, base, wanted.head);
    if (!allows(unitAccess(forge, user, head, 'repo.code'), 'read')) throw notFound();
    const pull = await forge.exclusively(base.id, async () => {
      const refs = createRefReader(forge);
      if (!(await refs(base)).has(`refs/heads/${wanted.base}`)) throw notFound();
      if (!(await refs(head)).has(`refs/heads/${headBranch}`)) throw notFound();
      const about = { head, headBranch, baseBranch: wanted.base, title: wanted.title, body: wanted.body };
      const earlier = openPullBetween(forge, base, about);
      if (earlier) {
        const where = `id: ${earlier.id}, issue_id: ${earlier.number}, head_repo_id: ${head.id}, base_repo_id: ${base.id}, head_branch: ${headBranch}, base_branch: ${wanted.base}`;
        throw refuse(409, `pull request already exists for these targets [${where}]`);
      }
      return openPull(forge, user, base, about);
    });
    return reply.code(201).send(await pullJson(forge, pull, user));
  });

  app.get('/repos/:owner/:repo/pulls/:index', async (request) => {
    const pull = pullOf(forge, request, repositoryOf(forge, request));
    if (!pull) throw notFound();
    return pullJson(forge, pull, viewerOf(request));
  });

  app.patch('/repos/:owner/:repo/pulls/:index', async (request, reply) => {
    const repository = repositoryOf(forge, request);
    const user = requireUser(request);
    const pull = pullOf(forge, request, repository);
    if (!pull) throw notFound();
    const edit = bodyOf(request, pullEdit);
    const writes = allows(unitAccess(forge, user, repository, 'repo.pulls'), 'write');
    if (!writes && user.id !== pull.authorId) throw new ApiError(403);
    if (edit.state !== undefined && edit.state !== 'open' && edit.state !== 'closed') {
      throw refuse(412, `unknown state: ${edit.state}`);
    }
    pull.title = edit.title || pull.title;
    pull.body = edit.body ?? pull.body;
    pull.updated = forge.now();
    if (edit.state) setPullState(forge, user, pull, edit.state);
    return reply.code(201).send(await pullJson(forge, pull, user));
  });
}

/** What `branch`, `owner:branch` or `owner/name:branch` means, seen from the repository asked to merge it. */
function findHead(forge: Forge, base: Repository, text: string): { head: Repository; headBranch: string } {
  const colon = text.indexOf(':');
  if (colon < 0) return { head: base, headBranch: text };
  const [ownerName = '', name] = text.slice(0, colon).split('/');
  const headBranch = text.slice(colon + 1);
  const owner = findOwner(forge, ownerName);
  if (!owner) throw notFound(undefined, 'GetUserByName');
  if (name !== undefined) {
    const head = findRepository(forge, owner.login, name);
    if (!head) throw notFound();
    return { head, headBranch };
  }
  const head = owner.id === ownerById(forge, base.ownerId).id ? base : findFork(forge, base, owner);
  if (!head) throw notFound(undefined, 'GetBaseRepo');
  return { head, headBranch };
}
