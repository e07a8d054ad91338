import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  judge,
  newRunId,
  type Outcome,
  type Plan,
  pendingStage,
  planFile,
  readRun,
  runFolder,
  STAGES,
  type StageName,
  type StageRecord,
  stageFile,
  stageLogFile,
  summaryFile,
  type TestRequest,
  type TestResult,
  writeFileAtomic,
  writeJson,
  writeReport,
} from '@cc-ci/core';
import type { Build, BuildState, EngineReader } from '@cc-ci/engine';

/** A folder of its own for one test, and how to remove it. */
export function temporaryFolder(name: string): { path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), `cc-ci-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export function someRequest(change: Partial<TestRequest> = {}): TestRequest {
  return {
    run: newRunId(),
    recipe: 'custom-html',
    ref: randomBytes(20).toString('hex'),
    src: 'https://forge.example/alice/custom-html.git',
    origin: 'https://forge.example/recipes/custom-html.git',
    repo: 'recipes/custom-html',
    pr: 12,
    requestedBy: 'alice',
    ...change,
  };
}

export function someTest(change: Partial<TestResult> = {}): TestResult {
  return {
    source: 'generic',
    suite: 'health',
    title: 'answers over HTTPS',
    state: 'passed',
    durationMs: 120,
    ...change,
  };
}

/** A stage that passed with one test; `change` makes it another. */
export function someStage(stage: StageName, change: Partial<StageRecord> = {}): StageRecord {
  return {
    ...pendingStage(stage),
    state: 'passed',
    startedAt: '2026-11-21T08:00:00.000Z',
    finishedAt: '2026-11-21T08:00:20.000Z',
    tests: stage === 'install' ? [someTest()] : [],
    ...change,
  };
}

/** What a run folder is made of. */
export interface RunFixture {
  request?: Partial<TestRequest>;
  plan?: Partial<Plan>;
  createdAt?: string;
  /** By stage; a stage that is not named passed, one that is `undefined` has no file. */
  stages?: Partial<Record<StageName, Partial<StageRecord> | undefined>>;
  /** When it ended; undefined: it has no run.json. */
  finishedAt?: string | undefined;
  /** Default: what the stages come to. */
  outcome?: Outcome;
  logs?: Partial<Record<StageName, string>>;
  /** Other files, by their path in the run's folder. */
  files?: Record<string, string | Uint8Array>;
}

/** Writes a run folder as a runner would have left it. @returns the request it is the run of */
export async function writeRun(stateDir: string, fixture: RunFixture = {}): Promise<TestRequest> {
  const request = someRequest(fixture.request);
  const createdAt = fixture.createdAt ?? '2026-11-21T08:00:00.000Z';
  const dir = runFolder(stateDir, request.run);
  const plan: Plan = {
    schema: 1,
    request,
    mode: 'run',
    createdAt,
    stages: [...STAGES],
    snapshots: [],
    overlays: [],
    tools: {},
    ...fixture.plan,
  };
  await writeJson(planFile(dir), plan);
  const stages: StageRecord[] = [];
  for (const name of STAGES) {
    const named = fixture.stages !== undefined && name in fixture.stages;
    if (named && fixture.stages?.[name] === undefined) continue;
    const stage = someStage(name, fixture.stages?.[name]);
    stages.push(stage);
    await writeJson(stageFile(dir, name), stage);
  }
  for (const [stage, text] of Object.entries(fixture.logs ?? {}))
    await writeFileAtomic(stageLogFile(dir, stage as StageName), text);
  for (const [path, content] of Object.entries(fixture.files ?? {}))
    await writeFileAtomic(join(dir, path), content);
  const finishedAt = 'finishedAt' in fixture ? fixture.finishedAt : '2026-11-21T08:01:05.000Z';
  if (finishedAt !== undefined) {
    const outcome = fixture.outcome ?? judge(stages);
    const summary = { run: request.run, startedAt: createdAt, finishedAt, outcome };
    await writeJson(summaryFile(dir), summary);
    const record = await readRun(dir);
    if (record) await writeReport({ ...record, summary });
  }
  return request;
}

export function someBuild(state: BuildState, change: Partial<Build> & { request?: TestRequest } = {}): Build {
  const request = change.request ?? someRequest();
  const ended = state !== 'queued' && state !== 'running';
  return {
    id: request.run,
    request,
    state,
    createdAt: '2026-11-21T07:59:50.000Z',
    startedAt: state === 'queued' ? undefined : '2026-11-21T08:00:00.000Z',
    finishedAt: ended ? '2026-11-21T08:01:05.000Z' : undefined,
    position: state === 'queued' ? 1 : undefined,
    reason: undefined,
    ...change,
  };
}

/** The read side of an engine that has these builds; the array may be changed at any time. */
export function readerOf(builds: Build[], logs: Record<string, string[]> = {}): EngineReader {
  return {
    get: async (id) => builds.find((build) => build.id === id),
    list: async ({ recipe, limit } = {}) =>
      builds.filter((build) => recipe === undefined || build.request.recipe === recipe).slice(0, limit),
    async *logs(id, { from = 1 } = {}) {
      for (const [index, text] of (logs[id] ?? []).entries())
        if (index + 1 >= from) yield { seq: index + 1, text };
    },
  };
}
