import { type Store, testRequest } from '@cc-ci/core';
import type { Build, BuildState } from './engine.js';

/** What every engine's table `builds` has of a build. */
export interface BuildRow {
  /** Its place among all builds, from when it has one. */
  number: number | null;
  id: string;
  request: string;
  state: BuildState;
  reason: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

/** A build as the table has it; its place in the queue is counted among the table's own. */
export function buildOf(store: Store, row: BuildRow): Build {
  return {
    id: row.id,
    request: testRequest.parse(JSON.parse(row.request)),
    state: row.state,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    position: row.state === 'queued' && row.number !== null ? positionOf(store, row.number) : undefined,
    reason: row.reason ?? undefined,
  };
}

function positionOf(store: Store, number: number): number {
  const row = store
    .prepare<[number], { position: number }>(
      `SELECT count(*) AS position FROM builds WHERE state = 'queued' AND number <= ?`,
    )
    .get(number);
  return row?.position ?? 1;
}
