import { describeError, type Store } from '@cc-ci/core';
import { backoffMs, createAlarm, pause } from './backoff.js';
import type { BridgeContext } from './context.js';
import { ForgeError } from './forge/errors.js';
import { isFinal } from './machine.js';
import type { StepResult } from './steps/step.js';
import { STEPS } from './steps.js';
import { advance, dueOfPulls, nextDue, postpone, type SeenBy, type Trigger } from './triggers.js';
import { createTurns } from './turns.js';
import { tellWaiting } from './waiting.js';

/** Milliseconds until the next look when no step is due; new triggers ring. */
const IDLE_MS = 3_600_000;
/**
 * Pull requests that are taken on at once. More would only wait for the forge's few connections, each with what it
 * remembers: a burst of thousands must not cost memory for thousands.
 */
const PULLS_AT_ONCE = 32;

/** Takes triggers through their steps. */
export interface Driver {
  /** Something may be due now; `via`: the way it was seen. */
  ring(via?: SeenBy): void;
  /** Ends after the steps that are under way. */
  stop(): Promise<void>;
}

/**
 * Takes every due trigger on: those of one pull request one after another, different pull requests side by side, so
 * that one that is stuck keeps nobody waiting.
 */
export function startDriver(context: BridgeContext): Driver {
  const stopping = new AbortController();
  const alarm = createAlarm();
  const busy = new Map<string, Promise<void>>();
  const turns = createTurns(stopping.signal);

  function launch(): void {
    if (busy.size >= PULLS_AT_ONCE) return;
    // Of those that are read here, all but the busy ones are free to be taken on.
    for (const [pull, triggers] of byPull(dueOfPulls(context.store, Date.now(), PULLS_AT_ONCE))) {
      if (busy.has(pull) || busy.size >= PULLS_AT_ONCE) continue;
      const work = advanceAll(context, triggers, turns.next, stopping.signal).finally(() => {
        busy.delete(pull);
        alarm.ring();
      });
      busy.set(pull, work);
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await alarm.sleep(launchAndPlan());
    }
    await Promise.all(busy.values());
  }

  function launchAndPlan(): number {
    try {
      launch();
      return untilNextDue(context.store, busy);
    } catch (error) {
      context.logger.error({ err: error }, 'the database failed; it is tried again');
      return context.timing.retry.firstMs;
    }
  }

  const ended = loop();
  return {
    ring(via) {
      if (via === 'webhook') turns.giveWay();
      alarm.ring();
    },
    async stop() {
      stopping.abort();
      alarm.ring();
      await ended;
    },
  };
}

function untilNextDue(store: Store, busy: ReadonlyMap<string, unknown>): number {
  // Whoever is done rings.
  if (busy.size >= PULLS_AT_ONCE) return IDLE_MS;
  const waiting = nextDue(store).filter((next) => !busy.has(pullOf(next)));
  const first = Math.min(Date.now() + IDLE_MS, ...waiting.map(({ dueAt }) => dueAt));
  return first - Date.now();
}

function byPull(triggers: readonly Trigger[]): Map<string, Trigger[]> {
  const groups = new Map<string, Trigger[]>();
  for (const trigger of triggers) {
    const group = groups.get(pullOf(trigger));
    if (group) group.push(trigger);
    else groups.set(pullOf(trigger), [trigger]);
  }
  return groups;
}

function pullOf({ repo, pr }: { repo: string; pr: number }): string {
  return `${repo}#${pr}`;
}

/** Takes triggers on in turn. Never fails: without a database there is nothing to do but wait. */
async function advanceAll(
  context: BridgeContext,
  triggers: readonly Trigger[],
  turn: () => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  for (const trigger of triggers) {
    try {
      await advanceFar(context, trigger, turn, stopping);
    } catch (error) {
      context.logger.error(
        { err: error, run: trigger.run, comment: trigger.commentId },
        'a step could not be kept; it will be done again',
      );
      await pause(context.timing.retry.firstMs, stopping);
    }
  }
}

/** Takes a trigger on until it has to wait for something. */
async function advanceFar(
  context: BridgeContext,
  trigger: Trigger,
  turn: () => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  let now: Trigger | undefined = trigger;
  while (now && !stopping.aborted) now = await advanceOnce(context, now, turn);
}

/** One step. @returns the trigger when its next step is due at once */
async function advanceOnce(
  context: BridgeContext,
  trigger: Trigger,
  turn: () => Promise<void>,
): Promise<Trigger | undefined> {
  if (isFinal(trigger.state)) return undefined;
  let result: StepResult;
  try {
    result = await STEPS[trigger.state](context, trigger);
  } catch (error) {
    putOff(context, trigger, error);
    await tellWaiting(context, trigger, error);
    return undefined;
  }
  await turn();
  const dueAt = Date.now() + (result.again ? context.timing.followMs : 0);
  const after = advance(context.store, trigger, result.event, result.facts ?? {}, dueAt);
  if (after.state !== trigger.state) {
    context.observer.moved(after, result.event);
    const { run, repo, pr, commentId, command, state, reason } = after;
    context.logger.info({ run, repo, pr, comment: commentId, command, state, reason }, result.event);
  }
  return result.again ? undefined : after;
}

function putOff(context: BridgeContext, trigger: Trigger, error: unknown): void {
  const retryAfterMs = error instanceof ForgeError ? error.retryAfterMs : undefined;
  const waitMs = backoffMs(trigger.attempts + 1, context.timing.retry, retryAfterMs);
  const why = describeError(error);
  const { run, commentId: comment, state } = trigger;
  context.logger.warn(
    { run, comment, state, attempts: trigger.attempts + 1, waitMs: Math.round(waitMs) },
    why,
  );
  postpone(context.store, trigger, why, Date.now() + Math.round(waitMs));
}
