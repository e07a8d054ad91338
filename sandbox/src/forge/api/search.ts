import type { FastifyInstance, FastifyRequest } from 'fastify';
import { canSee } from '../access.js';
import { commentsOf, type Forge, findOwner, fullName, ownerById, repositoryById, rootUrl } from '../forge.js';
import type { Pull } from '../model.js';
import { requireScopes, viewerOf } from './caller.js';
import { refuse } from './errors.js';
import { timestamp, userJson } from './people-json.js';
import { isDraft, pullUrl } from './pull-json.js';
import { pageOf, pagingOf, queryPart, setLinks, updatedWithin } from './requests.js';

/** Gitea takes the page size of its own pages here, not that of its API. */
const DEFAULT_LIMIT = 20;

/**
 * The search over all repositories. Of Gitea's filters it knows owner, type, state, since and before; there are no
 * issues on this forge but pull requests.
 */
export function searchRoutes(app: FastifyInstance, forge: Forge): void {
  app.get('/repos/issues/search', (request, reply) => {
    requireScopes(request, ['issue']);
    const isChangedThen = updatedWithin(request);
    const isWanted = [isOwned(forge, request), isInState(request), isPullWanted(request)];
    const viewer = viewerOf(request);
    const found = [...forge.pulls.values()].filter(
      (pull) =>
        isChangedThen(pull) &&
        isWanted.every((fits) => fits(pull)) &&
        canSee(forge, viewer, repositoryById(forge, pull.repoId)),
    );
    // The newest first by when they were opened, whenever they were changed.
    found.sort((a, b) => b.created.getTime() - a.created.getTime() || b.id - a.id);
    const paging = pagingOf(request, DEFAULT_LIMIT);
    setLinks(forge, request, reply, found.length, paging);
    return pageOf(found, paging).map((pull) => issueJson(forge, pull));
  });
}

function isOwned(forge: Forge, request: FastifyRequest): (pull: Pull) => boolean {
  const name = queryPart(request, 'owner');
  if (!name) return () => true;
  const owner = findOwner(forge, name);
  if (!owner) throw refuse(400, `user does not exist [uid: 0, name: ${name}]`);
  return (pull) => repositoryById(forge, pull.repoId).ownerId === owner.id;
}

function isInState(request: FastifyRequest): (pull: Pull) => boolean {
  const asked = queryPart(request, 'state');
  if (asked === 'all') return () => true;
  const state = asked === 'closed' ? 'closed' : 'open';
  return (pull) => pull.state === state;
}

function isPullWanted(request: FastifyRequest): () => boolean {
  const type = queryPart(request, 'type');
  return () => type !== 'issues';
}

/** A pull request as Gitea shows it among issues. */
function issueJson(forge: Forge, pull: Pull) {
  const repository = repositoryById(forge, pull.repoId);
  const owner = ownerById(forge, repository.ownerId);
  const name = fullName(forge, repository);
  const page = pullUrl(forge, pull);
  return {
    id: pull.id,
    url: `${rootUrl(forge)}/api/v1/repos/${name}/issues/${pull.number}`,
    html_url: page,
    number: pull.number,
    user: userJson(forge, ownerById(forge, pull.authorId)),
    original_author: '',
    original_author_id: 0,
    title: pull.title,
    body: pull.body,
    ref: '',
    assets: [],
    labels: [],
    milestone: null,
    assignee: null,
    assignees: null,
    state: pull.state,
    is_locked: false,
    comments: commentsOf(forge, pull).length,
    created_at: timestamp(pull.created),
    updated_at: timestamp(pull.updated),
    closed_at: pull.closed ? timestamp(pull.closed) : null,
    due_date: null,
    pull_request: { merged: false, merged_at: null, draft: isDraft(pull), html_url: page },
    repository: { id: repository.id, name: repository.name, owner: owner.login, full_name: name },
    pin_order: 0,
  };
}
