import { newRunId, type Store, type Verdict } from '@cc-ci/core';
import type { Decision } from './command.js';
import { isFinal, STATES, type TriggerEvent, type TriggerState, transition } from './machine.js';

/** What the steps of a trigger find out, one after another. */
export interface TriggerFacts {
  /** The commit to test, where it is fetched from, and the repository the pull request wants to go into. */
  sha: string | null;
  src: string | null;
  origin: string | null;
  /** Why nothing is tested, or why nothing can be said any more. */
  reason: string | null;
  /** Our comment in the pull request, and its text as we last wrote it. */
  replyId: number | null;
  replyBody: string | null;
  /** What the run came to. */
  verdict: Verdict | null;
  sentence: string | null;
}

/** One `!testme` and all that became of it. */
export interface Trigger extends TriggerFacts {
  /** Counts the triggers in the order they were seen. */
  number: number;
  commentId: number;
  run: string;
  repo: string;
  pr: number;
  author: string;
  state: TriggerState;
  /** Failures in a row of the step it waits for, and what the last one was. */
  attempts: number;
  lastError: string | null;
  /** When its next step is due, in milliseconds since 1970; null when there is none. */
  dueAt: number | null;
}

const COLUMNS = `number, comment_id AS commentId, run, repo, pr, author, state, sha, src, origin, reason,
  reply_id AS replyId, reply_body AS replyBody, verdict, sentence, attempts, last_error AS lastError, due_at AS dueAt`;

/** How a comment was seen. */
export type SeenBy = 'poll' | 'webhook';

/** A comment on a pull request, decided about. */
export interface SeenComment {
  commentId: number;
  repo: string;
  pr: number;
  author: string;
  /** By the forge's clock, in milliseconds since 1970 (whole seconds). */
  createdAt: number;
  decision: Decision;
}

/**
 * Takes note of comments, in one transaction with `alongside`. A comment that was seen before keeps what was decided
 * about it then.
 * @returns the comments that are new
 */
export function recordSeen(
  store: Store,
  comments: readonly SeenComment[],
  now: number,
  alongside: () => void = () => undefined,
): SeenComment[] {
  const seenAt = new Date(now).toISOString();
  const insertComment = store.prepare<[SeenComment & { seenAt: string }]>(
    `INSERT INTO inbox (comment_id, decision, seen_at) VALUES (@commentId, @decision, @seenAt)
     ON CONFLICT (comment_id) DO NOTHING`,
  );
  const insertTrigger = store.prepare<[SeenComment & { run: string; now: number; seenAt: string }]>(
    `INSERT INTO triggers (comment_id, run, repo, pr, author, state, due_at, seen_at, updated_at)
     VALUES (@commentId, @run, @repo, @pr, @author, 'seen', @now, @seenAt, @seenAt)`,
  );
  const record = store.transaction(() => {
    alongside();
    return comments.filter((comment) => {
      if (insertComment.run({ ...comment, seenAt }).changes === 0) return false;
      if (comment.decision === 'testme') insertTrigger.run({ ...comment, run: newRunId(), now, seenAt });
      return true;
    });
  });
  return record.immediate();
}

/** Triggers whose next step is due, in the order they were seen. */
export function dueTriggers(store: Store, now: number): Trigger[] {
  return store
    .prepare<[number], Trigger>(`SELECT ${COLUMNS} FROM triggers WHERE due_at <= ? ORDER BY number`)
    .all(now)
    .map(checked);
}

/** When the next step of each pull request is due, for those that have one. */
export function nextDue(store: Store): { repo: string; pr: number; dueAt: number }[] {
  return store
    .prepare<[], { repo: string; pr: number; dueAt: number }>(
      'SELECT repo, pr, min(due_at) AS dueAt FROM triggers WHERE due_at IS NOT NULL GROUP BY repo, pr',
    )
    .all();
}

/** All triggers, the oldest first. */
export function listTriggers(store: Store): Trigger[] {
  return store.prepare<[], Trigger>(`SELECT ${COLUMNS} FROM triggers ORDER BY number`).all().map(checked);
}

/**
 * Takes a trigger one step on and keeps what the step found, in one transaction.
 * @param dueAt when the step after it is due (milliseconds)
 * @returns the trigger as it is now
 * @throws Error when the table knows no such step, or the trigger is no longer where it was
 */
export function advance(
  store: Store,
  trigger: Trigger,
  event: TriggerEvent,
  facts: Partial<TriggerFacts>,
  dueAt: number,
): Trigger {
  const state = transition(trigger.state, event);
  const row = store
    .prepare<[Record<string, string | number | null>], Trigger>(
      `UPDATE triggers SET state = @state, sha = @sha, src = @src, origin = @origin, reason = @reason,
         reply_id = @replyId, reply_body = @replyBody, verdict = @verdict, sentence = @sentence,
         attempts = 0, last_error = NULL, due_at = @dueAt, updated_at = @updatedAt
       WHERE number = @number AND state = @from RETURNING ${COLUMNS}`,
    )
    .get({
      ...trigger,
      ...facts,
      state,
      from: trigger.state,
      dueAt: isFinal(state) ? null : dueAt,
      updatedAt: new Date().toISOString(),
    });
  if (!row) throw new Error(`the trigger of run ${trigger.run} is no longer ${trigger.state}`);
  return checked(row);
}

/** Puts off a step that failed until `dueAt` (milliseconds). */
export function postpone(store: Store, trigger: Trigger, error: string, dueAt: number): void {
  store
    .prepare('UPDATE triggers SET attempts = attempts + 1, last_error = ?, due_at = ? WHERE number = ?')
    .run(error, dueAt, trigger.number);
}

/** Whether a later trigger tests the same commit of the same repository: then that one's status counts. */
export function isOvertaken(store: Store, trigger: Trigger): boolean {
  const later = store
    .prepare('SELECT number FROM triggers WHERE repo = ? AND sha = ? AND number > ? LIMIT 1')
    .get(trigger.repo, trigger.sha, trigger.number);
  return later !== undefined;
}

function checked(row: Trigger): Trigger {
  if (STATES.includes(row.state)) return row;
  throw new Error(`the trigger of run ${row.run} is in a state this program does not know: ${row.state}`);
}
