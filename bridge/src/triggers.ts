import { newRunId, type Store, type Verdict } from '@cc-ci/core';
import { type Command, type Decision, isCommand } from './command.js';
import { isFinal, STATES, type TriggerEvent, type TriggerState, transition } from './machine.js';
import type { StoppedRun } from './words.js';

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
  /** 1 once the engine knows that the build is to be stopped. */
  stopPassedOn: 0 | 1;
}

/** One command and all that became of it. */
export interface Trigger extends TriggerFacts {
  /** Counts the triggers in the order they were seen. */
  number: number;
  commentId: number;
  run: string;
  repo: string;
  pr: number;
  author: string;
  command: Command;
  state: TriggerState;
  /** Who stopped it, in the words people read; null while nobody has. */
  stopReason: string | null;
  /** Failures in a row of the step it waits for, and what the last one was. */
  attempts: number;
  lastError: string | null;
  /** When its next step is due, in milliseconds since 1970; null when there is none. */
  dueAt: number | null;
}

const COLUMNS = `number, comment_id AS commentId, run, repo, pr, author, command, state, sha, src, origin, reason,
  reply_id AS replyId, reply_body AS replyBody, verdict, sentence, stop_reason AS stopReason,
  stop_passed_on AS stopPassedOn, attempts, last_error AS lastError, due_at AS dueAt`;

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
    `INSERT INTO triggers (comment_id, run, repo, pr, author, command, state, due_at, seen_at, updated_at)
     VALUES (@commentId, @run, @repo, @pr, @author, @decision, 'seen', @now, @seenAt, @seenAt)`,
  );
  const record = store.transaction(() => {
    alongside();
    return comments.filter((comment) => {
      if (insertComment.run({ ...comment, seenAt }).changes === 0) return false;
      if (isCommand(comment.decision)) insertTrigger.run({ ...comment, run: newRunId(), now, seenAt });
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

/**
 * The due triggers of so many pull requests at most, those first that have waited the longest, in the order they were
 * seen. In a burst there are thousands more, which are not to be read again and again.
 */
export function dueOfPulls(store: Store, now: number, pulls: number): Trigger[] {
  return store
    .prepare<[{ now: number; pulls: number }], Trigger>(
      `SELECT ${COLUMNS} FROM triggers
       WHERE due_at <= @now AND (repo, pr) IN (
         SELECT repo, pr FROM triggers WHERE due_at <= @now GROUP BY repo, pr ORDER BY min(number) LIMIT @pulls)
       ORDER BY number`,
    )
    .all({ now, pulls })
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
         reply_id = @replyId, reply_body = @replyBody, verdict = @verdict, sentence = @sentence, stop_passed_on = @stopPassedOn,
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

/** Keeps which comment of ours is on a trigger, which has not moved on by it. */
export function noteReply(
  store: Store,
  { number }: Trigger,
  { replyId, replyBody }: { replyId: number; replyBody: string },
): void {
  store
    .prepare('UPDATE triggers SET reply_id = ?, reply_body = ? WHERE number = ?')
    .run(replyId, replyBody, number);
}

/** States in which a run is still to be stopped: asked for, and not ended. */
const STOPPABLE = `('authorised', 'resolved', 'pending', 'started', 'tidying', 'announced', 'muted')`;

/**
 * Marks the earlier runs of a pull request that have not ended as to be stopped. Their own steps do the rest, and
 * are due at once. One whose author is not looked up yet is marked, too, but may come to nothing anyway.
 * @param stop the trigger that asks for it
 * @returns the runs that are being stopped, by this trigger or an earlier one
 */
export function markStopped(store: Store, stop: Trigger, reason: string, now: number): StoppedRun[] {
  const earlier = `command = 'testme' AND repo = @repo AND pr = @pr AND number < @number`;
  const mark = store.prepare<[Record<string, string | number>]>(
    `UPDATE triggers SET stop_number = @number, stop_reason = @reason, due_at = @now
     WHERE ${earlier} AND stop_number IS NULL AND (state = 'seen' OR state IN ${STOPPABLE})`,
  );
  const list = store.prepare<[Record<string, string | number>], { run: string; isBuilt: 0 | 1 }>(
    `SELECT run, (stop_passed_on = 1 OR state IN ('started', 'tidying', 'announced', 'muted')) AS isBuilt FROM triggers
     WHERE ${earlier} AND (state IN ${STOPPABLE} OR (stop_number = @number AND sha IS NOT NULL)) ORDER BY number`,
  );
  const { repo, pr, number } = stop;
  const both = store.transaction(() => {
    mark.run({ repo, pr, number, reason, now });
    return list.all({ repo, pr, number }).map(({ run, isBuilt }) => ({ run, hasPage: isBuilt === 1 }));
  });
  return both.immediate();
}

/** The newest run of a pull request before this trigger: one that was, is or will be built. */
export function newestRun(store: Store, { repo, pr, number }: Trigger): Trigger | undefined {
  const row = store
    .prepare<[string, number, number], Trigger>(
      `SELECT ${COLUMNS} FROM triggers
       WHERE command = 'testme' AND repo = ? AND pr = ? AND number < ?
         AND (state = 'authorised' OR (sha IS NOT NULL AND state <> 'refused'))
       ORDER BY number DESC LIMIT 1`,
    )
    .get(repo, pr, number);
  return row && checked(row);
}

/**
 * Runs of a pull request that have ended, have a comment that is not collapsed yet, and are older than this trigger:
 * or, when this one has ended, older than the newest that has.
 */
export function outdatedRuns(store: Store, { repo, pr, number }: Trigger): Trigger[] {
  const ended = `command = 'testme' AND repo = @repo AND pr = @pr AND verdict IS NOT NULL`;
  return store
    .prepare<[Record<string, string | number>], Trigger>(
      `SELECT ${COLUMNS} FROM triggers
       WHERE ${ended} AND collapsed = 0 AND reply_id IS NOT NULL AND state <> 'unanswerable'
         AND number < max(@number, (SELECT coalesce(max(number), 0) FROM triggers WHERE ${ended}))
       ORDER BY number`,
    )
    .all({ repo, pr, number })
    .map(checked);
}

/** Notes that a run's comment is collapsed, or cannot be. */
export function noteCollapsed(store: Store, { number }: Trigger): void {
  store.prepare('UPDATE triggers SET collapsed = 1 WHERE number = ?').run(number);
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
