import { pendingStage, type RunRecord, type StageRecord, type TestResult } from '@cc-ci/core';
import type { Progress } from '@cc-ci/runner';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { duration, progressLines, statusLine, summaryLines } from './progress.js';

const PLAIN = { colour: false };

describe('words for the terminal', () => {
  const lines = (event: Progress) => progressLines(event, PLAIN);
  const test = (change: Partial<TestResult>): Progress => ({
    kind: 'test',
    stage: 'install',
    test: { source: 'cc-ci', suite: 'pad', title: 'saves', state: 'passed', durationMs: 12, ...change },
  });

  it('align stages, phases and times', () => {
    expect([
      ...lines({ kind: 'phase-end', stage: 'prepare', phase: 'fetch', durationMs: 140 }),
      ...lines({ kind: 'stage-end', stage: 'prepare', state: 'passed', durationMs: 900 }),
      ...lines({ kind: 'phase-end', stage: 'install', phase: 'converge', durationMs: 61_000 }),
      ...lines(test({})),
      ...lines(test({ durationMs: 2_345 })),
      ...lines({ kind: 'note', stage: 'install', text: 'no tests of ours' }),
    ]).to.deep.equal([
      'prepare       fetch        0.1 s',
      'prepare       PASSED       0.9 s',
      'install       converge    61.0 s',
      'install         pass  pad › saves',
      'install         pass  pad › saves  2.3 s',
      'install         note  no tests of ours',
    ]);
  });

  it('say why, where something did not pass', () => {
    expect(
      lines({ kind: 'stage-end', stage: 'upgrade', state: 'not-run', why: 'prepare did not pass' }),
    ).to.deep.equal(['upgrade       NOT-RUN: prepare did not pass']);
    expect(
      lines({
        kind: 'stage-end',
        stage: 'install',
        state: 'failed',
        why: 'app keeps ending',
        durationMs: 9_700,
      }),
    ).to.deep.equal(['install       FAILED: app keeps ending  9.7 s']);
    const finding = {
      rule: 'image-pinned',
      severity: 'warning',
      message: 'app: latest',
      where: 'compose.yml:4',
    } as const;
    expect(lines({ kind: 'finding', stage: 'prepare', finding })).to.deep.equal([
      'prepare         warning  image-pinned: app: latest (compose.yml:4)',
    ]);
  });

  it('show the first lines of a failed test, and how many more there are', () => {
    const shown = lines(test({ state: 'failed', message: 'expected 1\n\nto equal 2\n3\n4\n5\n6' }));
    expect(shown[0]).to.equal('install         FAIL  pad › saves');
    expect(shown.slice(1).map((line) => line.trim())).to.deep.equal([
      'expected 1',
      'to equal 2',
      '3',
      '4',
      '… 2 more lines',
    ]);
  });

  it('let no test move the cursor, colour the screen or turn the text round', () => {
    const [line = ''] = lines(test({ title: 'a\u001b[2J\u001b[31mb\r\nc\u0007\u202ed' }));
    expect(line).to.equal('install         pass  pad › ab c d');
  });

  it('end a line that would fill the screen', () => {
    const [line = ''] = lines(test({ title: 'x'.repeat(5_000) }));
    expect(line.length).to.be.below(350);
    expect(line).to.match(/…$/);
  });

  it('say nothing of what only begins', () => {
    expect(lines({ kind: 'stage-start', stage: 'install' })).to.deep.equal([]);
    expect(lines({ kind: 'phase-start', stage: 'install', phase: 'deploy' })).to.deep.equal([]);
  });

  it('have colours only where they are wanted', () => {
    const [line = ''] = progressLines(test({ state: 'failed' }), { colour: true });
    expect(line).to.equal('install         \u001b[31mFAIL\u001b[39m  pad › saves');
  });

  it('cut the status line to less than the width', () => {
    const now = { stage: 'install', phase: 'converge', elapsedMs: 12_800 } as const;
    expect(statusLine(now, 80)).to.equal('install       converge    12 s …');
    expect(statusLine(now, 20)).to.have.length(19);
    expect(statusLine({ ...now, phase: undefined }, 80)).to.match(/^install +12 s …$/);
  });

  it('turn long times into minutes', () => {
    expect([0, 49, 119_900, 119_950, 125_400, 3_600_000].map(duration)).to.deep.equal([
      '0.0 s',
      '0.0 s',
      '119.9 s',
      '2 min 00 s',
      '2 min 05 s',
      '60 min 00 s',
    ]);
  });
});

