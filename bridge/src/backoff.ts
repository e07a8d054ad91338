import { setTimeout as delay } from 'node:timers/promises';

/** How failures are retried: waits double from `firstMs` up to `capMs`. */
export interface Backoff {
  firstMs: number;
  capMs: number;
}

/** No forge makes us wait longer than this, whatever it says. */
export const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * Milliseconds to wait after the `failures`th failure in a row (from 1): doubling, the upper half at random so that
 * many waiters do not come back at once, and never shorter than the forge asked for.
 */
export function backoffMs(
  failures: number,
  { firstMs, capMs }: Backoff,
  retryAfterMs = 0,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(capMs, firstMs * 2 ** (failures - 1));
  return Math.max(ceiling * (0.5 + random() / 2), Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
}

/** A sleep that can be ended early. A ring while nobody sleeps ends the next sleep at once. */
export interface Alarm {
  sleep(ms: number): Promise<void>;
  ring(): void;
}

export function createAlarm(): Alarm {
  let bell = new AbortController();
  return {
    async sleep(ms) {
      await pause(ms, bell.signal);
      bell = new AbortController();
    },
    ring: () => bell.abort(),
  };
}

/** Longest time a Node timer can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits for some milliseconds, or until `signal` is aborted; does not throw then. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, { signal }).catch(() => undefined);
}
