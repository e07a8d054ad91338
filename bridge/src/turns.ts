import { pause } from './backoff.js';

/** Deliveries come in as long as the last one is no older than this. Milliseconds. */
const DELIVERIES_PAUSE_MS = 20;
/** No turn is put off longer than this for them: however many come, triggers get on. Milliseconds. */
const LONGEST_WAY_MS = 100;

/** Lets callers go on one after another, each in a turn of the event loop of its own. */
export interface Turns {
  /** Ends when it is the caller's turn. */
  next(): Promise<void>;
  /** A webhook delivery came in: turns are put off, since more may follow. */
  giveWay(): void;
}

/**
 * What a step found is kept by a transaction that waits for the disk, and all else waits with it: between two of them
 * deliveries and health checks are answered, and in a burst of deliveries these come first.
 * @param stopping once aborted, nothing is put off any more
 */
export function createTurns(stopping: AbortSignal): Turns {
  let last: Promise<void> = Promise.resolve();
  let calmAt = Number.NEGATIVE_INFINITY;

  async function take(): Promise<void> {
    const latest = performance.now() + LONGEST_WAY_MS;
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const waitMs = Math.min(calmAt, latest) - performance.now();
      if (waitMs <= 0 || stopping.aborted) return;
      await pause(waitMs, stopping);
    }
  }

  return {
    next() {
      last = last.then(take);
      return last;
    },
    giveWay() {
      calmAt = performance.now() + DELIVERIES_PAUSE_MS;
    },
  };
}
