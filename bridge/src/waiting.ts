import { grantRejection } from './answers.js';
import { say } from './comments.js';
import type { BridgeContext } from './context.js';
import { ForgeError } from './forge/errors.js';
import { recipeOf } from './steps/step.js';
import { noteReply, type Trigger } from './triggers.js';
import { type WaitingState, waitingComment } from './words.js';

/** Where it may be said. A step that asks the forge only to comment fails where this would fail, too. */
const STATES: Record<WaitingState, { onlySays: boolean }> = {
  seen: { onlySays: false },
  authorised: { onlySays: false },
  resolved: { onlySays: false },
  pending: { onlySays: false },
  started: { onlySays: true },
  answering: { onlySays: true },
};

/**
 * Tells who gave a command of which nothing has been said yet that it waits, once its step has failed for long: of
 * `error` the last time. That comment becomes the answer later. A courtesy: where it cannot be said, it is not.
 * @throws SqliteError when it cannot be kept that it was said
 */
export async function tellWaiting(context: BridgeContext, trigger: Trigger, error: unknown): Promise<void> {
  const { state, run } = trigger;
  if (!isWaiting(state) || trigger.attempts + 1 < context.timing.tellAfter) return;
  if (error instanceof ForgeError && (STATES[state].onlySays || error.kind === 'rate-limited')) return;
  if (context.forge.quietMs() > 0) return;
  try {
    if (!(await mayBeTold(context, trigger))) return;
    const said = await say(context, trigger, waitingComment(run, state));
    if (!('gone' in said)) noteReply(context.store, trigger, said);
  } catch (failure) {
    if (!(failure instanceof ForgeError)) throw failure;
    context.logger.debug(
      { run, comment: trigger.commentId, err: failure.message },
      'that it waits cannot be said',
    );
  }
}

function isWaiting(state: Trigger['state']): state is WaitingState {
  return Object.hasOwn(STATES, state);
}

/** While nobody knows whether they may ask, they hear as much as somebody who may not: seldom, and only at home. */
async function mayBeTold({ rules, store }: BridgeContext, trigger: Trigger): Promise<boolean> {
  if (trigger.state !== 'seen' || trigger.replyId !== null) return true;
  const isHome = await rules.enrolment.admits(recipeOf(trigger)).catch(() => false);
  return isHome && grantRejection(store, trigger, Date.now());
}
