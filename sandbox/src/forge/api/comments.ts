import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { allows, unitAccess } from '../access.js';
import { commentsOf, type Forge } from '../forge.js';
import type { Comment, Repository } from '../model.js';
import { comment, deleteComment } from '../pulls.js';
import { requireScopes, requireUser } from './caller.js';
import { ApiError, internalError, notFound } from './errors.js';
import { commentJson } from './pull-json.js';
import {
  bodyOf,
  pageOf,
  pagingOf,
  pathPart,
  pullOf,
  repositoryFor,
  repositoryOf,
  setTotal,
  updatedWithin,
} from './requests.js';

const text = z.object({ body: z.string('Required').min(1, 'Required') });

/** Comments of pull requests. */
export function commentRoutes(app: FastifyInstance, forge: Forge): void {
  app.addHook('preHandler', async (request) => requireScopes(request, ['issue']));

  app.get('/repos/:owner/:repo/issues/:index/comments', (request, reply) => {
    const pull = pullOf(forge, request, repositoryOf(forge, request));
    // Gitea finds nothing unexpected in a wrong number but an error of its own.
    if (!pull) throw internalError();
    const comments = commentsOf(forge, pull).filter(updatedWithin(request));
    setTotal(reply, comments.length);
    return comments.map((it) => commentJson(forge, it));
  });

  app.post('/repos/:owner/:repo/issues/:index/comments', (request, reply) => {
    const { repository, user } = repositoryFor(forge, request, 'repo.pulls', 'read');
    const { body } = bodyOf(request, text);
    const pull = pullOf(forge, request, repository);
    if (!pull) throw internalError();
    reply.code(201);
    return commentJson(forge, comment(forge, user, pull, body));
  });

  app.get('/repos/:owner/:repo/issues/comments', (request, reply) => {
    const repository = repositoryOf(forge, request);
    const comments = [...forge.comments.values()].filter(
      (it) => it.kind === 'comment' && forge.pulls.get(it.pullId)?.repoId === repository.id,
    );
    const wanted = comments.filter(updatedWithin(request));
    setTotal(reply, wanted.length);
    return pageOf(wanted, pagingOf(request)).map((it) => commentJson(forge, it));
  });

  app.get('/repos/:owner/:repo/issues/comments/:id', (request, reply) => {
    const { found } = findComment(forge, request);
    if (found.kind === 'event') return reply.code(204).send();
    return commentJson(forge, found);
  });

  app.patch('/repos/:owner/:repo/issues/comments/:id', (request, reply) => {
    const found = ownComment(forge, request);
    const { body } = bodyOf(request, text);
    if (found.kind === 'event') return reply.code(204).send();
    found.body = body;
    found.updated = forge.now();
    return commentJson(forge, found);
  });

  app.delete('/repos/:owner/:repo/issues/comments/:id', (request, reply) => {
    const found = ownComment(forge, request);
    if (found.kind === 'comment') deleteComment(forge, found);
    return reply.code(204).send();
  });
}

function findComment(forge: Forge, request: FastifyRequest): { found: Comment; repository: Repository } {
  const repository = repositoryOf(forge, request);
  const id = pathPart(request, 'id');
  const found = forge.comments.get(Number(id));
  if (!found) throw notFound(`comment does not exist [id: ${id}, issue_id: 0]`);
  if (forge.pulls.get(found.pullId)?.repoId !== repository.id) throw new ApiError(404);
  return { found, repository };
}

/** The comment in the path, where whoever asks wrote it or may write in its repository. */
function ownComment(forge: Forge, request: FastifyRequest): Comment {
  const user = requireUser(request);
  const { found, repository } = findComment(forge, request);
  const writes = allows(unitAccess(forge, user, repository, 'repo.pulls'), 'write');
  if (found.authorId !== user.id && !writes) throw new ApiError(403);
  return found;
}
