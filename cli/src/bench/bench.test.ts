import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pendingStage, type RunRecord, type StageRecord } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { idleMeasure } from './bridge-idle.js';
import { percentile } from './bridge-latency.js';
import { dataFolders } from './by-hand-data.js';
import { timeToFailure } from './crash-loop.js';
import { dashboardMeasures } from './dashboard.js';
import { handFor, prepareHand } from './hand.js';
import { hookMeasures } from './hook.js';
import { measured, median } from './measure.js';
import { measureRedaction } from './redaction.js';
import { byPhase, type Command, countCalls, loggedCommands, type Reference } from './reference.js';

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

describe('a burst of webhook deliveries', () => {
  const result = {
    statuses: { 202: 9, 401: 1 },
    commands: 7,
    lost: 0,
    doubled: 0,
    answerMs: { p50: 1, p99: 2, max: 3 },
    burstSeconds: 1,
    workedOffSeconds: 2,
    rssMb: { before: 90, after: 119, peak: 130 },
  };
  const oks = (change: object) => hookMeasures({ ...result, ...change }).map(({ ok }) => ok);

  it('must lose nothing, double nothing, and leave the bridge small', () => {
    expect(oks({})).to.deep.equal([true, true, true]);
    expect(oks({ lost: 1 })).to.deep.equal([false, true, true]);
    expect(oks({ doubled: 1 })).to.deep.equal([false, true, true]);
    expect(oks({ rssMb: { before: 90, after: 121, peak: 130 } })).to.deep.equal([true, true, false]);
    expect(oks({ statuses: { 202: 8, 401: 1, 500: 1 } })).to.deep.equal([false, true, true]);
  });

  it('must be answered soon', () => {
    expect(oks({ answerMs: { p50: 5, p99: 50, max: 300 } })).to.deep.equal([true, true, true]);
    expect(oks({ answerMs: { p50: 5, p99: 51, max: 300 } })).to.deep.equal([true, false, true]);
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
        program: 'git',
        argv: ['git', '-C', '/srv/x', 'checkout', '--quiet', 'abc'],
      },
    ]);
    expect(loggedCommands(log, 'docker')).to.deep.equal([]);
    expect([countCalls(log, 'abra'), countCalls(log, 'docker')]).to.deep.equal([2, 0]);
  });

  it('belongs to the phase it was done in, or to the next where it was done between two', () => {
    const given = (at: number): Command => ({ at, program: 'git', argv: ['git', String(at)] });
    const phases = ['2026-01-01T10:00:03.000Z', '2026-01-01T10:00:05.000Z'].map((finishedAt) => ({
      finishedAt,
    }));
    const end = Date.parse('2026-01-01T10:00:03.000Z');
    const parts = byPhase(phases, [end + 1, end, end - 1, end + 2_000].map(given));
    expect(parts).to.deep.equal([[given(end - 1)], [given(end), given(end + 1)]]);
  });
});

