import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { canSee } from '../access.js';
import { type Caller, identify } from '../api/caller.js';
import { ApiError } from '../api/errors.js';
import { createRefReader, headOf } from '../api/pull-json.js';
import { latestStatuses } from '../api/statuses.js';
import { commentsOf, type Forge, findPull, findRepository, fullName } from '../forge.js';
import type { Pull, Repository } from '../model.js';
import { html } from './html.js';
import { PAGE_POLICY, page } from './layout.js';
import { STYLE } from './style.js';
import { homePage, pullPage, pullsPage, repositoryPage } from './views.js';

interface Place {
  Params: { owner: string; repo: string; number: string };
}

/** The forge's pages for people, read only. They show what whoever asks may see: signed in by header, or anybody. */
export function forgePages(forge: Forge) {
  return async (app: FastifyInstance): Promise<void> => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'content-security-policy': PAGE_POLICY, 'x-content-type-options': 'nosniff' });
    });
    app.setNotFoundHandler((_request, reply) => missing(reply));
    app.setErrorHandler((error, request, reply) => {
      request.log.error({ err: error }, 'a page failed');
      const text = html`<h1>Something went wrong</h1><p>The forge's log says what.</p>`;
      return show(reply.code(500), page('Something went wrong', [], text));
    });

    app.get('/-/forge.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE));

    app.get('/', async (request, reply) => {
      const { user } = await visitor(forge, request);
      const seen = [...forge.repositories.values()].filter((it) => canSee(forge, user, it));
      return show(reply, homePage(forge, seen));
    });

    app.get<Place>('/:owner/:repo', async (request, reply) => {
      const { owner, repo } = request.params;
      if (repo.endsWith('.git')) {
        return reply.redirect(`/${encodeURIComponent(owner)}/${encodeURIComponent(repo.slice(0, -4))}`, 303);
      }
      const repository = await seenRepository(forge, request);
      if (!repository) return missing(reply);
      const refs = await createRefReader(forge)(repository);
      return show(reply, repositoryPage(forge, repository, refs));
    });

    app.get<Place>('/:owner/:repo/pulls', async (request, reply) => {
      const repository = await seenRepository(forge, request);
      if (!repository) return missing(reply);
      const pulls = [...forge.pulls.values()].filter((it) => it.repoId === repository.id);
      return show(reply, pullsPage(forge, repository, pulls.toReversed()));
    });

    app.get<Place>('/:owner/:repo/pulls/:number', async (request, reply) => {
      const repository = await seenRepository(forge, request);
      const pull = repository && findPull(forge, repository, Number(request.params.number));
      if (!repository || !pull) return missing(reply);
      return show(reply, await pullPageOf(forge, repository, pull));
    });
  };
}

async function pullPageOf(forge: Forge, repository: Repository, pull: Pull): Promise<string> {
  const head = await headOf(forge, pull, createRefReader(forge));
  const from = head.repository ? fullName(forge, head.repository) : undefined;
  return pullPage(forge, repository, pull, {
    head: { sha: head.sha, from },
    statuses: latestStatuses(forge, repository, head.sha),
    comments: commentsOf(forge, pull),
  });
}

async function seenRepository(forge: Forge, request: FastifyRequest<Place>): Promise<Repository | undefined> {
  const { user } = await visitor(forge, request);
  const repository = findRepository(forge, request.params.owner, request.params.repo);
  return repository && canSee(forge, user, repository) ? repository : undefined;
}

/** Who looks at a page; wrong credentials count as none. */
async function visitor(forge: Forge, request: FastifyRequest): Promise<Caller> {
  try {
    return await identify(forge, request.headers.authorization);
  } catch (error) {
    if (error instanceof ApiError) return { user: undefined, token: undefined };
    throw error;
  }
}

function show(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(text);
}

function missing(reply: FastifyReply): FastifyReply {
  const text = html`<h1>Not found</h1><p>There is no such page, or it is not shown to everybody.</p>`;
  return show(reply.code(404), page('Not found', [], text));
}
