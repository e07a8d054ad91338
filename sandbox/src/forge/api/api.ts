import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Forge, rootUrl } from '../forge.js';
import { identify, setCaller } from './caller.js';
import { commentRoutes } from './comments.js';
import { ApiError, refuse } from './errors.js';
import { feedRoutes } from './feeds.js';
import { orgRoutes } from './orgs.js';
import { pullRoutes } from './pulls.js';
import { repositoryRoutes } from './repositories.js';
import { searchRoutes } from './search.js';
import { statusRoutes } from './statuses.js';
import { userRoutes } from './users.js';

/** Bytes a request's body may have: far more than any comment. */
const BODY_LIMIT = 8 * 1024 * 1024;

const GROUPS = [
  userRoutes,
  orgRoutes,
  repositoryRoutes,
  pullRoutes,
  commentRoutes,
  searchRoutes,
  statusRoutes,
  feedRoutes,
];

/**
 * Gitea's API as far as cc-ci uses it, to be registered under /api/v1. Where it knowingly differs: statuses must have
 * one of Gitea's states, first commits (`auto_init`) and the token scope `public-only` are refused, teams reach all
 * repositories or none, nothing can be merged, and pushes are taken in before they are answered.
 */
export function forgeApi(forge: Forge) {
  return async (app: FastifyInstance): Promise<void> => {
    acceptJsonOrNothing(app);
    app.setErrorHandler((error: FastifyError | ApiError, request, reply) => {
      const answer = error instanceof ApiError ? error : asApiError(error);
      if (answer !== error && answer.status >= 500) request.log.error({ err: error }, 'request failed');
      return send(forge, reply, answer);
    });
    app.setNotFoundHandler((_request, reply) => {
      return reply.code(404).type('text/plain').send('404 page not found');
    });
    app.addHook('onRequest', async (request) => {
      const caller = await identify(forge, request.headers.authorization);
      if (caller.user?.mustChangePassword) throw refuse(403, 'You must change your password.');
      setCaller(request, caller);
    });
    // Each group in a scope of its own: some ask the scope of a token for all their routes.
    for (const group of GROUPS) await app.register(async (scope) => group(scope, forge));
  };
}

// Clients may say "JSON" and send nothing with a DELETE or PUT; Fastify alone would refuse that.
function acceptJsonOrNothing(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'string', bodyLimit: BODY_LIMIT } as const;
  app.addContentTypeParser('application/json', options, async (_request: FastifyRequest, text: string) => {
    if (text === '') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw refuse(422, `[]: ${(error as Error).message}`);
    }
  });
}

function asApiError(error: FastifyError): ApiError {
  const status = error.statusCode ?? 500;
  if (status === 415) return refuse(422, '[]: Unsupported Content-Type');
  return refuse(status, status < 500 ? error.message : '');
}

function send(forge: Forge, reply: FastifyReply, { status, body }: ApiError): FastifyReply {
  reply.code(status);
  if (!body) return reply.send();
  return reply.send({ ...body, url: `${rootUrl(forge)}/api/swagger` });
}
