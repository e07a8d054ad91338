import { type Backoff, backoffMs } from '../backoff.js';
import { ForgeError } from '../forge/errors.js';
import type { Now } from './clock.js';
import type { RepoResults } from './reading.js';

/**
 * Repositories that the forge fails about: each is left alone for longer and longer, so that looking at all others keeps
 * its pace. A forge that limits us, or does not answer at all, is not a repository's affair: then the looks wait.
 */
export interface Rests {
  isResting(repo: string): boolean;
  /** Whether reading it failed the last time. */
  hasFailed(repo: string): boolean;
  note(results: Pick<RepoResults, 'read' | 'gone' | 'failures'>): void;
}

export function createRests(retry: Backoff, now: Now): Rests {
  const failing = new Map<string, { failures: number; until: number }>();
  return {
    isResting: (repo) => (failing.get(repo)?.until ?? Number.NEGATIVE_INFINITY) > now(),
    hasFailed: (repo) => failing.has(repo),
    note({ read, gone, failures }) {
      for (const repo of [...read, ...gone]) failing.delete(repo);
      for (const [repo, error] of failures) {
        const count = (failing.get(repo)?.failures ?? 0) + 1;
        const waitMs = isOfRepository(error) ? backoffMs(count, retry) : 0;
        failing.set(repo, { failures: count, until: now() + waitMs });
      }
    },
  };
}

function isOfRepository(error: unknown): boolean {
  return error instanceof ForgeError && error.status !== undefined && error.kind !== 'rate-limited';
}
