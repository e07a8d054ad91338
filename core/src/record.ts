import { dirname, join } from 'node:path';
import { z } from 'zod';
import { folderNames, readJson } from './files.js';
import { cloneUrl, commitSha, prNumber, recipeName, repoName, runId, userLogin } from './names.js';

/** What somebody asked to be tested: one recipe at one commit. */
export const testRequest = z.strictObject({
  run: runId,
  recipe: recipeName,
  /** The commit to test. */
  ref: commitSha,
  /** Where git fetches that commit from (the head repository of a pull request may be a fork). */
  src: cloneUrl,
  /** Where published versions (tags) are fetched from; default: `src`. */
  origin: cloneUrl.optional(),
  /** The forge repository the request came from, and the pull request in it; absent for local runs. */
  repo: repoName.optional(),
  pr: prNumber.optional(),
  requestedBy: userLogin.optional(),
});
export type TestRequest = z.output<typeof testRequest>;

/** The stages in the order they run. */
export const STAGES = ['prepare', 'install', 'upgrade', 'backup', 'recipe-tests', 'teardown'] as const;
export type StageName = (typeof STAGES)[number];
export const stageName = z.enum(STAGES);

/**
 * Where a stage stands. `declared-skip`: the recipe's test folder says why; `structural-skip`: there is nothing to
 * test (no published version, no backup labels); `base-broken`: the published version to upgrade from cannot be
 * deployed, which says nothing of the change; `not-run`: it should have run and did not, which is red.
 */
export const stageState = z.enum([
  'pending',
  'running',
  'passed',
  'failed',
  'declared-skip',
  'structural-skip',
  'base-broken',
  'not-run',
]);
export type StageState = z.output<typeof stageState>;

/** Whose fault it is that a run is not green. */
export const blame = z.enum(['recipe', 'tests', 'ci', 'forge', 'timeout', 'cancelled']);
export type Blame = z.output<typeof blame>;

export const verdict = z.enum(['green', 'red', 'error', 'cancelled']);
export type Verdict = z.output<typeof verdict>;

const instant = z.iso.datetime();

/** One test's result, whoever wrote the test: `generic` are the checks every recipe gets. */
export const testResult = z.strictObject({
  source: z.enum(['generic', 'cc-ci', 'recipe']),
  suite: z.string(),
  title: z.string(),
  state: z.enum(['passed', 'failed', 'skipped']),
  durationMs: z.number().nonnegative(),
  /** Why it failed. */
  message: z.string().optional(),
});
export type TestResult = z.output<typeof testResult>;

/** Part of a stage's time. `ours`: overhead of cc-ci; otherwise the recipe, its images or its tests. */
export const phase = z.strictObject({
  name: z.enum([
    'janitor',
    'fetch',
    'lint',
    'pull',
    'secrets',
    'deploy',
    'converge',
    'tests',
    'seed',
    'restart',
    'mutate',
    'verify',
    'backup',
    'restore',
    'clean',
    'teardown',
  ]),
  ours: z.boolean(),
  startedAt: instant,
  finishedAt: instant.optional(),
});
export type Phase = z.output<typeof phase>;

/** Why a stage failed: whose fault, one sentence, and the lines that show it. */
export const failure = z.strictObject({
  blame,
  message: z.string(),
  evidence: z.array(z.string()),
});
export type Failure = z.output<typeof failure>;

/**
 * What static lint found, before anything was deployed. `error`: red; `warning`: keeps the recipe from being lint
 * clean; `note`: worth knowing (a host bind, say), no fault.
 */
export const finding = z.strictObject({
  rule: z.string().regex(/^[a-z][a-z0-9-]*$/),
  severity: z.enum(['error', 'warning', 'note']),
  message: z.string(),
  /** Where, as `file` or `file:line`. */
  where: z.string().optional(),
});
export type Finding = z.output<typeof finding>;

/** A file of the run that people may want to see; `path` is relative to the run's folder. */
export const artifact = z.strictObject({
  kind: z.enum(['screenshot', 'trace', 'log']),
  path: z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, 'a path inside the run folder'),
  title: z.string(),
});
export type Artifact = z.output<typeof artifact>;

export const stageRecord = z.strictObject({
  stage: stageName,
  state: stageState,
  startedAt: instant.optional(),
  finishedAt: instant.optional(),
  /** Why it was skipped or not run. */
  reason: z.string().optional(),
  failure: failure.optional(),
  phases: z.array(phase),
  tests: z.array(testResult),
  artifacts: z.array(artifact),
  findings: z.array(finding),
  /** Things a person should know that change no verdict. */
  notes: z.array(z.string()),
});
export type StageRecord = z.output<typeof stageRecord>;

/** The app a run deploys. */
export const appFacts = z.strictObject({
  label: z.string(),
  domain: z.string(),
  stack: z.string(),
});