describe('the summary of a run', () => {
  const AT = '2026-01-01T10:00:00.000Z';
  const ended = (stage: StageRecord['stage'], change: Partial<StageRecord> = {}): StageRecord => ({
    ...pendingStage(stage),
    state: 'passed',
    startedAt: AT,
    finishedAt: '2026-01-01T10:00:12.500Z',
    ...change,
  });
  const failing = (title: string, message?: string): TestResult => ({
    source: 'cc-ci',
    suite: 'pad',
    title,
    state: 'failed',
    durationMs: 5,
    ...(message === undefined ? {} : { message }),
  });
  const record = (stages: StageRecord[], change: Partial<RunRecord> = {}): RunRecord => ({
    run: 'abcd2345',
    dir: '/srv/state/runs/abcd2345',
    plan: {
      schema: 1,
      request: { run: 'abcd2345', recipe: 'pad', ref: 'c'.repeat(40), src: '/srv/pad.git' },
      mode: 'run',
      createdAt: AT,
      stages: stages.map(({ stage }) => stage),
      app: { label: 'pad-abcd2345', domain: 'pad-abcd2345.ci.test', stack: 'pad-abcd2345_ci_test' },
      snapshots: [],
      overlays: [],
      tools: {},
    },
    stages,
    summary: {
      run: 'abcd2345',
      startedAt: AT,
      finishedAt: AT,
      outcome: { verdict: 'green', sentence: 'install passed with 1 test', evidence: [] },
    },
    ...change,
  });
  const red = (evidence: string[]): NonNullable<RunRecord['summary']> => ({
    run: 'abcd2345',
    startedAt: AT,
    finishedAt: AT,
    outcome: { verdict: 'red', blame: 'recipe', sentence: 'install: 1 of 2 failed', evidence },
  });

  it('is verdict, stages and files when all is well', () => {
    const picture = { kind: 'screenshot', path: 'screenshots/install-1.png', title: 'landing page' } as const;
    const passed = { ...failing('saves'), state: 'passed' } as const;
    const stages = [
      ended('prepare'),
      ended('install', { tests: [passed], artifacts: [picture] }),
      { ...pendingStage('upgrade'), state: 'structural-skip', reason: 'no published version' } as const,
    ];
    expect(summaryLines(record(stages), PLAIN)).to.deep.equal([
      '',
      'GREEN  pad at cccccccc: install passed with 1 test',
      '',
      '  prepare       passed               12.5 s',
      '  install       passed               12.5 s  1 test',
      '  upgrade       structural-skip              no published version',
      '',
      'Files',
      '  /srv/state/runs/abcd2345  (logs/<stage>.log: every step)',
      '  /srv/state/runs/abcd2345/screenshots/install-1.png  landing page',
    ]);
  });

  it('says whose fault it is, what to do, which tests failed, and the last of the evidence', () => {
    const install = ended('install', { state: 'failed', tests: [failing('saves', 'expected 1 to equal 2')] });
    const evidence = Array.from({ length: 40 }, (_, index) => `line ${index + 1}`);
    const text = summaryLines(record([install], { summary: red(evidence) }), PLAIN).join('\n');
    expect(text).to.include(
      'RED (recipe)  pad at cccccccc: install: 1 of 2 failed\nTo do: the recipe at this commit',
    );
    expect(text).to.include('1 test, 1 failed');
    expect(text).to.include('Failed tests\n  install: pad › saves\n    expected 1 to equal 2');
    expect(text).to.include('Evidence\n  … 25 lines before\n  line 26\n').and.include('line 40');
  });

  it('fits on a screen where everything failed at length', () => {
    const tests = Array.from({ length: 200 }, (_, index) => failing(`test ${index}`, 'why\n'.repeat(500)));
    const summary = red(Array.from({ length: 500 }, () => 'x'.repeat(10_000)));
    const lines = summaryLines(record([ended('install', { state: 'failed', tests })], { summary }), PLAIN);
    expect(lines).to.have.length.below(120);
    expect(Math.max(...lines.map((line) => line.length))).to.be.below(700);
    expect(lines.join('\n')).to.include('… and 190 more tests');
  });

  it('says where an app that was kept is, and how to remove it, until it is removed', () => {
    const whole = record([ended('install'), { ...pendingStage('teardown'), state: 'declared-skip' }]);
    const kept = { ...whole, plan: { ...whole.plan, kept: true } };
    const text = summaryLines(kept, PLAIN).join('\n');
    expect(text)
      .to.include('https://pad-abcd2345.ci.test')
      .and.include('cc-ci teardown abcd2345')
      .and.include('/srv/state/runs/abcd2345/secrets.json');
    const gone = { ...kept, stages: [ended('install'), ended('teardown')] };
    expect(summaryLines(gone, PLAIN).join('\n')).to.not.include('was kept');
  });

  it('does not say cancelled twice', () => {
    const outcome = { verdict: 'cancelled', blame: 'cancelled', sentence: 'stopped', evidence: [] } as const;
    const summary = { ...red([]), outcome: { ...outcome, evidence: [] } };
    expect(summaryLines(record([], { summary }), PLAIN)[1]).to.equal('CANCELLED  pad at cccccccc: stopped');
  });
});
