import type { Store, TestRequest } from '@cc-ci/core';
import { type BuildRow, buildOf } from './build-row.js';
import type { Build, BuildState } from './engine.js';

/** Migrations of the engine's database; append, never edit. */
export const ENGINE_MIGRATIONS = [
  `CREATE TABLE builds (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     recipe TEXT NOT NULL,
     request TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'success', 'failure', 'error', 'cancelled', 'lost')),
     reason TEXT,
     created_at TEXT NOT NULL,
     started_at TEXT,
     finished_at TEXT
   ) STRICT;
   CREATE INDEX builds_by_state ON builds (state, number);
   CREATE INDEX builds_by_recipe ON builds (recipe, number);`,
  // What ran without a supervisor ended with the engine it was a child of.
  `ALTER TABLE builds ADD COLUMN cancel_reason TEXT;
   UPDATE builds SET state = 'lost', finished_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
     reason = 'the engine was replaced by a newer one while this build ran; comment !testme to run it again'
   WHERE state = 'running';`,
];

/** The build of this id, or undefined. */
export function findBuild(store: Store, id: string): Build | undefined {
  const row = store.prepare<[string], BuildRow>('SELECT * FROM builds WHERE id = ?').get(id);
  return row && buildOf(store, row);
}

/** Builds, the newest first. */
export function listBuilds(store: Store, filter: { recipe?: string; limit?: number } = {}): Build[] {
  const rows = store
    .prepare<[string | null, string | null, number], BuildRow>(
      'SELECT * FROM builds WHERE (? IS NULL OR recipe = ?) ORDER BY number DESC LIMIT ?',
    )
    .all(filter.recipe ?? null, filter.recipe ?? null, filter.limit ?? -1);
  return rows.map((row) => buildOf(store, row));
}

/** Queues a request; a request whose run is known already changes nothing. */
export function insertBuild(store: Store, request: TestRequest): void {
  store
    .prepare(
      `INSERT INTO builds (id, recipe, request, state, created_at) VALUES (?, ?, ?, 'queued', ?)
       ON CONFLICT (id) DO NOTHING`,
    )
    .run(request.run, request.recipe, JSON.stringify(request), now());
}

/** Takes the oldest queued build and marks it running, in one step; undefined when the queue is empty. */
export function takeNextBuild(store: Store): Build | undefined {
  const row = store
    .prepare<[string], BuildRow>(
      `UPDATE builds SET state = 'running', started_at = ?
       WHERE number = (SELECT min(number) FROM builds WHERE state = 'queued') RETURNING *`,
    )
    .get(now());
  return row && buildOf(store, row);
}

/** How a build ended. */
export interface BuildEnd {
  state: BuildState;
  reason: string | undefined;
  /** ISO time. */
  at: string;
}

/** Ends a build that has not ended yet; a build that has keeps its end. */
export function finishBuild(store: Store, id: string, { state, reason, at }: BuildEnd): void {
  store
    .prepare(
      `UPDATE builds SET state = ?, reason = ?, finished_at = ? WHERE id = ? AND state IN ('queued', 'running')`,
    )
    .run(state, reason ?? null, at, id);
}

/** Builds that have been taken and have not ended, the oldest first. */
export function runningBuilds(store: Store): Build[] {
  return store
    .prepare<[], BuildRow>(`SELECT * FROM builds WHERE state = 'running' ORDER BY number`)
    .all()
    .map((row) => buildOf(store, row));
}

/**
 * Ends a queued build; notes of a running one that it is to end, for the first reason given. Others are left as they are.
 */
export function cancelBuild(store: Store, id: string, reason: string): void {
  store
    .prepare(
      `UPDATE builds SET state = 'cancelled', reason = ?, finished_at = ? WHERE id = ? AND state = 'queued'`,
    )
    .run(reason, now(), id);
  store
    .prepare(
      `UPDATE builds SET cancel_reason = ? WHERE id = ? AND state = 'running' AND cancel_reason IS NULL`,
    )
    .run(reason, id);
}

/** Why a running build is to end; undefined when it is not. */
export function cancelReason(store: Store, id: string): string | undefined {
  const row = store
    .prepare<[string], { cancel_reason: string | null }>('SELECT cancel_reason FROM builds WHERE id = ?')
    .get(id);
  return row?.cancel_reason ?? undefined;
}

function now(): string {
  return new Date().toISOString();
}
