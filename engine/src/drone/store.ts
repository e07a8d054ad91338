import { type Store, type TestRequest, testRequest } from '@cc-ci/core';
import { type BuildRow, buildOf } from '../build-row.js';
import type { Build, BuildState } from '../engine.js';
import type { Standing, Wish } from './outcome.js';

/** Migrations of the database that ties our runs to Drone's builds; append, never edit. */
export const DRONE_MIGRATIONS = [
  `CREATE TABLE builds (
     place INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     recipe TEXT NOT NULL,
     request TEXT NOT NULL,
     -- The newest build in Drone when the request was noted: ours is a later one.
     after INTEGER NOT NULL,
     -- When Drone was asked to start it (ms), as long as its answer is not known.
     asked_at INTEGER,
     -- Drone's number of the build; none as long as it is not known that there is one.
     number INTEGER UNIQUE,
     state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'success', 'failure', 'error', 'cancelled', 'lost')),
     reason TEXT,
     created_at TEXT NOT NULL,
     started_at TEXT,
     finished_at TEXT,
     -- How somebody wants it to end: asked of Drone until it has ended.
     wish_state TEXT CHECK (wish_state IN ('cancelled', 'error')),
     wish_reason TEXT
   ) STRICT;
   CREATE INDEX builds_by_state ON builds (state, number);
   CREATE INDEX builds_by_recipe ON builds (recipe, place);`,
];

/** A request and what is known of its build in Drone. */
export interface DroneRow {
  id: string;
  request: TestRequest;
  after: number;
  askedAt: number | undefined;
  number: number | undefined;
  state: BuildState;
  startedAt: string | undefined;
  wish: Wish | undefined;
}

interface Raw extends BuildRow {
  after: number;
  asked_at: number | null;
  wish_state: Wish['state'] | null;
  wish_reason: string | null;
}

const OPEN = `state IN ('queued', 'running')`;
/** What people may see: a request that Drone never took is no build. */
const KNOWN = '(number IS NOT NULL OR finished_at IS NOT NULL)';

/** The request with this run id, whether Drone has taken it or not. */
export function findRow(store: Store, id: string): DroneRow | undefined {
  const raw = store.prepare<[string], Raw>('SELECT * FROM builds WHERE id = ?').get(id);
  return raw && toRow(raw);
}

/** Builds in Drone that have not ended as far as we know, the oldest first. */
export function openRows(store: Store): (DroneRow & { number: number })[] {
  return store
    .prepare<[], Raw>(`SELECT * FROM builds WHERE ${OPEN} AND number IS NOT NULL ORDER BY number`)
    .all()
    .map((raw) => ({ ...toRow(raw), number: raw.number ?? 0 }));
}

/** Requests that are not wanted any more, of which nobody knows whether Drone has taken them. */
export function unwantedRows(store: Store): DroneRow[] {
  return store
    .prepare<[], Raw>(`SELECT * FROM builds WHERE ${OPEN} AND number IS NULL AND wish_state IS NOT NULL`)
    .all()
    .map(toRow);
}

/** Notes a request before Drone is asked anything. */
export function insertRow(store: Store, request: TestRequest, after: number): void {
  store
    .prepare(
      `INSERT INTO builds (id, recipe, request, after, state, created_at) VALUES (?, ?, ?, ?, 'queued', ?)`,
    )
    .run(request.run, request.recipe, JSON.stringify(request), after, new Date().toISOString());
}

/** Notes that Drone is being asked, or (undefined) that it surely did not take the request. */
export function noteAsked(store: Store, id: string, at: number | undefined): void {
  store.prepare('UPDATE builds SET asked_at = ? WHERE id = ?').run(at ?? null, id);
}

/** Notes which build of Drone's it is. */
export function adopt(store: Store, id: string, number: number): void {
  store.prepare('UPDATE builds SET number = ?, asked_at = NULL WHERE id = ?').run(number, id);
}

/** Notes how a build that has not ended should; the first wish counts. @returns whether there was one to wish for */
export function noteWish(store: Store, id: string, wish: Wish): boolean {
  const { changes } = store
    .prepare(
      `UPDATE builds SET wish_state = coalesce(wish_state, ?), wish_reason = coalesce(wish_reason, ?)
       WHERE id = ? AND ${OPEN}`,
    )
    .run(wish.state, wish.reason, id);
  return changes > 0;
}

/** Notes that a build runs. @returns whether that is news */
export function noteRunning(store: Store, id: string, startedAt: string | undefined): boolean {
  const { changes } = store
    .prepare(`UPDATE builds SET state = 'running', started_at = ? WHERE id = ? AND state = 'queued'`)
    .run(startedAt ?? new Date().toISOString(), id);
  return changes > 0;
}

/** Ends a build that has not ended yet; a build that has keeps its end. */
export function noteEnd(store: Store, id: string, end: Standing): void {
  store
    .prepare(
      `UPDATE builds SET state = ?, reason = ?, started_at = ?, finished_at = ? WHERE id = ? AND ${OPEN}`,
    )
    .run(
      end.state,
      end.reason ?? null,
      end.startedAt ?? null,
      end.finishedAt ?? new Date().toISOString(),
      id,
    );
}

/** The build of this id, or undefined. */
export function findBuild(store: Store, id: string): Build | undefined {
  const raw = store.prepare<[string], Raw>(`SELECT * FROM builds WHERE id = ? AND ${KNOWN}`).get(id);
  return raw && buildOf(store, raw);
}

/** Builds, the newest first. */
export function listBuilds(store: Store, filter: { recipe?: string; limit?: number } = {}): Build[] {
  return store
    .prepare<[string | null, string | null, number], Raw>(
      `SELECT * FROM builds WHERE (? IS NULL OR recipe = ?) AND ${KNOWN} ORDER BY place DESC LIMIT ?`,
    )
    .all(filter.recipe ?? null, filter.recipe ?? null, filter.limit ?? -1)
    .map((raw) => buildOf(store, raw));
}

function toRow(raw: Raw): DroneRow {
  return {
    id: raw.id,
    request: testRequest.parse(JSON.parse(raw.request)),
    after: raw.after,
    askedAt: raw.asked_at ?? undefined,
    number: raw.number ?? undefined,
    state: raw.state,
    startedAt: raw.started_at ?? undefined,
    wish: raw.wish_state ? { state: raw.wish_state, reason: raw.wish_reason ?? '' } : undefined,
  };
}
