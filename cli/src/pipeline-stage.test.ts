import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Plan,
  pendingStage,
  planFile,
  type RunSummary,
  readRun,
  requestParameters,
  run,
  runFolder,
  STAGES,
  stageFile,
  summaryFile,
  type TestRequest,
  writeJson,
} from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { selfCommand } from './runner-process.js';

const request: TestRequest = {
  run: 'k3f9x2ab',
  recipe: 'custom-html',
  ref: 'a'.repeat(40),
  src: 'http://forge.test/org/custom-html.git',
};

describe('cc-ci stage --from-env', () => {
  let stateDir: string;
  let dir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-stage-'));
    dir = runFolder(stateDir, request.run);
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const stage = async (name: string, change: NodeJS.ProcessEnv = {}) => {
    const [file = '', ...args] = selfCommand('stage', name, '--from-env');
    const env = {
      ...process.env,
      CC_CI_STATE_DIR: stateDir,
      CC_CI_BUILD_TIMEOUT: '60',
      DRONE_BUILD_NUMBER: '12',
      ...requestParameters(request),
      ...change,
    };
    const { exitCode, stdout, stderr } = await run(file, args, { env, okCodes: [0, 1, 2] });
    return { exitCode, output: stdout + stderr };
  };
  /** As `prepare` leaves it. */
  const begin = async (createdAt: Date) => {
    const plan: Plan = {
      schema: 1,
      request,
      mode: 'stage',
      createdAt: createdAt.toISOString(),
      stages: [...STAGES],
      app: { label: 'x', domain: 'x.ci.test', stack: 'x_ci_test' },
      snapshots: [],
      overlays: [],
      tools: {},
    };
    await writeJson(planFile(dir), plan);
    await writeJson(stageFile(dir, 'prepare'), { ...pendingStage('prepare'), state: 'passed' });
    await writeJson(join(dir, 'build.json'), { build: '12' });
  };

  it('does nothing for parameters that describe no request, and names each', async () => {
    const bad = await stage('prepare', { RECIPE: '$(id)', REF: 'main', PR: '1; id' });
    expect(bad.exitCode).to.equal(2);
    expect(bad.output).to.match(/RECIPE: .*REF: .*PR: /);
    expect(await readdir(stateDir)).to.deep.equal([]);
  });

  it('refuses a stage of a run that was not begun here, or by another build', async () => {
    const early = await stage('install');
    expect(early.exitCode).to.equal(2);
    expect(early.output).to.include('was not begun on this host');
    await begin(new Date());
    const stranger = await stage('install', { DRONE_BUILD_NUMBER: '13' });
    expect(stranger.exitCode).to.equal(2);
    expect(stranger.output).to.include('belongs to another build');
    expect((await readRun(dir))?.stages[1]?.state).to.equal('pending');
  });

  it('counts the time from the beginning of the run, not of the step', async () => {
    await begin(new Date(Date.now() - 61_000));
    expect((await stage('install')).exitCode).to.equal(2);
    const install = (await readRun(dir))?.stages[1];
    expect(install).to.include({ state: 'not-run' });
    expect(install?.failure).to.include({
      blame: 'timeout',
      message: 'the run took longer than 60 s and was ended',
    });
  });

  it('ends every later step with the verdict of a run that has ended already', async () => {
    await begin(new Date());
    const summary: RunSummary = {
      run: request.run,
      startedAt: new Date().toISOString(),
      finishedAt: new Date().toISOString(),
      outcome: { verdict: 'red', blame: 'recipe', sentence: 'install: it did not come up', evidence: [] },
    };
    await writeJson(summaryFile(dir), summary);
    for (const name of ['upgrade', 'teardown']) {
      const { exitCode, output } = await stage(name);
      expect(exitCode, output).to.equal(1);
      expect(output).to.include('has ended already: install: it did not come up');
    }
  });
});
