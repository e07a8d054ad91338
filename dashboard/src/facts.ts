import {
  type Blame,
  isSettled,
  judge,
  type Level,
  type RunRecord,
  STAGES,
  type StageName,
  type StageRecord,
  type StageState,
  type TestRequest,
  type TestResult,
  type Verdict,
} from '@cc-ci/core/reading';
import { type PackedRequest, packRequest, unpackRequest } from './packed.js';

/** What lists and charts show of one stage. */
export interface StageFacts {
  stage: StageName;
  state: StageState;
  /** Milliseconds it took; absent while it has not ended. */
  ms?: number;
}

/** What lists need of a record. The page of a run reads the rest when it is made. */
export interface RunFacts {
  request: TestRequest;
  createdAt: string;
  /** The newest version published before the commit under test. */
  base?: string;
  /** Only some stages were wanted. */
  partial: boolean;
  stages: StageFacts[];
  /** What run.json says; absent until the run has ended. */
  ended?: { startedAt: string; finishedAt: string };
  /** Its outcome: of run.json, else as the stages stand. */
  outcome: { verdict: Verdict; blame?: Blame; sentence: string };
  /** Whether a stage says that it failed. */
  failed: boolean;
  /** What is being done, in words, should the run go on. */
  activity: string;
  level?: Level;
  /** Tests that failed, each as `testKey` gives it. */
  failedTests: string[];
}

export function factsOf({ plan, stages, summary }: RunRecord): RunFacts {
  const { verdict, blame, sentence } = summary?.outcome ?? judge(stages);
  const failedTests = stages.flatMap((stage) =>
    stage.tests.filter((test) => test.state === 'failed').map((test) => testKey(stage.stage, test)),
  );
  return {
    request: plan.request,
    createdAt: plan.createdAt,
    ...(plan.base ? { base: plan.base.version } : {}),
    partial: plan.only !== undefined,
    stages: stages.map(stageFacts),
    ...(summary ? { ended: { startedAt: summary.startedAt, finishedAt: summary.finishedAt } } : {}),
    outcome: { verdict, sentence, ...(blame ? { blame } : {}) },
    failed: stages.some((stage) => stage.failure || stage.state === 'failed'),
    activity: summary ? '' : activityOf(stages),
    ...(summary?.level ? { level: summary.level } : {}),
    failedTests,
  };
}

type Packed = [
  request: PackedRequest,
  createdAt: string,
  stages: (number | StageState | null)[],
  outcome: [Verdict, Blame | null, sentence: string],
  ended: [startedAt: string, finishedAt: string] | null,
  base: string | null,
  level: Level | null,
  failedTests: string[],
  partial: boolean,
  failed: boolean,
  activity: string,
];

/** Facts as one text. */
export function packFacts(facts: RunFacts): string {
  const { outcome, ended, base = null, level = null, partial, failed, activity, failedTests } = facts;
  const packed: Packed = [
    packRequest(facts.request),
    facts.createdAt,
    facts.stages.flatMap(({ stage, state, ms = null }) => [STAGES.indexOf(stage), state, ms]),
    [outcome.verdict, outcome.blame ?? null, outcome.sentence],
    ended ? [ended.startedAt, ended.finishedAt] : null,
    base,
    level,
    failedTests,
    partial,
    failed,
    activity,
  ];
  return JSON.stringify(packed);
}

/** The facts that were packed. */
export function unpackFacts(text: string): RunFacts {
  const packed = JSON.parse(text) as Packed;
  const [request, createdAt, states, outcome, ended, base, level, failedTests, ...others] = packed;
  const [verdict, blame, sentence] = outcome;
  const [partial, failed, activity] = others;
  const stages: StageFacts[] = [];
  for (let at = 0; at < states.length; at += 3) {
    const [index, state, ms] = states.slice(at, at + 3) as [number, StageState, number | null];
    const stage = STAGES[index];
    if (stage) stages.push(ms === null ? { stage, state } : { stage, state, ms });
  }
  return {
    request: unpackRequest(request),
    createdAt,
    ...(base === null ? {} : { base }),
    partial,
    stages,
    ...(ended ? { ended: { startedAt: ended[0], finishedAt: ended[1] } } : {}),
    outcome: { verdict, sentence, ...(blame ? { blame } : {}) },
    failed,
    activity,
    ...(level ? { level } : {}),
    failedTests,
  };
}

const BETWEEN_NAMES = ' › ';

/** What tells a test from all others of a recipe: its stage, its suite if it has one, and its title. */
export function testKey(stage: StageName, { suite, title }: Pick<TestResult, 'suite' | 'title'>): string {
  return [stage, suite, title].filter(Boolean).join(BETWEEN_NAMES);
}

/** The names that a test's key is made of. */
export function namesOfTest(key: string): string[] {
  return key.split(BETWEEN_NAMES);
}

/** Whether a test, as `testKey` names it, is one of this stage. */
export function isTestOf(stage: StageName, key: string): boolean {
  return key.startsWith(stage + BETWEEN_NAMES);
}

function stageFacts({ stage, state, startedAt, finishedAt }: StageRecord): StageFacts {
  const ms =
    startedAt && finishedAt ? Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) : undefined;
  return { stage, state, ...(ms === undefined ? {} : { ms }) };
}

function activityOf(stages: readonly StageRecord[]): string {
  const current = stages.find((stage) => stage.state === 'running');
  const step = current?.phases.findLast((phase) => !phase.finishedAt)?.name;
  if (current) return `${current.stage} is running${step && step !== current.stage ? ` (${step})` : ''}`;
  const next = stages.find((stage) => !isSettled(stage.state));
  return next ? `${next.stage} is next` : 'all stages have ended';
}
