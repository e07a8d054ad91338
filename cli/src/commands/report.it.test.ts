import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Finding,
  newRunId,
  type Plan,
  pendingStage,
  planFile,
  readRun,
  run,
  runFolder,
  STAGES,
  type StageName,
  type StageRecord,
  stageFile,
  summaryFile,
  writeJson,
} from '@cc-ci/core';
import { finalise } from '@cc-ci/runner';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { selfCommand } from '../runner-process.js';

describe('cc-ci report', () => {
  let stateDir: string;
  let id: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-report-'));
    id = newRunId();
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const leave = async (change: Partial<Record<StageName, Partial<StageRecord>>>) => {
    const dir = runFolder(stateDir, id);
    const plan: Plan = {
      schema: 1,
      request: { run: id, recipe: 'custom-html', ref: 'a'.repeat(40), src: '/srv/r.git' },
      mode: 'run',
      createdAt: new Date().toISOString(),
      stages: [...STAGES],
      snapshots: [],
      overlays: [],
      tools: {},
    };
    await writeJson(planFile(dir), plan);
    const test = { source: 'generic', suite: 's', title: 'answers', state: 'passed', durationMs: 1 } as const;
    for (const stage of STAGES) {
      const passed = { ...pendingStage(stage), state: 'passed', tests: stage === 'install' ? [test] : [] };
      await writeJson(stageFile(dir, stage), { ...passed, ...change[stage] });
    }
    return dir;
  };
  const report = async (...flags: string[]) => {
    const [file = '', ...args] = [...selfCommand('report'), id, ...flags];
    return run(file, args, {
      env: { ...process.env, CC_CI_STATE_DIR: stateDir },
      okCodes: [0, 1, 2],
      timeoutMs: 30_000,
    });
  };

  it('says the same as the run did, and nothing of differences', async () => {
    await finalise(await leave({}));
    const { stdout, exitCode } = await report();
    expect(exitCode).to.equal(0);
    expect(stdout).to.match(/^GREEN: install passed with 1 test$/m);
    expect(stdout).to.match(
      /^level 4 of 8: backs up and restores \(not 5: functional tests of ours: there are none/m,
    );
    expect(stdout).not.to.contain('run.json');
  });

  it('computes verdict, blame and level from the files, whatever run.json says', async () => {
    const finding: Finding = { rule: 'image-tag', severity: 'error', message: 'nginx has no tag' };
    const failure = { blame: 'recipe' as const, message: 'lint found an error', evidence: ['compose.yml:3'] };
    const dir = await leave({ upgrade: { state: 'failed', failure }, prepare: { findings: [finding] } });
    const summary = await finalise(dir);
    const green = { verdict: 'green' as const, sentence: 'all is well', evidence: [] };
    await writeJson(summaryFile(dir), { ...summary, outcome: green, level: { value: 8, scale: 1 } });
    const { stdout, exitCode } = await report();
    expect(exitCode).to.equal(1);
    expect(stdout).to.match(/^RED \(recipe\): upgrade: lint found an error; the recipe needs a fix$/m);
    expect(stdout).to.match(
      /^level 2 of 8: serves \(not 3: upgrades: upgrade failed: lint found an error\)$/m,
    );
    expect(stdout).to.contain('    error    image-tag: nginx has no tag');
    expect(stdout).to.contain('        compose.yml:3');
    expect(stdout).to.contain('not as in run.json:\n    verdict: it has "green", the files come to "red"');
    expect(stdout).to.contain('level: it has "8 (scale 1)", the files come to "2 (scale 1)"');
    expect((await readRun(dir))?.summary?.outcome).to.deep.equal(green);
    const json = JSON.parse((await report('--json')).stdout);
    expect(json.outcome).to.include({ verdict: 'red', blame: 'recipe' });
    expect(json.level).to.include({ value: 2, scale: 1 });
    expect(json.differences).to.have.length(6);
    expect(json.plan.request.recipe).to.equal('custom-html');
  });

  it('prints JUnit XML, and nothing else', async () => {
    await finalise(await leave({}));
    const { stdout } = await report('--junit');
    expect(stdout).to.match(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites /);
    expect(stdout).to.match(/<\/testsuites>\n$/);
  });

  it('refuses what it cannot do', async () => {
    const { stderr, exitCode } = await report();
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain(`there is no run ${id} below`);
    await leave({});
    expect((await report('--json', '--junit')).stderr).to.contain('one of them at a time');
  });

  it('says of a run without an end that it has none', async () => {
    await leave({ backup: { state: 'running' }, teardown: { state: 'pending' } });
    const { stdout, exitCode } = await report();
    expect(exitCode).to.equal(2);
    expect(stdout).to.contain('no level: this run says nothing of the recipe');
    expect(stdout).to.match(/^ERROR \(ci\): the run ended during backup without a result/m);
    expect(stdout).to.contain('the run goes on, or was killed');
  });
});
