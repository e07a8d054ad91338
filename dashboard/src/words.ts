import type { Blame, Finding, StageName, StageState } from '@cc-ci/core/reading';
import type { RunStatus } from './model.js';

/** How a state is shown: a word, a symbol of the page's icon set, and a tone that decides the colour. */
export interface Mark {
  word: string;
  icon: 'check' | 'cross' | 'alert' | 'dash' | 'clock' | 'play' | 'stop' | 'dot';
  tone: 'good' | 'bad' | 'warn' | 'live' | 'idle';
}

export const STATUS_MARKS: Record<RunStatus, Mark> = {
  queued: { word: 'queued', icon: 'clock', tone: 'idle' },
  running: { word: 'running', icon: 'play', tone: 'live' },
  green: { word: 'green', icon: 'check', tone: 'good' },
  red: { word: 'red', icon: 'cross', tone: 'bad' },
  error: { word: 'error', icon: 'alert', tone: 'warn' },
  cancelled: { word: 'cancelled', icon: 'stop', tone: 'idle' },
  lost: { word: 'lost', icon: 'alert', tone: 'warn' },
  broken: { word: 'broken', icon: 'alert', tone: 'warn' },
};

/** A stage's state; `unfinished`: its run ended before it did. */
export type ShownStageState = StageState | 'unfinished';

export const STAGE_MARKS: Record<ShownStageState, Mark> = {
  pending: { word: 'to come', icon: 'dot', tone: 'idle' },
  running: { word: 'running', icon: 'play', tone: 'live' },
  passed: { word: 'passed', icon: 'check', tone: 'good' },
  failed: { word: 'failed', icon: 'cross', tone: 'bad' },
  'declared-skip': { word: 'skipped', icon: 'dash', tone: 'idle' },
  'structural-skip': { word: 'n/a', icon: 'dash', tone: 'idle' },
  'base-broken': { word: 'no base', icon: 'alert', tone: 'warn' },
  'not-run': { word: 'not run', icon: 'alert', tone: 'warn' },
  unfinished: { word: 'no result', icon: 'alert', tone: 'warn' },
};

/** A finding of static lint, by its severity. */
export const FINDING_MARKS: Record<Finding['severity'], Mark> = {
  error: { word: 'error', icon: 'cross', tone: 'bad' },
  warning: { word: 'warning', icon: 'alert', tone: 'warn' },
  note: { word: 'note', icon: 'dot', tone: 'idle' },
};

/** What a stage's state means, where the word alone may leave a reader guessing. */
export const STAGE_HINTS: Partial<Record<ShownStageState, string>> = {
  'declared-skip': 'The tests of this recipe say that it is to be skipped.',
  'structural-skip': 'This recipe has nothing that could be tested here.',
  'base-broken': 'The published version to upgrade from does not come up; that says nothing of this change.',
  'not-run': 'It should have run and did not.',
  unfinished: 'The run ended before this stage did.',
};

export const STAGE_TITLES: Record<StageName, string> = {
  prepare: 'Prepare',
  install: 'Install',
  upgrade: 'Upgrade',
  backup: 'Backup',
  'recipe-tests': 'Recipe tests',
  teardown: 'Teardown',
};

export const BLAME_WORDS: Record<Blame, string> = {
  recipe: 'the recipe',
  tests: 'the tests',
  ci: 'cc-ci itself',
  forge: 'the forge',
  timeout: 'time ran out',
  cancelled: 'cancelled by somebody',
};

/** The same for a table's narrow column. */
export const BLAME_SHORT: Record<Blame, string> = {
  recipe: 'recipe',
  tests: 'tests',
  ci: 'cc-ci',
  forge: 'forge',
  timeout: 'timeout',
  cancelled: 'cancelled',
};

/** A time in few characters: "480 ms", "4.2 s", "1 min 05 s", "2 h 03 min". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** The milliseconds between two ISO times; undefined while one of them is missing. */
export function between(start: string | undefined, end: string | undefined): number | undefined {
  if (start === undefined || end === undefined) return undefined;
  return Math.max(0, Date.parse(end) - Date.parse(start));
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "21 Nov 2026, 08:23", in UTC, as the foot of every page says. */
export function formatInstant(iso: string): string {
  const date = new Date(iso);
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** "4.1 MB" */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** "1 test", "2 tests" */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
