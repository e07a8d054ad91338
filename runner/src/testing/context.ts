import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectDocker,
  disconnectDocker,
  loadConfig,
  newRunId,
  type Plan,
  planFile,
  STAGES,
  type StageName,
  writeJson,
} from '@cc-ci/core';
import { cachedRedactor, type StageContext } from '../context.js';
import type { Progress } from '../progress.js';
import { type AppFacts, appFile } from '../recipe-tests/app-file.js';
import { startStage } from '../recorder.js';

/** A stage's context without a run around it. Its folders lie outside this checkout, as they do on a real host. */
export async function testContext(
  stage: StageName,
  env: NodeJS.ProcessEnv = {},
): Promise<{ context: StageContext; said: Progress[]; dispose(): Promise<void> }> {
  const stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-test-'));
  const run = newRunId();
  const dir = join(stateDir, 'runs', run);
  const plan = somePlan(run);
  await writeJson(planFile(dir), plan);
  await mkdir(join(stateDir, 'tests'));
  const said: Progress[] = [];
  const secrets = new Map<string, string>();
  const docker = connectDocker();
  const context: StageContext = {
    config: loadConfig(['common', 'runner'], {
      CC_CI_STATE_DIR: stateDir,
      CC_CI_ZONE: 'ci.test',
      CC_CI_TESTS_DIR: join(stateDir, 'tests'),
      ...env,
    }),
    docker,
    dir,
    plan,
    stage: await startStage(dir, stage, cachedRedactor(secrets), (event) => void said.push(event)),
    signal: new AbortController().signal,
    secrets,
  };
  return {
    context,
    said,
    async dispose() {
      await disconnectDocker(docker);
      await rm(stateDir, { recursive: true });
    },
  };
}

/** A plan as `prepare` finds it. */
export function somePlan(run: string, change: Partial<Plan> = {}): Plan {
  return {
    schema: 1,
    request: { run, recipe: 'custom-html', ref: 'a'.repeat(40), src: '/srv/custom-html.git' },
    mode: 'run',
    createdAt: new Date().toISOString(),
    stages: [...STAGES],
    snapshots: [],
    overlays: [],
    tools: {},
    ...change,
  };
}

/** Facts of an app that is not there, written where test processes look for them. */
export async function writeSomeFacts(dir: string): Promise<AppFacts> {
  const facts: AppFacts = {
    recipe: 'custom-html',
    url: 'https://custom-html.ci.test',
    domain: 'custom-html.ci.test',
    stack: 'custom-html_ci_test',
    env: {},
    secrets: {},
    edge: {},
  };
  await writeJson(appFile(dir), facts, 0o600);
  return facts;
}
