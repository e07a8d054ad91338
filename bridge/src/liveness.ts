import type { Store } from '@cc-ci/core';
import { type Backoff, LONGEST_RETRY_AFTER_MS } from './backoff.js';
import { ForgeError } from './forge/errors.js';
import { dueTriggers, type Trigger } from './triggers.js';

/** A look reads page by page, each with its own time limit; after this long none is coming any more. Milliseconds. */
const LOOK_LIMIT_MS = 900_000;
/** A due step is many requests at most, each with its own time limit. Milliseconds. */
const STEP_LIMIT_MS = 600_000;
/** A busy machine is no dead loop. Milliseconds. */
const SLACK_MS = 60_000;

/** Tells what should have happened by now and has not. Nothing: all loops go round. */
export type Late = () => string[];

/**
 * Looks that can be told when they hang: they must end, and the next one must begin when the poller's pace says so.
 * @param quietMs milliseconds for which the forge asked to be left alone
 * @param now milliseconds of a clock that is never set
 */
export function watchLooks<T>(
  look: () => Promise<T>,
  { intervalMs, retry, quietMs }: { intervalMs: number; retry: Backoff; quietMs: () => number },
  now: () => number = () => performance.now(),
): { look: () => Promise<T>; late: Late } {
  let expected = { what: 'the first look at the forge', by: now() + SLACK_MS };
  const expectNext = (waitMs: number) => {
    expected = { what: 'the next look at the forge', by: now() + waitMs + SLACK_MS };
  };
  return {
    async look() {
      expected = { what: 'the end of a look at the forge', by: now() + LOOK_LIMIT_MS };
      try {
        const result = await look();
        expectNext(intervalMs);
        return result;
      } catch (error) {
        const asked = error instanceof ForgeError ? (error.retryAfterMs ?? 0) : 0;
        expectNext(Math.max(intervalMs, retry.capMs, Math.min(asked, LONGEST_RETRY_AFTER_MS)));
        throw error;
      }
    },
    late() {
      // Asked for by the answer to anybody's request, and kept by whoever looks.
      const quiet = quietMs();
      if (quiet > 0) expected.by = Math.max(expected.by, now() + quiet + SLACK_MS);
      return now() > expected.by ? [`${expected.what} is overdue`] : [];
    },
  };
}

/**
 * Watches that due triggers get on: one of a pull request whose triggers have been due for long, and all the same all
 * that time, tells of a driver that does not go round, or of a step that never ends. Must be asked every minute or so.
 */
export function watchTriggers(store: Store, now: () => number = Date.now): Late {
  const standing = new Map<string, { as: string; since: number }>();
  return () => {
    const at = now();
    const pulls = new Map<string, { as: string; dueAt: number }>();
    for (const { repo, pr, number, state, attempts, dueAt } of allDue(store)) {
      const pull = `${repo}#${pr}`;
      const before = pulls.get(pull) ?? { as: '', dueAt: Number.POSITIVE_INFINITY };
      pulls.set(pull, {
        as: `${before.as} ${number}:${state}:${attempts}:${dueAt}`,
        dueAt: Math.min(before.dueAt, dueAt ?? Number.POSITIVE_INFINITY),
      });
    }
    for (const [pull, { dueAt }] of pulls) if (dueAt > at - SLACK_MS) pulls.delete(pull);
    for (const pull of standing.keys()) if (!pulls.has(pull)) standing.delete(pull);
    for (const [pull, { as }] of pulls) {
      if (standing.get(pull)?.as !== as) standing.set(pull, { as, since: at });
    }
    return [...standing]
      .filter(([, { since }]) => at - since > STEP_LIMIT_MS)
      .map(([pull, { since }]) => `${pull} has not got on for ${Math.round((at - since) / 60_000)} minutes`);
  };
}

/** Every trigger that has a next step; none while the database cannot be read, which is not the loops' fault. */
function allDue(store: Store): Trigger[] {
  try {
    return dueTriggers(store, Number.MAX_SAFE_INTEGER);
  } catch {
    return [];
  }
}
