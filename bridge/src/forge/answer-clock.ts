/** Answers that are remembered: enough to smooth, few enough that a clock that was set is followed within minutes. */
const REMEMBERED = 32;

/** The forge's clock, as far as its answers tell. */
export interface AnswerClock {
  /** Takes note of the `Date` header of an answer that came just now. */
  heard(date: string | undefined): void;
  /** Milliseconds since 1970 by the forge's clock; by ours until it has answered. */
  now(): number;
}

/**
 * Reads the forge's clock off its answers. A `Date` header is cut to whole seconds and is older than its arrival, so
 * each one shows the difference of the clocks too small: the greatest of the last ones is nearest to it. A guess, good
 * for how old something is; what must not be missed goes by times the forge wrote (look/clock.ts).
 */
export function createAnswerClock(ours: () => number = Date.now): AnswerClock {
  const differences: number[] = [];
  return {
    heard(date) {
      const at = Date.parse(date ?? '');
      if (Number.isNaN(at)) return;
      differences.push(at - ours());
      if (differences.length > REMEMBERED) differences.shift();
    },
    now: () => ours() + (differences.length > 0 ? Math.max(...differences) : 0),
  };
}
