import type { FastifyInstance } from 'fastify';
import { canSee } from '../access.js';
import { type Forge, repositoryById, userById } from '../forge.js';
import type { Activity, User } from '../model.js';
import { requireScopes, viewerOf } from './caller.js';
import { timestamp, userJson } from './people-json.js';
import { commentJson } from './pull-json.js';
import { repositoryJson } from './repository-json.js';
import { orgOf, pageOf, pagingOf, queryPart, setTotal } from './requests.js';

/** What happened in an organisation's repositories, the newest first. */
export function feedRoutes(app: FastifyInstance, forge: Forge): void {
  app.get('/orgs/:org/activities/feeds', (request, reply) => {
    requireScopes(request, ['organization']);
    const org = orgOf(forge, request);
    const viewer = viewerOf(request);
    const day = dayOf(queryPart(request, 'date'));
    const listed = forge.activities.filter(
      (activity) =>
        repositoryById(forge, activity.repoId).ownerId === org.id &&
        isTold(forge, activity, viewer) &&
        (!day || timestamp(activity.created).startsWith(day)),
    );
    setTotal(reply, listed.length);
    // Within one second the older comes first, as in Gitea over SQLite: nobody may lean on the order there.
    const newestFirst = listed.toSorted((a, b) => b.created.getTime() - a.created.getTime());
    return pageOf(newestFirst, pagingOf(request)).map((it) => activityJson(forge, it, org.id, viewer));
  });
}

/** A day as YYYY-MM-DD (UTC); what is not one is no filter. */
function dayOf(text: string | undefined): string | undefined {
  return text && /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined;
}

/** Whether somebody is told of an activity: they see its repository, and who did it does not hide from them. */
function isTold(forge: Forge, activity: Activity, viewer: User | undefined): boolean {
  if (!canSee(forge, viewer, repositoryById(forge, activity.repoId))) return false;
  const actor = userById(forge, activity.actorId);
  if (viewer?.admin || viewer?.id === actor.id) return true;
  if (actor.hideActivity || actor.visibility === 'private') return false;
  return actor.visibility === 'public' || viewer !== undefined;
}

function activityJson(forge: Forge, activity: Activity, receiver: number, viewer: User | undefined) {
  const repository = repositoryById(forge, activity.repoId);
  const said = activity.commentId === undefined ? undefined : forge.comments.get(activity.commentId);
  return {
    id: activity.id,
    user_id: receiver,
    op_type: activity.kind,
    act_user_id: activity.actorId,
    act_user: userJson(forge, userById(forge, activity.actorId)),
    repo_id: repository.id,
    repo: repositoryJson(forge, repository, viewer),
    comment_id: activity.commentId ?? 0,
    comment: said ? commentJson(forge, said, 'feed') : null,
    ref_name: activity.ref,
    is_private: repository.private,
    content: activity.content,
    created: timestamp(activity.created),
  };
}
