import type { BridgeContext } from './context.js';
import { setCommitStatus } from './forge/client.js';
import { ForgeError, isPassing } from './forge/errors.js';
import type { CommitState } from './forge/schemas.js';
import { isUnbuilt } from './steps/step.js';
import { forgetStatusRefusal, listStatusRefusals, rememberStatusRefusal } from './store.js';
import { isOvertaken, type Trigger } from './triggers.js';
import { runPage, STATUS_CONTEXT } from './words.js';

/** A forge that said no is asked again after this long: somebody may have given the bot the right. */
const REFUSED_FOR_MS = 3_600_000;

/**
 * Sets the commit status of a trigger's commit where the bot may. A status is a courtesy: what keeps it from being
 * set for good is logged, and the run goes on.
 * @throws ForgeError when it is worth another try
 */
export async function settleStatus(
  context: BridgeContext,
  trigger: Trigger,
  status: { state: CommitState; description: string },
): Promise<void> {
  const { store, logger, publicUrl } = context;
  if (trigger.sha === null || isOvertaken(store, trigger)) return;
  const refusal = listStatusRefusals(store).find(({ repo }) => repo === trigger.repo);
  if (refusal && Date.now() - refusal.refusedAt < REFUSED_FOR_MS) return;
  try {
    const answer = await setCommitStatus(context.forge, trigger.repo, trigger.sha, {
      ...status,
      context: STATUS_CONTEXT,
      target_url: isUnbuilt(trigger) ? `${publicUrl}/` : runPage({ publicUrl, run: trigger.run }),
    });
    if (answer === 'set') {
      if (refusal) forgetStatusRefusal(store, trigger.repo);
      return;
    }
    rememberStatusRefusal(store, { repo: trigger.repo, refusedAt: Date.now() });
    if (!refusal) {
      logger.info({ repo: trigger.repo }, 'the bot may not set commit statuses here; comments do without');
    }
  } catch (error) {
    if (!(error instanceof ForgeError) || isWorthRetrying(error, trigger.attempts)) throw error;
    const { run, commentId: comment, repo } = trigger;
    logger.warn({ run, comment, repo, err: error.message }, 'commit status left out');
  }
}

function isWorthRetrying(error: ForgeError, attempts: number): boolean {
  return error.kind === 'refused' || isPassing(error, attempts);
}
