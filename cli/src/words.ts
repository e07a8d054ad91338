import { stripVTControlCharacters } from 'node:util';
import {
  brief,
  count,
  type Finding,
  LEVELS,
  type Level,
  type Outcome,
  type RunRecord,
  type StageRecord,
  type TestResult,
} from '@cc-ci/core';

/** All that the terminal is told of a run that is on disk. Pure; text that is not ours goes through `plain`. */

/** What a run's files come to now. */
export interface Computed {
  outcome: Outcome;
  level: Level | undefined;
}

/** Characters of foreign texts, and how many of a stage's lines are shown: a report fits a few screens. */
const LIMIT = { line: 300, sentence: 1_000, findings: 20, tests: 10, message: 6, evidence: 20, notes: 10 };
const INDENT = '    ';

/** Foreign text as one line that cannot move the cursor, change colours, or reverse what is read. */
export function plain(text: string, most = LIMIT.line): string {
  return brief(
    stripVTControlCharacters(text).replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' '),
    most,
  );
}

/** A duration: `0.4 s`, `32.0 s`, `2 min 05 s`. */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** The verdict with its blame, and the sentence. */
export function outcomeLine({ verdict, blame, sentence }: Outcome): string {
  return `${verdict.toUpperCase()}${blame ? ` (${blame})` : ''}: ${plain(sentence, LIMIT.sentence)}`;
}

/** "level 2 of 8: serves (not 3: upgrades: upgrade failed)" */
export function levelLine(level: Level | undefined): string {
  if (!level) return 'no level: this run says nothing of the recipe';
  const { value, missing, skipped } = level;
  const title = LEVELS[value - 1]?.title;
  const reached = `level ${value} of ${LEVELS.length}${title ? `: ${title}` : ''}`;
  if (missing) return `${reached} (not ${value + 1}: ${plain(missing, LIMIT.sentence)})`;
  return `${reached}${skipped?.length ? ` (passed by a skip: ${skipped.join(', ')})` : ''}`;
}

/** A run in full: what it came to, each stage with what people need of it, and where this differs from run.json. */
export function reportLines(record: RunRecord, computed: Computed): string[] {
  const { request, createdAt } = record.plan;
  const pull = request.repo && request.pr !== undefined ? `, ${request.repo}#${request.pr}` : '';
  const differing = differences(record, computed);
  return [
    `run ${record.run}: ${request.recipe} at ${request.ref.slice(0, 8)}${pull}, ${createdAt}`,
    outcomeLine(computed.outcome),
    levelLine(computed.level),
    '',
    ...record.stages.flatMap(stageLines),
    ...(differing.length > 0 ? ['', 'not as in run.json:', ...differing.map((line) => INDENT + line)] : []),
  ];
}

/** Where what the files come to is not what run.json says. */
export function differences({ summary }: RunRecord, { outcome, level }: Computed): string[] {
  if (!summary)
    return [
      'it is missing: the run goes on, or was killed and is not cleaned up yet (cc-ci janitor does that)',
    ];
  const before = summary.outcome;
  const pairs: [string, string | undefined, string | undefined][] = [
    ['verdict', before.verdict, outcome.verdict],
    ['blame', before.blame, outcome.blame],
    ['level', levelWords(summary.level), levelWords(level)],
    ['sentence', before.sentence, outcome.sentence],
    ['what the level misses', summary.level?.missing, level?.missing],
    ['evidence', before.evidence.join('\n'), outcome.evidence.join('\n')],
  ];
  return pairs
    .filter(([, then, now]) => then !== now)
    .map(([what, then, now]) => `${what}: it has ${quoted(then)}, the files come to ${quoted(now)}`);
}

function levelWords(level: Level | undefined): string | undefined {
  return level && `${level.value} (scale ${level.scale})`;
}

function quoted(text: string | undefined): string {
  return text ? `"${plain(text)}"` : 'none';
}

function stageLines(stage: StageRecord): string[] {
  const { startedAt, finishedAt, findings, tests, phases, notes, failure } = stage;
  const took = startedAt && finishedAt ? duration(Date.parse(finishedAt) - Date.parse(startedAt)) : '';
  const why = failure ? undefined : stage.reason;
  const head = [stage.stage.padEnd(12), stage.state.padEnd(15), took.padStart(11), testCounts(tests)];
  const details = [
    ...(why ? [plain(why)] : []),
    ...(phases.length > 0 ? [phases.map(phaseWords).join(', ')] : []),
    ...some(findings, LIMIT.findings, (finding) => [findingLine(finding)]),
    ...some(
      tests.filter(({ state }) => state === 'failed'),
      LIMIT.tests,
      failedTest,
    ),
    ...(failure ? [`${failure.blame}: ${plain(failure.message, LIMIT.sentence)}`] : []),
    ...lastOf(failure?.evidence ?? [], LIMIT.evidence).map((line) => INDENT + line),
    ...some(notes, LIMIT.notes, (note) => [`note  ${plain(note)}`]),
  ];
  return [head.join('  ').trimEnd(), ...details.map((line) => INDENT + line)];
}

function phaseWords({ name, ours, startedAt, finishedAt }: StageRecord['phases'][number]): string {
  const took = finishedAt ? duration(Date.parse(finishedAt) - Date.parse(startedAt)) : 'not ended';
  return `${name} ${took}${ours ? ' (ours)' : ''}`;
}

function testCounts(tests: readonly TestResult[]): string {
  if (tests.length === 0) return '';
  const states = (['passed', 'failed', 'skipped'] as const).flatMap((state) => {
    const number = tests.filter((test) => test.state === state).length;
    return number > 0 ? [`${number} ${state}`] : [];
  });
  return `${count(tests.length, 'test')}: ${states.join(', ')}`;
}

function findingLine({ severity, rule, message, where }: Finding): string {
  return `${severity.padEnd(7)}  ${rule}: ${plain(message)}${where ? ` (${plain(where)})` : ''}`;
}

function failedTest({ source, suite, title, message }: TestResult): string[] {
  const lines = (message ?? 'it gave no reason').split('\n').filter((line) => line.trim());
  return [
    `FAIL  ${plain(`${suite} › ${title}`)} (${source})`,
    ...some(lines, LIMIT.message, (line) => [plain(line)]).map((line) => `      ${line}`),
  ];
}

/** The lines of the first of many; how many are left out is said behind them. */
function some<T>(items: readonly T[], most: number, linesOf: (item: T) => string[]): string[] {
  const lines = items.slice(0, most).flatMap(linesOf);
  return items.length > most ? [...lines, `… and ${items.length - most} more`] : lines;
}

function lastOf(lines: readonly string[], most: number): string[] {
  const shown = lines.slice(-most).map((line) => plain(line));
  return lines.length > most ? [`… ${count(lines.length - most, 'line')} before`, ...shown] : shown;
}
