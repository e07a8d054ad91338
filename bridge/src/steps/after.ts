import { sayBeside } from '../comments.js';
import type { BridgeContext } from '../context.js';
import { editComment } from '../forge/client.js';
import { ForgeError, isPassing } from '../forge/errors.js';
import { noteCollapsed, outdatedRuns, type Trigger } from '../triggers.js';
import { collapsedComment, mentionComment } from '../words.js';
import { factsOf, type StepResult, stopReasonOf } from './step.js';

/** The steps that nobody waits for: telling who asked, and tidying up the pull request. */

/** Tells who asked in a comment of its own: the edits before notified nobody. */
export async function tellAuthor(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const { verdict, sentence } = trigger;
  if (verdict === null || !isMentioned(context, trigger)) return { event: 'author-told' };
  const body = mentionComment(factsOf(context, trigger), { verdict, sentence: sentence ?? '' });
  const said = await sayBeside(context, trigger, body, 'done');
  if ('gone' in said) return { event: 'pull-is-gone', facts: { reason: said.gone } };
  return { event: 'author-told' };
}

/** Who stopped a run was answered then, and knows. */
function isMentioned({ rules: { mention } }: BridgeContext, trigger: Trigger): boolean {
  const { verdict, author, stopReason } = trigger;
  if (verdict === 'cancelled' && stopReason === stopReasonOf(author)) return false;
  return mention === 'always' || (mention === 'failure' && verdict !== 'green');
}

/**
 * Makes one line of the comments on runs that newer ones have followed. Whoever deleted one, or took the right to edit
 * it, has tidied up already.
 */
export async function tidy(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  for (const old of outdatedRuns(context.store, trigger)) {
    await collapse(context, old, trigger.attempts);
    noteCollapsed(context.store, old);
  }
  return { event: 'tidied' };
}

async function collapse(context: BridgeContext, old: Trigger, attempts: number): Promise<void> {
  if (old.replyId === null || old.verdict === null) return;
  const body = collapsedComment(factsOf(context, old), { verdict: old.verdict });
  try {
    await editComment(context.forge, old.repo, old.replyId, body);
  } catch (error) {
    if (!(error instanceof ForgeError) || isWorthRetrying(error, attempts)) throw error;
    context.logger.info({ run: old.run, err: error.message }, 'the comment on an older run is left as it is');
  }
}

/** A token may be made valid again; a comment that may not be edited stays as it is. */
function isWorthRetrying(error: ForgeError, attempts: number): boolean {
  return error.status === 401 || isPassing(error, attempts);
}