describe('doing it by hand', () => {
  const reference: Reference = {
    run: 'aaaa2345',
    dir: '/state/runs/aaaa2345',
    domain: 'pad-aaaa2345.ci.test',
    stack: 'pad-aaaa2345_ci_test',
    phases: [],
    files: '/reference',
  };

  it('has names and folders of its own', () => {
    const hand = handFor(reference, 'pad', 'bbbb2345', '/by-hand/bbbb2345');
    expect([hand.domain, hand.stack]).to.deep.equal(['pad-bbbb2345.ci.test', 'pad-bbbb2345_ci_test']);
    expect(hand.renamed('git -C /state/runs/aaaa2345/abra/recipes/pad fetch')).to.equal(
      `git -C ${hand.recipeDir} fetch`,
    );
  });

  it('backs up the folders into which the runner copied its marker, each once', () => {
    const copy = (...argv: string[]): Command => ({
      at: 0,
      program: 'docker',
      argv: ['docker', 'cp', ...argv],
    });
    const commands = [
      copy('/x/marker', `${'a'.repeat(64)}:/srv/data/.marker`),
      copy(`${'a'.repeat(64)}:/srv/other/.marker`, '-'),
    ];
    const again = copy('/x/marker', `${'b'.repeat(64)}:/srv/data/.marker`);
    const phases = [
      { stage: 'install', name: 'seed', commands },
      { stage: 'upgrade', name: 'seed', commands: [again] },
      { stage: 'backup', name: 'mutate', commands: [copy('/x/marker', `${'b'.repeat(64)}:/srv/no/.marker`)] },
    ] as const;
    expect(
      dataFolders({ phases: phases.map((it) => ({ ...it, commands: [...it.commands] })) }),
    ).to.deep.equal(['/srv/data']);
  });

  it('has the tests where their arguments say, with their links to packages', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'cc-ci-bench-'));
    try {
      const files = join(dir, 'reference');
      await mkdir(join(files, 'test-code/cc-ci/node_modules'), { recursive: true });
      await writeFile(join(files, 'test-code/cc-ci/a.test.ts'), '// a test\n');
      await symlink('../a.test.ts', join(files, 'test-code/cc-ci/node_modules/chai'));
      const hand = handFor({ ...reference, files }, 'pad', 'bbbb2345', join(dir, 'hand'));
      await prepareHand(hand);
      const code = hand.renamed('/state/runs/aaaa2345/test-code/cc-ci');
      expect(await readFile(join(code, 'a.test.ts'), 'utf8')).to.equal('// a test\n');
      expect(await readlink(join(code, 'node_modules/chai'))).to.equal('../a.test.ts');
      expect(await readdir(hand.dir)).to.include.members(['home', 'tmp', 'results']);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
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

describe('the latency of triggers', () => {
  it('is that which so great a share does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.5, 0.95, 1].map((share) => percentile(hundred, share))).to.deep.equal([50, 95, 100]);
    expect(percentile([3, 1, 2], 0.95)).to.equal(3);
  });

  it('is none when a build did not begin', () => {
    expect(percentile([1, Number.NaN], 0.5)).to.equal(undefined);
    expect(percentile([], 0.5)).to.equal(undefined);
  });
});

describe('what an idle bridge asks', () => {
  const result = { repositories: 100, looks: 6, requests: 6, seconds: 30 };

  it('is at most one request a look, and two a minute', () => {
    expect(idleMeasure(result, 5)).to.include({ value: 12, limit: 14, ok: true });
    expect(idleMeasure({ ...result, requests: 8 }, 5)).to.include({ value: 16, ok: false });
  });

  it('is not well when it did not look', () => {
    expect(idleMeasure({ ...result, looks: 0, requests: 0 }, 5).ok).to.equal(false);
  });
});

describe('the measures of the dashboard', () => {
  const times = { ms: 90, cpuMs: 80 };
  const result = {
    build: {
      full: { ms: 9_000, cpuMs: 15_000, runs: 20_000, recipes: 300, written: 200_000, problems: [] },
      incremental: [times, { ...times, ms: 500 }, times],
      memoryMb: { full: 180, all: 190 },
      overview: { page: 30_000, style: 5_000, script: 4_000 },
    },
    longLog: { bytes: 30_000, pageMs: 100, logBytes: 20_000_000 },
    readers: {
      readers: 500,
      lines: 100,
      latencyMs: { p50: 20, p99: 400, max: 900 },
      slowReaderBehind: 50_000,
    },
    firstPaint: { '/': [290, 280, 900], '/runs/x/': [100, 90, 80] },
  };
  const failing = (change: object) =>
    dashboardMeasures({ ...result, ...change }).flatMap(({ ok, name }) => (ok ? [] : [name.slice(11, 22)]));

  it('are one for each thing that is promised', () => {
    expect(failing({})).to.deep.equal([]);
    expect(dashboardMeasures(result).map(({ value }) => value)).to.deep.equal([
      9, 90, 190, 38.086, 29.297, 290, 0.4,
    ]);
    const { build, readers } = result;
    expect(failing({ build: { ...build, full: { ...build.full, ms: 10_001 } } })).to.deep.equal([
      'every page ',
    ]);
    expect(failing({ firstPaint: { ...result.firstPaint, '/x/': [301] } })).to.deep.equal(['first conte']);
    const late = { ...readers, latencyMs: { ...readers.latencyMs, p99: 1_001 } };
    expect(failing({ readers: late })).to.deep.equal(['a line of a']);
  });

  it('are none of a site that is not whole, nor of readers of whom none was slow', () => {
    const { build, readers } = result;
    const problems = [{ what: 'run x', error: 'no' }];
    expect(failing({ build: { ...build, full: { ...build.full, problems } } })).to.deep.equal([
      'every page ',
    ]);
    expect(failing({ readers: { ...readers, slowReaderBehind: 0 } })).to.deep.equal(['a line of a']);
  });
});
