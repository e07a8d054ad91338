import { describeError, type Logger } from '@cc-ci/core';

export interface PollerOptions {
  /** Looks once. @returns whether anything was new */
  look(): Promise<boolean>;
  /** Whether there is nothing to look for. */
  isIdle(): boolean;
  /** Milliseconds between two looks. */
  shortest: number;
  longest: number;
  logger: Logger;
  signal: AbortSignal;
}

/** One who looks for all: again soon after something happened, less and less often while nothing does. */
export interface Poller {
  /** Resolves after a look that began after this call, or failed. */
  now(): Promise<void>;
  /** As `now`, unless the last look is younger than the shortest wait. */
  fresh(): Promise<void>;
  /** Resolves after the next look, whenever that is; `soon`: after the shortest wait. */
  next(soon: boolean): Promise<void>;
  /** There is something to look for. */
  wake(): void;
  /** Resolves when nothing is under way any more, after the signal. */
  stopped(): Promise<void>;
}

export function openPoller(options: PollerOptions): Poller {
  const { shortest, longest, signal, logger } = options;
  let wait = shortest;
  let failing = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  let waiting: (() => void)[] = [];

  async function lookOnce(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    lookedAt = performance.now();
    try {
      const news = await options.look();
      if (failing) logger.info('Drone answers again');
      failing = false;
      wait = news ? shortest : Math.min(longest, wait * 1.5);
    } catch (error) {
      if (!failing && !signal.aborted) logger.warn({ reason: describeError(error) }, 'Drone does not answer');
      failing = true;
      wait = Math.min(longest, wait * 2);
    }
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
    schedule();
  }

  function schedule(): void {
    if (signal.aborted || timer || options.isIdle()) return;
    // Spread, so that those whom one outage has stopped do not all come back at once.
    const spread = failing ? 0.5 + Math.random() : 1;
    timer = setTimeout(() => void now(), wait * spread);
  }

  function now(): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    if (following) return following;
    const mine: Promise<void> = Promise.resolve(current).then(async () => {
      following = undefined;
      current = mine;
      await lookOnce();
      if (current === mine) current = undefined;
    });
    following = mine;
    return mine;
  }

  function wake(): void {
    wait = shortest;
    if (!timer && !current) schedule();
    else if (timer) {
      clearTimeout(timer);
      timer = undefined;
      schedule();
    }
  }

  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    for (const go of waiting) go();
    waiting = [];
  });
  schedule();
  return {
    now,
    fresh: async () => {
      if (current || performance.now() - lookedAt >= shortest) await now();
    },
    next(soon) {
      if (signal.aborted) return Promise.resolve();
      const looked = new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
      if (soon) wake();
      return looked;
    },
    wake,
    async stopped() {
      while (current || following) await Promise.all([current, following]);
    },
  };
}
