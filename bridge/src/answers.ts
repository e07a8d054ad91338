import type { Store } from '@cc-ci/core';
import type { Trigger } from './triggers.js';

/** A stranger is told once in this many milliseconds that they may not ask, however often and wherever they do. */
const REJECTION_EVERY_MS = 24 * 3_600_000;

/**
 * Whether a trigger's author, who may not ask, is told so: once a day, and once in a pull request. Asked again about
 * the same trigger, the answer is the same.
 * @param now milliseconds since 1970
 */
export function grantRejection(store: Store, trigger: Trigger, now: number): boolean {
  return grant(
    store,
    trigger,
    'rejected',
    'author = @author AND (granted_at > @since OR (repo = @repo AND pr = @pr))',
    now,
  );
}

/** Whether a pull request is told that its repository is not enrolled: once. */
export function grantNotEnrolled(store: Store, trigger: Trigger, now: number): boolean {
  return grant(store, trigger, 'not-enrolled', 'repo = @repo AND pr = @pr', now);
}

function grant(store: Store, trigger: Trigger, kind: string, unless: string, now: number): boolean {
  const { run, author, repo, pr } = trigger;
  const values = { run, kind, author, repo, pr, now, since: now - REJECTION_EVERY_MS };
  // One statement each for what is asked and what is noted would let two pull requests both be granted the answer.
  const insert = store.prepare<[typeof values]>(
    `INSERT INTO answers (run, kind, author, repo, pr, granted_at)
     SELECT @run, @kind, @author, @repo, @pr, @now
     WHERE NOT EXISTS (SELECT 1 FROM answers WHERE kind = @kind AND (${unless}) AND @since IS NOT NULL)
     ON CONFLICT (run) DO NOTHING`,
  );
  const granted = store.prepare<[string, string]>('SELECT 1 FROM answers WHERE run = ? AND kind = ?');
  insert.run(values);
  return granted.get(run, kind) !== undefined;
}
