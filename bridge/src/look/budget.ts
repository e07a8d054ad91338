import type { Now } from './clock.js';

/** So many requests a minute, and no more than one look's share of them at once. */
export interface Budget {
  /** How many requests may be made now. */
  left(): number;
  /** One was made. It may be one too many: then later ones wait for it. */
  spend(): void;
}

/** @param everyMs how often the budget is asked; what is not spent in that time is lost */
export function createBudget(perMinute: number, everyMs: number, now: Now): Budget {
  const perMs = perMinute / 60_000;
  const most = Math.max(1, perMs * everyMs);
  let saved = most;
  let at = now();
  const refill = () => {
    saved = Math.min(most, saved + (now() - at) * perMs);
    at = now();
  };
  return {
    left() {
      refill();
      return Math.max(0, Math.floor(saved + 1e-9));
    },
    spend() {
      refill();
      saved -= 1;
    },
  };
}
