import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  endedReport,
  junitFile,
  junitXml,
  type Level,
  type Outcome,
  type Plan,
  pendingStage,
  planFile,
  type RunSummary,
  reportFile,
  runFolder,
  runLogFile,
  STAGES,
  type StageName,
  type StageRecord,
  stageFile,
  stageLogFile,
  summaryFile,
  type TestRequest,
  type TestResult,
} from '@cc-ci/core';
import type { Build } from '@cc-ci/engine';
import { openBuilds } from './builds.js';

/** What to make up. */
export interface ManyRuns {
  stateDir: string;
  recipes: number;
  runs: number;
}

const START = Date.parse('2026-01-01T00:00:00.000Z');
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PEOPLE = ['alice', 'bob', 'carol', 'dan', 'erin'];
const NAMES = [
  'nextcloud',
  'hedgedoc',
  'gitea',
  'matrix-synapse',
  'keycloak',
  'mediawiki',
  'lasuite-docs',
  'custom-html',
];

/**
 * Writes run folders as runners would have left them, with tests and logs, and the builds that an engine would know; the
 * same numbers make the same.
 */
export function writeManyRuns({ stateDir, recipes, runs }: ManyRuns): void {
  for (let number = 0; number < runs; number++) writeOneRun(stateDir, number, recipes, runs);
  const builds = openBuilds(stateDir);
  builds.add(Array.from({ length: runs }, (_, number) => buildOf(number, recipes, runs)));
  builds.close();
}

/** The build of one of them, as the engine knows it. */
export function buildOf(number: number, recipes: number, runs: number): Build {
  const request = requestOf(number, recipes);
  const failing = failingStage(number);
  return {
    id: request.run,
    request,
    state: failing ? 'failure' : 'success',
    createdAt: timeOf(number, runs, 0),
    startedAt: timeOf(number, runs, 0),
    finishedAt: timeOf(number, runs, 200),
    position: undefined,
    reason: undefined,
  };
}

function requestOf(number: number, recipes: number): TestRequest {
  const recipe = recipeName(number % recipes);
  return {
    run: Array.from(hashOf(number).subarray(0, 8), (byte) => ALPHABET[byte % ALPHABET.length]).join(''),
    recipe,
    // Some commits are tested twice.
    ref: createHash('sha1')
      .update(`commit ${number % recipes} ${Math.floor(number / recipes / 2)}`)
      .digest('hex'),
    src: `https://git.coopcloud.tech/alice/${recipe}.git`,
    origin: `https://git.coopcloud.tech/coop-cloud/${recipe}.git`,
    repo: `coop-cloud/${recipe}`,
    pr: 1 + (number % 97),
    requestedBy: PEOPLE[number % PEOPLE.length] ?? 'alice',
  };
}

function hashOf(number: number): Buffer {
  return createHash('sha256').update(`run ${number}`).digest();
}

function failingStage(number: number): StageName | undefined {
  const dice = (hashOf(number)[9] ?? 0) / 256;
  return dice < 0.12 ? 'install' : dice < 0.16 ? 'upgrade' : undefined;
}

function timeOf(number: number, runs: number, seconds: number): string {
  return new Date(START + (number * 86_400 * 300_000) / runs + seconds * 1_000).toISOString();
}

/** One more of them. @returns its id */
export function writeOneRun(stateDir: string, number: number, recipes: number, runs: number): string {
  const request = requestOf(number, recipes);
  const { run, recipe } = request;
  const dir = runFolder(stateDir, run);
  const at = (seconds: number) => timeOf(number, runs, seconds);
  const hash = hashOf(number);
  const failing = failingStage(number);
  const plan: Plan = {
    schema: 1,
    request,
    mode: 'run',
    createdAt: at(0),
    stages: [...STAGES],
    base: { version: `1.${number % 9}.0+2.${number % 30}.1`, commit: 'b'.repeat(40) },
    app: {
      label: `${recipe.slice(0, 12)}-${run}`,
      domain: `${recipe.slice(0, 12)}-${run}.ci.example.org`,
      stack: `x_${run}`,
    },
    snapshots: [],
    overlays: [],
    tools: { abra: '0.11.0', docker: '28.2.2' },
  };
  mkdirSync(join(dir, 'logs'), { recursive: true });
  writeFileSync(planFile(dir), JSON.stringify(plan, null, 2));
  const stages: StageRecord[] = [];
  const logs = new Map<StageName, string>();
  let seconds = 0;
  let failed = false;
  for (const [index, stage] of STAGES.entries()) {
    const long = 2 + ((hash[10 + index] ?? 0) % 40);
    const record = stageOf(
      stage,
      at(seconds),
      at(seconds + long),
      stage === failing,
      failed && stage !== 'teardown',
    );
    failed ||= stage === failing;
    writeFileSync(stageFile(dir, stage), JSON.stringify(record, null, 2));
    const lines = Array.from(
      { length: 12 },
      (_, n) => `${at(seconds + n)} ${stage}: step ${n} of ${recipe} went as it should\n`,
    );
    writeFileSync(stageLogFile(dir, stage), lines.join(''));
    stages.push(record);
    logs.set(stage, lines.join(''));
    seconds += long;
  }
  const outcome: Outcome = failing
    ? {
        verdict: 'red',
        blame: 'recipe',
        sentence: `${failing}: app does not stay up; the recipe needs a fix`,
        evidence: ['exit code 1'],
      }
    : { verdict: 'green', sentence: 'install, upgrade, backup passed with 14 tests', evidence: [] };
  const level: Level = {
    value: failing ? 2 : 4 + ((number % recipes) % 5),
    scale: 1,
    missing: 'ships its own tests: the recipe brings none',
  };
  const summary: RunSummary = { run, startedAt: at(0), finishedAt: at(seconds), outcome, level };
  writeFileSync(summaryFile(dir), JSON.stringify(summary, null, 2));
  const record = { run, dir, plan, stages, summary };
  writeFileSync(junitFile(dir), junitXml(record));
  const { report, log } = endedReport(record, logs);
  writeFileSync(reportFile(dir), report);
  if (log !== undefined) writeFileSync(runLogFile(dir), log);
  return run;
}

function recipeName(number: number): string {
  const name = NAMES[number % NAMES.length] ?? 'app';
  return number < NAMES.length ? name : `${name}-${number}`;
}

function stageOf(
  stage: StageName,
  startedAt: string,
  finishedAt: string,
  fails: boolean,
  skipped: boolean,
): StageRecord {
  if (skipped) return { ...pendingStage(stage), state: 'not-run', reason: 'an earlier stage failed' };
  const tests = ['install', 'upgrade', 'backup'].includes(stage)
    ? Array.from({ length: 5 }, (_, n): TestResult => testOf(n, fails && n === 4))
    : [];
  const failure = fails
    ? { blame: 'recipe' as const, message: 'app does not stay up', evidence: ['exit code 1'] }
    : undefined;
  return {
    ...pendingStage(stage),
    state: fails ? 'failed' : 'passed',
    startedAt,
    finishedAt,
    tests,
    ...(failure ? { failure } : {}),
    phases: [
      { name: stage === 'prepare' ? 'fetch' : 'deploy', ours: stage === 'prepare', startedAt, finishedAt },
    ],
  };
}

function testOf(n: number, fails: boolean): TestResult {
  return {
    source: 'generic',
    suite: 'checks',
    title: `answers check ${n} over HTTPS`,
    state: fails ? 'failed' : 'passed',
    durationMs: 20 * n,
    ...(fails ? { message: 'expected 502 to be 200' } : {}),
  };
}
