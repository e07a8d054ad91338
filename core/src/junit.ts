import { stripVTControlCharacters } from 'node:util';
import type { RunRecord, StageRecord, StageState, TestResult } from './record.js';
import { brief } from './text.js';

/** Characters of a `message` attribute, which readers show in one line; the whole text is in the element. */
const MESSAGE_LIMIT = 300;

/** Why a stage without a result of its own tests has none; a stage in any other state needs no words. */
const WITHOUT_RESULT: Partial<Record<StageState, string>> = {
  pending: 'it has not begun',
  running: 'it has not ended',
  failed: 'it failed without saying why',
  'not-run': 'it should have run and did not',
};
const SKIPPED: ReadonlySet<StageState> = new Set(['declared-skip', 'structural-skip', 'base-broken']);

/** What a test case came to, besides passed. */
interface Outcome {
  kind: 'failure' | 'error' | 'skipped';
  message: string;
  /** A word for machines; for an error of a stage its blame or state. */
  type?: string;
  text?: string;
}

interface Case {
  classname: string;
  name: string;
  seconds: number;
  outcome?: Outcome;
}

/**
 * A run as JUnit XML, as CI servers read it (Jenkins' junit-10.xsd is the form most of them accept): a suite per stage,
 * a case per test. A stage that failed without a failed test, was skipped or has no result is a case of its own name.
 */
export function junitXml(record: RunRecord): string {
  const properties = propertiesXml(record);
  const suites = record.stages.map((stage) => suiteOf(stage, properties));
  const total = suites.map(({ counts }) => counts).reduce(add, NOTHING);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: `cc-ci ${record.plan.request.recipe}`, ...shown(total) })}>`,
    ...suites.map(({ xml }) => xml),
    '</testsuites>',
    '',
  ].join('\n');
}

function propertiesXml({ plan: { request } }: RunRecord): string[] {
  const properties = { run: request.run, recipe: request.recipe, ref: request.ref, pr: request.pr };
  return Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `      <property${attributes({ name, value })}/>`);
}

function suiteOf(stage: StageRecord, properties: readonly string[]): { counts: Counts; xml: string } {
  const cases = [...stage.tests.map(testCase), ...stageCase(stage)];
  const counts = { ...countsOf(cases), seconds: secondsOf(stage) };
  // Readers that check dates want neither fractions nor a zone; it is UTC.
  const timestamp = stage.startedAt?.slice(0, 19);
  const lines = [
    `  <testsuite${attributes({ name: stage.stage, ...shown(counts), timestamp })}>`,
    '    <properties>',
    ...properties,
    '    </properties>',
    ...cases.map(caseXml),
    '  </testsuite>',
  ];
  return { counts, xml: lines.join('\n') };
}

function testCase({ source, suite, title, state, durationMs, message }: TestResult): Case {
  const about = { classname: suite ? `${source}.${suite}` : source, name: title, seconds: durationMs / 1000 };
  if (state === 'passed') return about;
  const text = message ?? (state === 'failed' ? 'it gave no reason' : 'it gave no reason for being skipped');
  const kind = state === 'failed' ? 'failure' : 'skipped';
  return { ...about, outcome: { kind, message: text, ...(state === 'failed' ? { text } : {}) } };
}

/** The case that stands for the stage itself, where its tests do not tell all. */
function stageCase(stage: StageRecord): Case[] {
  const about = { classname: 'cc-ci.stage', name: stage.stage, seconds: 0 };
  const { failure, reason, state } = stage;
  if (SKIPPED.has(state)) {
    return [{ ...about, outcome: { kind: 'skipped', message: `${state}: ${reason ?? 'no reason given'}` } }];
  }
  const without = WITHOUT_RESULT[state];
  if (without === undefined || (state === 'failed' && stage.tests.some((test) => test.state === 'failed')))
    return [];
  const message = failure?.message ?? reason ?? without;
  const text = [...(failure ? [`blame: ${failure.blame}`] : []), message, ...(failure?.evidence ?? [])];
  return [
    { ...about, outcome: { kind: 'error', message, type: failure?.blame ?? state, text: text.join('\n') } },
  ];
}

function caseXml({ classname, name, seconds, outcome }: Case): string {
  const start = `    <testcase${attributes({ classname, name, time: seconds.toFixed(3) })}`;
  if (!outcome) return `${start}/>`;
  const { kind, message, type, text } = outcome;
  const inner = `<${kind}${attributes({ message: brief(clean(message), MESSAGE_LIMIT), type })}`;
  const end = text === undefined ? '/>' : `>${escaped(text)}</${kind}>`;
  return `${start}>\n      ${inner}${end}\n    </testcase>`;
}

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  seconds: number;
}
const NOTHING: Counts = { tests: 0, failures: 0, errors: 0, skipped: 0, seconds: 0 };

function countsOf(cases: readonly Case[]): Counts {
  const of = (kind: Outcome['kind']) => cases.filter(({ outcome }) => outcome?.kind === kind).length;
  return {
    ...NOTHING,
    tests: cases.length,
    failures: of('failure'),
    errors: of('error'),
    skipped: of('skipped'),
  };
}

function add(a: Counts, b: Counts): Counts {
  return {
    tests: a.tests + b.tests,
    failures: a.failures + b.failures,
    errors: a.errors + b.errors,
    skipped: a.skipped + b.skipped,
    seconds: a.seconds + b.seconds,
  };
}

function shown({ seconds, ...numbers }: Counts) {
  return { ...numbers, time: seconds.toFixed(3) };
}

function secondsOf({ startedAt, finishedAt }: StageRecord): number {
  return startedAt && finishedAt ? Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : 0;
}

function attributes(values: Record<string, string | number | undefined>): string {
  let text = '';
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) text += ` ${name}="${typeof value === 'number' ? value : attribute(value)}"`;
  }
  return text;
}

function attribute(value: string): string {
  if (!NOT_PLAIN.test(value)) return value;
  return escaped(value).replace(/[\t\n]/g, (it) => `&#${it.charCodeAt(0)};`);
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader would turn a bare one into a line feed.
  '\r': '&#13;',
};

/** Anything that is not simply to be written: most text has none of it, and looking is cheaper than replacing. */
const NOT_PLAIN = /[^ !#-%'-;=?-~]/;

function escaped(text: string): string {
  if (!NOT_PLAIN.test(text)) return text;
  return clean(text).replace(/[&<>"\r]/g, (it) => ENTITIES[it] ?? it);
}

/** Without what a terminal would act on, and without the characters that XML 1.0 has no way to write (its `Char`). */
function clean(text: string): string {
  // With the flag u a surrogate matches only where its other half is missing.
  return stripVTControlCharacters(text).replace(
    /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu,
    '',
  );
}
