import type { BridgeContext } from './context.js';
import { createComment, editComment, getPullRequest, listIssueComments } from './forge/client.js';
import { ForgeError } from './forge/errors.js';
import type { Trigger } from './triggers.js';
import { type CommentKind, isAbout } from './words.js';

/** Our comment in the pull request as it stands now, or why none can stand there. */
export type Said = { replyId: number; replyBody: string } | { gone: string };

/** A comment that is refused (403) this often in a row is given up: more than an hour with the default waits. */
const REFUSALS_BEFORE_GIVING_UP = 100;

/**
 * Makes our comment on a trigger say `body`: edits it if it is there, posts it if not. An earlier attempt may have
 * posted it without our knowing, so before posting the pull request's comments are searched for it.
 * @throws ForgeError when it is worth another try
 */
export async function say(
  context: BridgeContext,
  trigger: Trigger,
  body: string,
  kind?: CommentKind,
): Promise<Said> {
  if (trigger.replyBody === body && trigger.replyId !== null) {
    return { replyId: trigger.replyId, replyBody: body };
  }
  return unlessGone(context, trigger, async () => ({
    replyId: (await edited(context, trigger, body)) ?? (await ensure(context, trigger, body, kind)),
    replyBody: body,
  }));
}

/**
 * Sees to it that a comment of its own beside the one on the run stands in the pull request; once it does it is left
 * alone.
 * @throws ForgeError when it is worth another try
 */
export async function sayBeside(
  context: BridgeContext,
  trigger: Trigger,
  body: string,
  kind: CommentKind,
): Promise<{ id: number } | { gone: string }> {
  return unlessGone(context, trigger, async () => ({ id: await ensure(context, trigger, body, kind) }));
}

/** Edits the comment we know of. @returns undefined when there is none (any more) */
async function edited(context: BridgeContext, trigger: Trigger, body: string): Promise<number | undefined> {
  if (trigger.replyId === null) return undefined;
  try {
    await editComment(context.forge, trigger.repo, trigger.replyId, body);
    return trigger.replyId;
  } catch (error) {
    // Somebody deleted our comment: what became of the run is said all the same.
    if (!(error instanceof ForgeError) || error.kind !== 'not-found') throw error;
    return undefined;
  }
}

/** Finds our comment of this kind and makes it say `body`, or posts it. @returns its id */
async function ensure(
  context: BridgeContext,
  trigger: Trigger,
  body: string,
  kind: CommentKind | undefined,
): Promise<number> {
  const { forge } = context;
  const bot = await context.bot();
  const comments = await listIssueComments(forge, trigger.repo, trigger.pr);
  // An answer may have to replace what was said while the command waited.
  const kinds = kind === 'answer' ? [kind, undefined] : [kind];
  const ours = comments.find(
    ({ user, body: text }) => user.id === bot.id && kinds.some((it) => isAbout(trigger.run, text, it)),
  );
  if (!ours) return (await createComment(forge, trigger.repo, trigger.pr, body)).id;
  if (ours.body !== body) await editComment(forge, trigger.repo, ours.id, body);
  return ours.id;
}

async function unlessGone<T>(
  context: BridgeContext,
  trigger: Trigger,
  work: () => Promise<T>,
): Promise<T | { gone: string }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    const gone = await whyGone(context, trigger, error);
    if (gone === undefined) throw error;
    return { gone };
  }
}

/** Why no comment can ever be made here; undefined when another try may do. */
async function whyGone(
  context: BridgeContext,
  trigger: Trigger,
  error: ForgeError,
): Promise<string | undefined> {
  if (isGone(error)) return error.message;
  const { status = 0 } = error;
  if (error.kind === 'unexpected' && status >= 400) return error.message;
  if (status === 403 && trigger.attempts >= REFUSALS_BEFORE_GIVING_UP) return error.message;
  // Gitea answers 500 about the comments of a pull request that was deleted, and 404 only about itself.
  if (error.kind === 'unavailable' && status === 500 && !(await pullExists(context, trigger))) {
    return 'the pull request is gone';
  }
  return undefined;
}

async function pullExists(context: BridgeContext, trigger: Trigger): Promise<boolean> {
  try {
    await getPullRequest(context.forge, trigger.repo, trigger.pr);
    return true;
  } catch (error) {
    return !(error instanceof ForgeError && isGone(error));
  }
}

/** Whether the forge says that there is no such thing, or that the repository moved elsewhere. */
export function isGone(error: ForgeError): boolean {
  const { status = 0 } = error;
  return error.kind === 'not-found' || (status >= 301 && status <= 308);
}
