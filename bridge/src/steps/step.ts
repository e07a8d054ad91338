import type { Outcome, TestRequest } from '@cc-ci/core';
import type { BridgeContext } from '../context.js';
import type { TriggerEvent } from '../machine.js';
import { type Progress, readProgress } from '../progress.js';
import type { Trigger, TriggerFacts } from '../triggers.js';

/** What a step came to. `again`: nothing more to do until the build moves on. */
export interface StepResult {
  event: TriggerEvent;
  facts?: Partial<TriggerFacts>;
  again?: boolean;
}

/**
 * One step. It may be done a second time after a crash and must then lead to the same: whatever it does outside is
 * idempotent, or looked for before it is done.
 * @throws whatever kept it from being done; it is tried again later
 */
export type Step = (context: BridgeContext, trigger: Trigger) => Promise<StepResult>;

/** The step that follows from our having said something, or from there being nowhere to say it. */
export function afterSaying(
  said: { replyId: number; replyBody: string } | { gone: string },
  event: TriggerEvent,
): StepResult {
  if ('gone' in said) return { event: 'pull-is-gone', facts: { reason: said.gone } };
  return { event, facts: said };
}

/** The recipe a trigger is about: the last part of its repository's name. */
export function recipeOf(trigger: Trigger): string {
  return trigger.repo.slice(trigger.repo.lastIndexOf('/') + 1);
}

/** What the engine is asked for; the forge's part of it is checked before. */
export function requestOf(trigger: Trigger): Record<keyof TestRequest, unknown> {
  return {
    run: trigger.run,
    recipe: recipeOf(trigger),
    ref: trigger.sha,
    src: trigger.src,
    origin: trigger.origin,
    repo: trigger.repo,
    pr: trigger.pr,
    requestedBy: trigger.author,
  };
}

/** What comments on a run say of it. */
export function factsOf({ publicUrl }: BridgeContext, trigger: Trigger) {
  return {
    publicUrl,
    run: trigger.run,
    recipe: recipeOf(trigger),
    sha: trigger.sha ?? '',
    author: trigger.author,
    src: trigger.src ?? undefined,
    origin: trigger.origin ?? undefined,
    hasPage: !isUnbuilt(trigger),
  };
}

/** Whether a run was stopped before its build was started: the engine has none, and the dashboard no page. */
export function isUnbuilt({ state, verdict, stopReason, stopPassedOn }: Trigger): boolean {
  return state === 'halted' || (verdict === 'cancelled' && stopReason !== null && stopPassedOn === 0);
}

/** Why a run was stopped, as everybody reads it. */
export function stopReasonOf(author: string): string {
  return `stopped by ${author}`;
}

/** What a run came to that was stopped by a command: whoever did it is named, not where it stood then. */
export function stoppedOutcome(reason: string, outcome?: Outcome): Outcome {
  return { evidence: [], ...outcome, verdict: 'cancelled', blame: 'cancelled', sentence: reason };
}

/** How far a run is. */
export async function look(context: BridgeContext, trigger: Trigger): Promise<Progress> {
  const progress = await readProgress(trigger.run, await context.engine.get(trigger.run), context.readRecord);
  if (progress.phase !== 'ended' || progress.outcome.verdict !== 'cancelled' || trigger.stopReason === null) {
    return progress;
  }
  return { ...progress, outcome: stoppedOutcome(trigger.stopReason, progress.outcome) };
}
