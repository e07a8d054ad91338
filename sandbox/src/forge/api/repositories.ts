import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { canSee, isMember, mayCreateIn, unitAccess } from '../access.js';
import { type Forge, findOrg, findRepository, fullName } from '../forge.js';
import type { Owner, Repository, User } from '../model.js';
import { branchName, repositoryName } from '../names.js';
import { createFork, createRepository, deleteRepository, findFork } from '../repositories.js';
import { requireScopes, requireUser, viewerOf } from './caller.js';
import { refuse } from './errors.js';
import { repositoryJson } from './repository-json.js';
import { bodyOf, orgOf, pageOf, pagingOf, repositoryFor, repositoryOf, setLinks } from './requests.js';

const newRepository = z.object({
  name: z.string('Required').min(1, 'Required').pipe(repositoryName),
  description: z.string().max(2048, 'MaxSize').default(''),
  private: z.boolean().default(false),
  default_branch: branchName.default('main'),
  auto_init: z.literal(false, 'is not part of this forge: push the first commit').optional(),
});

const newFork = z.object({ organization: z.string().optional(), name: repositoryName.optional() });

/** Repositories and their forks. */
export function repositoryRoutes(app: FastifyInstance, forge: Forge): void {
  async function create(actor: User, owner: Owner, wanted: z.output<typeof newRepository>) {
    if (findRepository(forge, owner.login, wanted.name)) {
      throw refuse(409, 'The repository with the same name already exists.');
    }
    const about = { ...wanted, defaultBranch: wanted.default_branch };
    const repository = await createRepository(forge, actor, owner, about);
    return repositoryJson(forge, repository, actor);
  }

  app.get('/orgs/:org/repos', (request, reply) => {
    requireScopes(request, ['organization']);
    const org = orgOf(forge, request);
    const viewer = viewerOf(request);
    const all = [...forge.repositories.values()].filter((it) => it.ownerId === org.id);
    // Gitea counts and cuts pages before it leaves out what one who signed in may not see: pages can be short.
    const listed = viewer ? all : all.filter((repository) => canSee(forge, viewer, repository));
    setLinks(forge, request, reply, listed.length);
    return pageOf(listed, pagingOf(request))
      .filter((repository) => canSee(forge, viewer, repository))
      .map((repository) => repositoryJson(forge, repository, viewer));
  });

  app.post('/orgs/:org/repos', async (request, reply) => {
    requireScopes(request, ['organization']);
    const org = orgOf(forge, request);
    const user = requireUser(request);
    const wanted = bodyOf(request, newRepository);
    if (!mayCreateIn(forge, org, user)) {
      throw refuse(403, 'Given user is not allowed to create repository in organization.');
    }
    return reply.code(201).send(await create(user, org, wanted));
  });

  app.post('/user/repos', async (request, reply) => {
    requireScopes(request, ['user', 'repository']);
    const user = requireUser(request);
    return reply.code(201).send(await create(user, user, bodyOf(request, newRepository)));
  });

  app.get('/repos/:owner/:repo', (request) => {
    requireScopes(request, ['repository']);
    return repositoryJson(forge, repositoryOf(forge, request), viewerOf(request));
  });

  app.delete('/repos/:owner/:repo', async (request, reply) => {
    requireScopes(request, ['repository']);
    const repository = repositoryOf(forge, request);
    const user = requireUser(request);
    if (unitAccess(forge, user, repository, 'repo.code') !== 'owner') {
      throw refuse(403, 'user should be the owner of the repo');
    }
    await deleteRepository(forge, user, repository);
    return reply.code(204).send();
  });

  app.post('/repos/:owner/:repo/forks', async (request, reply) => {
    requireScopes(request, ['repository']);
    const { repository, user } = repositoryFor(forge, request, 'repo.code', 'read');
    const wanted = bodyOf(request, newFork);
    const owner = wanted.organization === undefined ? user : forkingOrg(forge, user, wanted.organization);
    const name = wanted.name ?? repository.name;
    refuseSecond(forge, repository, owner, name);
    const fork = await createFork(forge, user, owner, repository, name);
    return reply.code(202).send(repositoryJson(forge, fork, user));
  });
}

function forkingOrg(forge: Forge, user: User, name: string): Owner {
  const org = findOrg(forge, name);
  if (!org) throw refuse(422, `org does not exist [id: 0, name: ${name}]`);
  if (!user.admin && !isMember(forge, org, user)) {
    throw refuse(403, `User is no Member of Organisation '${org.login}'`);
  }
  return org;
}

function refuseSecond(forge: Forge, parent: Repository, owner: Owner, name: string): void {
  const earlier = findFork(forge, parent, owner);
  if (earlier) {
    const [from, to] = [fullName(forge, parent), fullName(forge, earlier)];
    throw refuse(
      409,
      `repository is already forked by user [uname: ${owner.login}, repo path: ${from}, fork path: ${to}]`,
    );
  }
  if (findRepository(forge, owner.login, name)) {
    throw refuse(409, `repository already exists [uname: ${owner.login}, name: ${name}]`);
  }
}
