import { decide } from './command.js';
import type { BridgeContext } from './context.js';
import { type ForgeClient, listOrgActivities } from './forge/client.js';
import type { ForgeActivity } from './forge/schemas.js';
import type { Intake } from './intake.js';
import { type FeedMark, readMark, saveMark } from './store.js';
import type { SeenComment } from './triggers.js';

/**
 * How far behind the newest known entry the feed is read again, in milliseconds of the forge's clock. Within a
 * second the feed has no order, a slow transaction shows up late, and the forge's clock may be set back a little.
 */
const LOOK_BACK_MS = 120_000;

/**
 * A look at the organisation's feed, to be taken again and again: takes note of what is new and says how many
 * triggers are. One request while nothing happens.
 *
 * The first look ever only finds out where the feed ends: what was said before the bridge existed was not said to it.
 * Gitea leaves out what users do who hide their activity (a setting of theirs), save for administrators' eyes: their
 * comments are not seen here.
 * @throws ForgeError
 */
export function feedLook(context: BridgeContext, intake: Intake): () => Promise<number> {
  let lastLook: string | undefined;
  return async () => {
    const { store, forge, org } = context;
    const bot = await context.bot();
    const mark = readMark(store);
    const { activities, fingerprint } = await readFeed(forge, org, mark, lastLook);
    if (!activities) return 0;
    const newestAt = Math.max(mark?.newestAt ?? 0, ...activities.map(({ created }) => created));
    const baselineId = mark?.baselineId ?? Math.max(0, ...activities.map(({ id }) => id));
    const comments = activities
      .filter(({ id }) => id > baselineId)
      .flatMap((activity) => seenComment(activity, org, bot.id))
      .sort((a, b) => a.commentId - b.commentId);
    const triggers = intake.take(comments, 'poll', () => saveMark(store, { baselineId, newestAt }));
    lastLook = fingerprint;
    return triggers;
  };
}

/**
 * Reads the feed from its newest entry back to what is known.
 * @returns no activities when the feed is as it was at the last look, by its length and first page
 */
async function readFeed(
  forge: ForgeClient,
  org: string,
  mark: FeedMark | undefined,
  lastLook: string | undefined,
): Promise<{ activities: ForgeActivity[] | undefined; fingerprint: string | undefined }> {
  const known = new Map<number, ForgeActivity>();
  let fingerprint: string | undefined;
  let previous = '';
  for (let page = 1; ; page++) {
    const { activities, total } = await listOrgActivities(forge, org, page);
    const ids = activities.map(({ id }) => id).join();
    if (page === 1 && total !== undefined) {
      fingerprint = `${total} ${ids}`;
      if (fingerprint === lastLook) return { activities: undefined, fingerprint };
    }
    for (const activity of activities) known.set(activity.id, activity);
    const oldest = Math.min(...activities.map(({ created }) => created));
    // A forge that knows no pages gives the same one for ever.
    const isLast = ids === '' || ids === previous || known.size >= (total ?? Number.POSITIVE_INFINITY);
    if (!mark || isLast || oldest < mark.newestAt - LOOK_BACK_MS) {
      return { activities: [...known.values()], fingerprint };
    }
    previous = ids;
  }
}

/** The comment of a feed entry, decided about; none for everything else that happens in repositories. */
function seenComment(activity: ForgeActivity, org: string, botId: number): SeenComment[] {
  const { op_type, act_user, comment, repo } = activity;
  if (op_type !== 'comment_pull' || !comment || !repo || !act_user) return [];
  // A repository that was given to somebody else keeps its entries in the feed.
  if (repo.full_name.split('/')[0]?.toLowerCase() !== org.toLowerCase()) return [];
  const pr = pullNumber(activity, comment);
  if (pr === undefined) return [];
  const decision = decide(comment, act_user.id, botId);
  const { id, created_at: createdAt } = comment;
  return [{ commentId: id, repo: repo.full_name, pr, author: act_user.login, createdAt, decision }];
}

function pullNumber(
  { content }: ForgeActivity,
  { pull_request_url }: NonNullable<ForgeActivity['comment']>,
): number | undefined {
  const digits = /\/pulls\/(\d+)$/.exec(pull_request_url ?? '')?.[1] ?? /^(\d+)\|/.exec(content ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
