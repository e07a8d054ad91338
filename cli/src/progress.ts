import { stripVTControlCharacters, styleText } from 'node:util';
import {
  type Blame,
  isTornDown,
  type RunRecord,
  type StageName,
  type StageRecord,
  type StageState,
  secretsFile,
  type TestResult,
  type Verdict,
} from '@cc-ci/core';
import type { Progress } from '@cc-ci/runner';

/** How words are shown. */
export interface Style {
  colour: boolean;
}

type Colour = Parameters<typeof styleText>[0];

const paint = (style: Style, colour: Colour, text: string) =>
  style.colour ? styleText(colour, text, { validateStream: false }) : text;

/** Text from tests and apps as one line that cannot move the cursor, change colours, or reverse what is read. */
function oneLine(text: string, most = 300): string {
  const line = stripVTControlCharacters(text)
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** The first lines of a text, each as `oneLine`; what is left out is counted. */
function someLines(text: string, most: number): string[] {
  const lines = text.split('\n').filter((line) => line.trim());
  const shown = lines.slice(0, most).map((line) => oneLine(line));
  return lines.length > most ? [...shown, `… ${count(lines.length - most, 'more line')}`] : shown;
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;

const column = (stage: StageName) => stage.padEnd(12);

/** Seconds to a tenth below two minutes, then minutes. */
export function duration(ms: number): string {
  if (ms < 119_950) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

const STATE_COLOUR: Record<StageState, Colour> = {
  pending: 'dim',
  running: 'dim',
  passed: 'green',
  failed: 'red',
  'declared-skip': 'yellow',
  'structural-skip': 'yellow',
  'base-broken': 'yellow',
  'not-run': 'red',
};
const TEST_WORD: Record<TestResult['state'], readonly [string, Colour]> = {
  passed: ['pass', 'green'],
  failed: ['FAIL', 'red'],
  skipped: ['skip', 'yellow'],
};
const MESSAGE_INDENT = ' '.repeat(22);

/** Lines for what just happened; none for what only the status line shows. */
export function progressLines(event: Progress, style: Style): string[] {
  const start = column(event.stage);
  switch (event.kind) {
    case 'stage-start':
    case 'phase-start':
      return [];
    case 'phase-end':
      return [
        paint(style, 'dim', `${start}  ${event.phase.padEnd(9)} ${duration(event.durationMs).padStart(8)}`),
      ];
    case 'test': {
      const { state, suite, title, durationMs, message } = event.test;
      const [word, colour] = TEST_WORD[state];
      const took = durationMs >= 1000 ? paint(style, 'dim', `  ${duration(durationMs)}`) : '';
      const line = `${start}    ${paint(style, colour, word)}  ${oneLine(`${suite} › ${title}`)}${took}`;
      return [line, ...someLines(message ?? '', 4).map((text) => MESSAGE_INDENT + text)];
    }
    case 'finding': {
      const { severity, rule, message, where } = event.finding;
      const colour = severity === 'error' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
      const place = where === undefined ? '' : ` (${where})`;
      return [`${start}    ${paint(style, colour, severity)}  ${oneLine(`${rule}: ${message}${place}`)}`];
    }
    case 'note':
      return [paint(style, 'dim', `${start}    note  ${oneLine(event.text)}`)];
    case 'stage-end': {
      const word = event.state.toUpperCase();
      const state = paint(style, STATE_COLOUR[event.state], event.why === undefined ? word.padEnd(9) : word);
      const took = event.durationMs === undefined ? '' : duration(event.durationMs);
      if (event.why === undefined) return [`${start}  ${state} ${took.padStart(8)}`.trimEnd()];
      return [`${start}  ${state}: ${oneLine(event.why)}${took ? `  ${took}` : ''}`];
    }
  }
}

/** What the run is doing now, for a line that is overwritten; cut to the terminal's width, which is in columns. */
export function statusLine(
  { stage, phase, elapsedMs }: { stage: StageName; phase: string | undefined; elapsedMs: number },
  width: number,
): string {
  const text = `${column(stage)}  ${(phase ?? '').padEnd(9)} ${`${Math.floor(elapsedMs / 1000)} s …`.padStart(8)}`;
  // A line of the full width would wrap on some terminals, and then could not be overwritten.
  return text.slice(0, Math.max(0, width - 1));
}

const VERDICT_COLOUR: Record<Verdict, Colour> = {
  green: ['bold', 'green'],
  red: ['bold', 'red'],
  error: ['bold', 'magenta'],
  cancelled: ['bold', 'yellow'],
};
const WHAT_TO_DO: Record<Blame, string> = {
  recipe: 'the recipe at this commit does not hold: mend what is shown below and run again',
  tests: 'the tests themselves could not be run: mend them; the recipe may be fine',
  ci: 'this is no fault of the recipe: mend this machine, or report it as a fault of cc-ci, and run again',
  forge: 'the recipe could not be fetched: check --src and --ref, and whether that server can be reached',
  timeout: 'it took too long: see below where the time went; --timeout gives the whole run more',
  cancelled: 'it was stopped, which says nothing of the recipe: run again when you like',
};
/** Bounds of the summary: it must fit on a screen even where everything failed. */
const FAILED_TESTS = 10;
const MESSAGE_LINES = 6;
const EVIDENCE_LINES = 15;
const PICTURES = 8;

/** The end of a run for the person who started it: verdict, stages, what failed and where to look. */
export function summaryLines(record: RunRecord, style: Style): string[] {
  const { plan, stages, summary, dir } = record;
  const outcome = summary?.outcome;
  if (!outcome) return [`the run has not ended; what there is of it is in ${dir}`];
  const { recipe, ref } = plan.request;
  const blamed = outcome.blame && outcome.blame !== outcome.verdict ? ` (${outcome.blame})` : '';
  const verdict = paint(style, VERDICT_COLOUR[outcome.verdict], `${outcome.verdict.toUpperCase()}${blamed}`);
  const level = summary.level;
  return [
    '',
    `${verdict}  ${recipe} at ${ref.slice(0, 8)}: ${oneLine(outcome.sentence, 600)}`,
    ...(outcome.blame ? [`To do: ${WHAT_TO_DO[outcome.blame]}`] : []),
    ...(level ? [`Level ${level.value} of 8${level.missing ? `: ${oneLine(level.missing)}` : ''}`] : []),
    '',
    ...stageTable(stages, style),
    ...failedTests(stages, style),
    ...section('Evidence', lastOf(outcome.evidence, EVIDENCE_LINES), style),
    ...section('Files', files(record), style),
    ...(plan.kept && !isTornDown(record) ? keptLines(record, style) : []),
  ];
}

function section(title: string, lines: readonly string[], style: Style): string[] {
  return lines.length === 0 ? [] : ['', paint(style, 'bold', title), ...lines.map((line) => `  ${line}`)];
}

function lastOf(lines: readonly string[], most: number): string[] {
  const shown = lines.slice(-most).map((line) => oneLine(line));
  return lines.length > most ? [`… ${count(lines.length - most, 'line')} before`, ...shown] : shown;
}

function stageTable(stages: readonly StageRecord[], style: Style): string[] {
  return stages.map((stage) => {
    const state = paint(style, STATE_COLOUR[stage.state], stage.state.padEnd(15));
    const why = stage.failure?.message ?? stage.reason;
    const words = [testCounts(stage.tests), why === undefined ? '' : oneLine(why, 120)].filter((it) => it);
    return `  ${column(stage.stage)}  ${state}  ${tookOf(stage).padStart(10)}  ${words.join('  ')}`.trimEnd();
  });
}

function tookOf({ startedAt, finishedAt }: StageRecord): string {
  return startedAt && finishedAt ? duration(Date.parse(finishedAt) - Date.parse(startedAt)) : '';
}

function testCounts(tests: readonly TestResult[]): string {
  if (tests.length === 0) return '';
  const other = (['failed', 'skipped'] as const).flatMap((state) => {
    const number = tests.filter((test) => test.state === state).length;
    return number > 0 ? [`${number} ${state}`] : [];
  });
  return [count(tests.length, 'test'), ...other].join(', ');
}

function failedTests(stages: readonly StageRecord[], style: Style): string[] {
  const failed = stages.flatMap(({ stage, tests }) =>
    tests.filter(({ state }) => state === 'failed').map((test) => ({ stage, ...test })),
  );
  const lines = failed
    .slice(0, FAILED_TESTS)
    .flatMap(({ stage, suite, title, message }) => [
      paint(style, 'red', oneLine(`${stage}: ${suite} › ${title}`)),
      ...someLines(message ?? 'it gave no reason', MESSAGE_LINES).map((line) => `  ${line}`),
    ]);
  if (failed.length > FAILED_TESTS) lines.push(`… and ${count(failed.length - FAILED_TESTS, 'more test')}`);
  return section('Failed tests', lines, style);
}

function files({ dir, stages }: RunRecord): string[] {
  const pictures = stages.flatMap(({ artifacts }) => artifacts.filter(({ kind }) => kind === 'screenshot'));
  const shown = pictures.slice(0, PICTURES).map(({ path, title }) => `${dir}/${path}  ${oneLine(title, 80)}`);
  const more = pictures.length - shown.length;
  return [
    `${dir}  (logs/<stage>.log: every step)`,
    ...shown,
    ...(more > 0 ? [`… and ${count(more, 'more picture')}`] : []),
  ];
}

function keptLines({ run, dir, plan }: RunRecord, style: Style): string[] {
  const domain = plan.app?.domain ?? '';
  return section(
    'The app was kept',
    [
      `address  https://${domain}`,
      `domain   ${domain}`,
      `secrets  ${secretsFile(dir)}  (their values; readable by you only)`,
      `remove   cc-ci teardown ${run}`,
    ],
    style,
  );
}
