import { testRequest } from '@cc-ci/core';
import { say } from '../comments.js';
import type { BridgeContext } from '../context.js';
import { settleStatus } from '../statuses.js';
import type { Trigger } from '../triggers.js';
import { finalStatus, pendingStatus, progressComment } from '../words.js';
import { aftermathOf } from './aftermath.js';
import { afterSaying, factsOf, look, requestOf, type Step, type StepResult, stoppedOutcome } from './step.js';

/** The steps of a run, from its build's start to its status. */

/** Pending before anything else: a green status of an earlier run must not stand over this one. */
export async function sayPending(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  await settleStatus(context, trigger, pendingStatus());
  return { event: 'status-settled' };
}

/** Starts the build, unless it was stopped before. */
export async function start({ engine }: BridgeContext, trigger: Trigger): Promise<StepResult> {
  if (trigger.stopReason === null) {
    await engine.start(testRequest.parse(requestOf(trigger)));
    return { event: 'build-started' };
  }
  // An earlier attempt may have started it without our knowing.
  const build = await engine.get(trigger.run);
  return { event: build ? 'build-started' : 'stopped-before-start' };
}

/** Says of a run that it was stopped before its build was started. */
export async function halt(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const outcome = stoppedOutcome(trigger.stopReason ?? 'stopped before it was started');
  const { verdict, sentence } = outcome;
  const body = progressComment(factsOf(context, trigger), { phase: 'ended', outcome, stages: [] });
  const said = await say(context, trigger, body);
  return {
    event: 'build-ended',
    facts: { verdict, sentence, ...('gone' in said ? { reason: said.gone } : said) },
  };
}

/** A step of a run that may have been stopped: then the engine is told before anything else. */
export function stoppable(step: Step): Step {
  return async (context, trigger) => {
    if (trigger.stopReason === null || trigger.stopPassedOn === 1) return step(context, trigger);
    await context.engine.cancel(trigger.run, trigger.stopReason);
    return { event: 'stop-passed-on', facts: { stopPassedOn: 1 } };
  };
}

/** Posts the comment on the run. */
export async function announce(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const body = progressComment(factsOf(context, trigger), await look(context, trigger));
  return afterSaying(await say(context, trigger, body), 'comment-posted');
}

/** Keeps the comment up to date until the build has ended; then looks at the pull request once more. */
export async function follow(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const progress = await look(context, trigger);
  const aftermath = progress.phase === 'ended' ? await aftermathOf(context, trigger) : undefined;
  const said = await say(context, trigger, progressComment(factsOf(context, trigger), progress, aftermath));
  if ('gone' in said || progress.phase !== 'ended') {
    return { ...afterSaying(said, 'looked'), again: !('gone' in said) };
  }
  const { verdict, sentence } = progress.outcome;
  return { event: 'build-ended', facts: { ...said, verdict, sentence } };
}

/** Waits for the end of a build of which nothing can be said. */
export async function followSilently(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const progress = await look(context, trigger);
  if (progress.phase !== 'ended') return { event: 'looked', again: true };
  const { verdict, sentence } = progress.outcome;
  return { event: 'build-ended', facts: { verdict, sentence } };
}

/** Sets the commit's status. */
export async function conclude(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  if (trigger.verdict !== null) {
    await settleStatus(context, trigger, finalStatus(trigger.verdict, trigger.sentence ?? ''));
  }
  return { event: trigger.reason === null ? 'status-settled' : 'pull-is-gone' };
}
