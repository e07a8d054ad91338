import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  junitFile,
  junitXml,
  newRunId,
  pendingStage,
  planFile,
  readRun,
  reportFile,
  runFolder,
  STAGES,
  type StageName,
  type StageRecord,
  stageFile,
  writeJson,
} from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { finalise } from './reap.js';
import { somePlan } from './testing/context.js';

const TESTS = (['generic', 'cc-ci'] as const).map((source) => ({
  source,
  suite: 's',
  title: 't',
  state: 'passed' as const,
  durationMs: 1,
}));

describe('the end of a run', () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-finalise-'));
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const leave = async (change: Partial<Record<StageName, Partial<StageRecord>>> = {}) => {
    const run = newRunId();
    const dir = runFolder(stateDir, run);
    await writeJson(planFile(dir), somePlan(run));
    for (const stage of STAGES) {
      const passed = { ...pendingStage(stage), state: 'passed', tests: stage === 'install' ? TESTS : [] };
      await writeJson(stageFile(dir, stage), { ...passed, ...change[stage] });
    }
    return dir;
  };

  it('writes verdict and level, and the tests as JUnit XML', async () => {
    const dir = await leave({ upgrade: { state: 'structural-skip', reason: 'nothing published' } });
    const summary = await finalise(dir);
    expect(summary.outcome.verdict).to.equal('green');
    expect(summary.level).to.deep.equal({
      value: 5,
      scale: 1,
      missing: 'ships its own tests: the recipe brings none (passed by a skip: upgrades)',
      skipped: ['upgrades'],
    });
    const record = (await readRun(dir)) ?? expect.fail('no record');
    expect(record.summary).to.deep.equal(summary);
    expect(await readFile(junitFile(dir), 'utf8')).to.equal(junitXml(record));
    const { plan, stages } = record;
    const report: unknown = JSON.parse(await readFile(reportFile(dir), 'utf8'));
    expect(report).to.deep.include({ status: 'green', level: 5, plan, stages, summary });
  });

  it('gives no level to a run that says nothing of the recipe', async () => {
    const failure = { blame: 'ci' as const, message: 'the disk is full', evidence: [] };
    const dir = await leave({ teardown: { state: 'failed', failure } });
    const summary = await finalise(dir);
    expect(summary.outcome).to.include({ verdict: 'error', blame: 'ci' });
    expect(summary).not.to.have.property('level');
    expect(await readFile(junitFile(dir), 'utf8')).to.contain('the disk is full');
  });

  it('counts the runs before it, and becomes steady', async () => {
    const shown: Partial<Record<StageName, Partial<StageRecord>>> = {
      install: {
        tests: [...TESTS, { ...TESTS[0], title: 'no secret value in service specs or logs' }] as typeof TESTS,
      },
      'recipe-tests': { tests: TESTS.map((test) => ({ ...test, source: 'recipe' as const })) },
    };
    const levels: (number | undefined)[] = [];
    for (let round = 0; round < 5; round++) levels.push((await finalise(await leave(shown))).level?.value);
    expect(levels).to.deep.equal([7, 7, 7, 7, 8]);
  });
});
