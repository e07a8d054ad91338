import { pendingStage, type RunRecord, type StageRecord } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { handFor } from './by-hand.js';
import { timeToFailure } from './crash-loop.js';
import { measured, median } from './measure.js';
import { measureRedaction } from './redaction.js';
import { during, loggedCommands, loggedTime, type Reference } from './reference.js';

describe('a measure', () => {
  const ratio = { name: 'x', unit: 'ratio', bound: 'at-most', limit: 1.15 } as const;
  const speed = { name: 'y', unit: 'MB/s', bound: 'at-least', limit: 100 } as const;

  it('is judged by its limit, before it is rounded', () => {
    expect(measured(ratio, 1.15, '')).to.include({ value: 1.15, ok: true });
    expect(measured(ratio, 1.1500001, '')).to.include({ value: 1.15, ok: false });
    expect(measured(speed, 99.9, '')).to.include({ ok: false });
    expect(measured(speed, 100, '')).to.include({ ok: true });
  });

  it('that could not be taken is not ok, and says why', async () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(measured(ratio, value, 'why')).to.deep.equal({ ...ratio, ok: false, detail: 'why' });
    }
    const { ok, detail } = await measureRedaction('/nowhere/redaction.mjs');
    expect([ok, detail]).to.deep.equal([false, { problem: '/nowhere/redaction.mjs is not there' }]);
  });

  it('of several rounds is the middle one', () => {
    expect(median([30, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 30])).to.equal(3);
    expect(() => median([])).to.throw(RangeError);
  });
});

describe('what a run did, by its log', () => {
  const log = [
    '2026-01-01T10:00:00.000Z -- deploy',
    '2026-01-01T10:00:01.000Z $ git -C /srv/x checkout --quiet abc',
    '2026-01-01T10:00:01.500Z $ abra app deploy x.test -n',
    '2026-01-01T10:00:01.900Z INFO $ git is not a command here',
    '2026-01-01T10:00:03.000Z -- converge',
    '2026-01-01T10:00:09.000Z $ abra app undeploy x.test -n',
  ].join('\n');

  it('is the commands of each program, with their times', () => {
    expect(loggedCommands(log, 'git')).to.deep.equal([
      {
        at: Date.parse('2026-01-01T10:00:01.000Z'),
        argv: ['git', '-C', '/srv/x', 'checkout', '--quiet', 'abc'],
      },
    ]);
    expect(loggedCommands(log, 'abra')).to.have.length(2);
  });

  it('is what a program took, as far as the log tells', () => {
    expect(loggedTime(log, 'abra')).to.equal(1_500);
    expect(loggedTime(log, 'docker')).to.equal(0);
  });

  it('belongs to the phase it was done in', () => {
    const deploy = { startedAt: '2026-01-01T10:00:00.000Z', finishedAt: '2026-01-01T10:00:03.000Z' };
    expect(during(deploy, loggedCommands(log, 'abra')).map(({ argv }) => argv[2])).to.deep.equal(['deploy']);
  });
});

describe('doing it by hand', () => {
  it('has names and folders of its own', () => {
    const reference: Reference = {
      run: 'aaaa2345',
      dir: '/state/runs/aaaa2345',
      domain: 'pad-aaaa2345.ci.test',
      stack: 'pad-aaaa2345_ci_test',
      phases: [],
      files: '/reference',
    };
    const hand = handFor(reference, 'pad', 'bbbb2345', '/by-hand/bbbb2345');
    expect([hand.domain, hand.stack]).to.deep.equal(['pad-bbbb2345.ci.test', 'pad-bbbb2345_ci_test']);
    expect(hand.renamed('git -C /state/runs/aaaa2345/abra/recipes/pad fetch')).to.equal(
      `git -C ${hand.recipeDir} fetch`,
    );
  });
});

describe('the time until a crash loop is reported', () => {
  const install = (change: Partial<StageRecord>): RunRecord => ({
    run: 'aaaa2345',
    dir: '/state/runs/aaaa2345',
    plan: {
      schema: 1,
      request: { run: 'aaaa2345', recipe: 'pad', ref: 'a'.repeat(40), src: '/srv/pad.git' },
      mode: 'run',
      createdAt: '2026-01-01T10:00:00.000Z',
      stages: ['install'],
      snapshots: [],
      overlays: [],
      tools: {},
    },
    stages: [
      {
        ...pendingStage('install'),
        state: 'failed',
        finishedAt: '2026-01-01T10:00:09.000Z',
        phases: [{ name: 'deploy', ours: false, startedAt: '2026-01-01T10:00:02.500Z' }],
        failure: { blame: 'recipe', message: 'app keeps ending: exit (1)', evidence: [] },
        ...change,
      },
    ],
    summary: undefined,
  });

  it('is from the deployment to the end of the stage', () => {
    expect(timeToFailure(install({}))).to.deep.equal({ seconds: 6.5, said: 'app keeps ending: exit (1)' });
  });

  it('is none when something else went wrong', () => {
    const other = { blame: 'ci', message: 'docker is not there', evidence: [] } as const;
    expect(timeToFailure(install({ failure: { ...other, evidence: [] } }))).to.equal(undefined);
    expect(timeToFailure(install({ state: 'passed' }))).to.equal(undefined);
    expect(timeToFailure(install({ phases: [] }))).to.equal(undefined);
  });
});
