import type { Blame, StageRecord, StageState, Verdict } from '@cc-ci/core';

/** The words that all comments share. */

/** Characters of foreign text shown, by what it is. */
export const LIMIT = {
  name: 200,
  sentence: 600,
  /** A sentence in a comment that is meant to be one line. */
  brief: 240,
  reason: 200,
  test: 120,
  /** A failed test's message in the table, and in full below it. */
  cell: 160,
  message: 4_000,
  evidence: 6_000,
  status: 140,
};

export const VERDICT_WORDS: Record<Verdict, string> = {
  green: '✓ **green**',
  red: '✗ **red**',
  error: '! **error**',
  cancelled: '– **cancelled**',
};

export const BLAME_WORDS: Record<Exclude<Blame, 'cancelled'>, string> = {
  recipe: 'the recipe',
  tests: 'the tests',
  ci: 'cc-ci itself, not the recipe',
  forge: 'the forge, not the recipe',
  timeout: 'the time limit',
};

export const STATE_WORDS: Record<StageState, string> = {
  pending: '· to come',
  running: '▸ running',
  passed: '✓ passed',
  failed: '✗ failed',
  'declared-skip': '– skipped, as its test folder says',
  'structural-skip': '– skipped, nothing to test',
  'base-broken': '○ not possible, the published version does not come up',
  'not-run': '! not run',
};

/** The same in a run that has ended, where nothing runs and nothing is to come. */
export const ENDED_STATE_WORDS: Record<StageState, string> = {
  ...STATE_WORDS,
  pending: '· not begun',
  running: '! no result',
};

/** How long a stage took; undefined until it has ended. */
export function durationOf(stage: StageRecord): string | undefined {
  if (!stage.startedAt || !stage.finishedAt) return undefined;
  return duration(Date.parse(stage.finishedAt) - Date.parse(stage.startedAt));
}

/** A duration for people: `0.4 s`, `32 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The time of day of an ISO instant. A text that says since when stays true; one that says for how long does not. */
export function clock(instant: string): string {
  return `${new Date(instant).toISOString().slice(11, 19)} UTC`;
}
