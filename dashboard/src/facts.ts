import {
  type Blame,
  isSettled,
  judge,
  type Level,
  type RunRecord,
  type StageName,
  type StageRecord,
  type StageState,
  type TestRequest,
  type TestResult,
  type Verdict,
} from '@cc-ci/core';

/** What lists and charts show of one stage. */
export interface StageFacts {
  stage: StageName;
  state: StageState;
  /** Milliseconds it took; absent while it has not ended. */
  ms?: number;
}

/**
 * What is kept of a record in memory: enough for every list, a fiftieth of the record itself. The page of a run reads
 * the rest when it is made.
 */
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

/** What tells a test from all others of a recipe. */
export function testKey(stage: StageName, { suite, title }: Pick<TestResult, 'suite' | 'title'>): string {
  return [stage, suite, title].filter(Boolean).join(' › ');
}

/** Whether a test, as `testKey` names it, is one of this stage. */
export function isTestOf(stage: StageName, key: string): boolean {
  return key.startsWith(`${stage} › `);
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
