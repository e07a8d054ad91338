import { describeError, type Logger } from '@cc-ci/core';
import { type Backoff, backoffMs, pause } from './backoff.js';
import { ForgeError } from './forge/errors.js';
import type { Observer } from './observer.js';

/** How the last look at the forge went. */
export interface PollHealth {
  /** Of the last look that went well; ISO time. */
  lookedAt: string | undefined;
  /** Failures in a row since then, and the last one's reason. */
  failures: number;
  reason: string | undefined;
}

/** Something that is looked at again and again. */
export interface Poller {
  /** Ends after the first look, whether it went well or not. */
  firstLook: Promise<void>;
  health(): PollHealth;
  /** Ends after the look that is under way. */
  stop(): Promise<void>;
}

/**
 * Calls `look` every `intervalMs` milliseconds; after failures it waits longer and longer. Before each look it waits as
 * long as the forge asked to be left alone, whichever request it answered so. Comes back to its pace by itself.
 */
export function startPoller(options: {
  look: () => Promise<unknown>;
  /** Milliseconds from now for which the forge wants to be left alone. */
  quietMs: () => number;
  intervalMs: number;
  retry: Backoff;
  logger: Logger;
  observer: Observer;
}): Poller {
  const stopping = new AbortController();
  const health: PollHealth = { lookedAt: undefined, failures: 0, reason: undefined };

  async function look(): Promise<number> {
    const begin = performance.now();
    const took = () => performance.now() - begin;
    try {
      await options.look();
      options.observer.looked('ok', took());
      if (health.failures > 0) options.logger.info({ failures: health.failures }, 'the forge answers again');
      Object.assign(health, { lookedAt: new Date().toISOString(), failures: 0, reason: undefined });
      return options.intervalMs;
    } catch (error) {
      options.observer.looked('failed', took());
      const reason = describeError(error);
      const retryAfterMs = error instanceof ForgeError ? error.retryAfterMs : undefined;
      Object.assign(health, { failures: health.failures + 1, reason });
      const waitMs = Math.max(options.intervalMs, backoffMs(health.failures, options.retry, retryAfterMs));
      options.logger.warn({ failures: health.failures, waitMs: Math.round(waitMs) }, reason);
      return waitMs;
    }
  }

  async function loop(firstWait: Promise<number>): Promise<void> {
    await pause(await firstWait, stopping.signal);
    while (!stopping.signal.aborted) {
      // What the driver asks meanwhile may be answered so, too.
      const quietMs = options.quietMs();
      await pause(quietMs > 0 ? quietMs : await look(), stopping.signal);
    }
  }

  const first = look();
  const ended = loop(first);
  return {
    firstLook: first.then(() => undefined),
    health: () => ({ ...health }),
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