export const plan = z.strictObject({
  /** Version of the record's form. */
  schema: z.literal(1),
  request: testRequest,
  /** `run`: one process does all stages; `stage`: an engine calls them one by one. */
  mode: z.enum(['run', 'stage']),
  createdAt: instant,
  stages: z.array(stageName),
  /** Only these were wanted, besides prepare and teardown; absent: all. */
  only: z.array(stageName).optional(),
  /** Known from `prepare` on: its name depends on the recipe's files. */
  app: appFacts.optional(),
  /** The newest published version older than the commit under test; absent when there is none. */
  base: z.strictObject({ version: z.string(), commit: commitSha }).optional(),
  /** What is on the node now, for the stage that comes next. */
  deployment: z
    .strictObject({
      /** The commit that was deployed. */
      commit: commitSha,
      /** Whether it came up. */
      healthy: z.boolean(),
      /** Whether the data that `verify` looks for are in it. */
      seeded: z.boolean(),
    })
    .optional(),
  /** Backups this run has made, to be removed at teardown. */
  snapshots: z.array(z.string()),
  /** Overlay files we added to the recipe's own, each with what it changes. */
  overlays: z.array(z.strictObject({ file: z.string(), why: z.string() })),
  /** The app was left up on purpose; `cc-ci teardown <run>` removes it. */
  kept: z.boolean().optional(),
  /** Versions of what the run worked with, by program. */
  tools: z.record(z.string(), z.string()),
});
export type Plan = z.output<typeof plan>;

/** What a run came to. Recomputable from plan and stages by `judge`. */
export const outcome = z.strictObject({
  verdict,
  blame: blame.optional(),
  /** What happened and what to do, in one sentence. */
  sentence: z.string(),
  evidence: z.array(z.string()),
});
export type Outcome = z.output<typeof outcome>;

/** How far a recipe has come, on the scale of `docs/levels.md`. */
export const level = z.strictObject({
  /** 0 to 8. */
  value: z.number().int().min(0).max(8),
  /** Version of the scale. */
  scale: z.number().int(),
  /** Why it is not one higher, in a sentence; absent at the top. */
  missing: z.string().optional(),
  /** Titles of the levels that were not shown but passed by a skip. */
  skipped: z.array(z.string()).optional(),
});
export type Level = z.output<typeof level>;

export const runSummary = z.strictObject({
  run: runId,
  startedAt: instant,
  finishedAt: instant,
  outcome,
  /** Absent in a run that was cancelled or failed by our own fault: it says nothing of the recipe. */
  level: level.optional(),
});
export type RunSummary = z.output<typeof runSummary>;

/** Everything known of one run. `summary` is absent until it has ended. */
export interface RunRecord {
  run: string;
  dir: string;
  plan: Plan;
  stages: StageRecord[];
  summary: RunSummary | undefined;
}

/** A run folder that cannot be read: shown as broken, never hidden. */
export interface BrokenRun {
  run: string;
  dir: string;
  error: string;
}

export const planFile = (dir: string) => join(dir, 'plan.json');
export const stageFile = (dir: string, stage: StageName) => join(dir, `stage-${stage}.json`);
export const summaryFile = (dir: string) => join(dir, 'run.json');
/** The run's tests for other programs to read. */
export const junitFile = (dir: string) => join(dir, 'junit.xml');
/** Values of the app's secrets by name, readable by the runner's user only, deleted at teardown. */
export const secretsFile = (dir: string) => join(dir, 'secrets.json');
/** A stage's log: lines of an ISO time, a space, and redacted text. */
export const stageLogFile = (dir: string, stage: StageName) => join(dir, 'logs', `${stage}.log`);
/** The folder of all runs, and of one. */
export const runsFolder = (stateDir: string) => join(stateDir, 'runs');
export const runFolder = (stateDir: string, run: string) => join(runsFolder(stateDir), run);
/** The state folder that a run's folder lies in. */
export const stateFolderOf = (dir: string) => dirname(dirname(dir));

/** Whether a run's app was removed, and all that belongs to it. */
export function isTornDown({ stages }: Pick<RunRecord, 'stages'>): boolean {
  return stages.some(({ stage, state }) => stage === 'teardown' && state === 'passed');
}

/** A stage that nothing has happened to yet. */
export function pendingStage(stage: StageName): StageRecord {
  return { stage, state: 'pending', phases: [], tests: [], artifacts: [], findings: [], notes: [] };
}

/**
 * Reads a run's files. Stages without a file yet are `pending`.
 * @returns undefined when the folder has no plan (no run was ever started there)
 * @throws InputError when a file is damaged
 */
export async function readRun(dir: string): Promise<RunRecord | undefined> {
  const thePlan = await readJson(planFile(dir), plan);
  if (!thePlan) return undefined;
  const stages = await Promise.all(
    thePlan.stages.map(
      async (name) => (await readJson(stageFile(dir, name), stageRecord)) ?? pendingStage(name),
    ),
  );
  return {
    run: thePlan.request.run,
    dir,
    plan: thePlan,
    stages,
    summary: await readJson(summaryFile(dir), runSummary),
  };
}

/** All runs below a state folder, the newest first; folders that cannot be read come as broken, last. */
export async function listRuns(stateDir: string): Promise<{ runs: RunRecord[]; broken: BrokenRun[] }> {
  const runs: RunRecord[] = [];
  const broken: BrokenRun[] = [];
  for (const name of await folderNames(runsFolder(stateDir))) {
    const dir = runFolder(stateDir, name);
    try {
      const record = await readRun(dir);
      if (record) runs.push(record);
      else broken.push({ run: name, dir, error: 'no plan.json' });
    } catch (error) {
      broken.push({ run: name, dir, error: (error as Error).message });
    }
  }
  runs.sort((a, b) => b.plan.createdAt.localeCompare(a.plan.createdAt) || b.run.localeCompare(a.run));
  return { runs, broken };
}
