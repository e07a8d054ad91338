import { pendingStage, type RunRecord, STAGES, type StageName, type StageRecord } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type Computed, differences, duration, levelLine, plain, reportLines } from './words.js';

const START = Date.parse('2026-11-21T08:00:00.000Z');
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

function recordOf(
  change: Partial<Record<StageName, Partial<StageRecord>>>,
  summary?: RunRecord['summary'],
): RunRecord {
  const request = {
    run: 'k3f9x2ab',
    recipe: 'custom-html',
    ref: '0123456789abcdef0123456789abcdef01234567',
    src: '/srv/r.git',
    repo: 'recipes/custom-html',
    pr: 12,
  };
  return {
    run: request.run,
    dir: `/runs/${request.run}`,
    plan: {
      schema: 1,
      request,
      mode: 'run',
      createdAt: at(0),
      stages: [...STAGES],
      snapshots: [],
      overlays: [],
      tools: {},
    },
    stages: STAGES.map((stage) => ({
      ...pendingStage(stage),
      state: 'passed',
      startedAt: at(0),
      finishedAt: at(1.2),
      ...change[stage],
    })),
    summary,
  };
}

const summaryOf = ({ outcome, level }: Computed): RunRecord['summary'] => ({
  run: 'k3f9x2ab',
  startedAt: at(0),
  finishedAt: at(60),
  outcome,
  ...(level ? { level } : {}),
});

const RED: Computed = {
  outcome: { verdict: 'red', blame: 'recipe', sentence: 'install: it crashes', evidence: ['exit 1'] },
  level: { value: 1, scale: 1, missing: 'serves: the test "answers" failed' },
};

describe('a report', () => {
  it('has everything a person needs of a run', () => {
    const record = recordOf({
      prepare: {
        findings: [
          { rule: 'image-tag', severity: 'warning', message: 'nginx has no tag', where: 'compose.yml:3' },
          { rule: 'host-bind', severity: 'note', message: '/etc/localtime' },
        ],
      },
      install: {
        state: 'failed',
        finishedAt: at(65),
        phases: [
          { name: 'secrets', ours: true, startedAt: at(0), finishedAt: at(0.4) },
          { name: 'tests', ours: false, startedAt: at(1) },
        ],
        tests: [
          { source: 'generic', suite: 'checks', title: 'answers', state: 'passed', durationMs: 5 },
          {
            source: 'cc-ci',
            suite: 'the site',
            title: 'greets',
            state: 'failed',
            durationMs: 5,
            message: 'expected 500\n\nto equal 200',
          },
        ],
        failure: { blame: 'recipe', message: '1 of 2 tests failed', evidence: ['exit 1', 'app | panic'] },
        notes: ['no screenshot'],
      },
      upgrade: { state: 'not-run', reason: 'install did not pass', startedAt: undefined },
    });
    expect(reportLines({ ...record, summary: summaryOf(RED) }, RED).join('\n')).to.equal(
      `run k3f9x2ab: custom-html at 01234567, recipes/custom-html#12, 2026-11-21T08:00:00.000Z
RED (recipe): install: it crashes
level 1 of 8: installs (not 2: serves: the test "answers" failed)

prepare       passed                 1.2 s
    warning  image-tag: nginx has no tag (compose.yml:3)
    note     host-bind: /etc/localtime
install       failed            1 min 05 s  2 tests: 1 passed, 1 failed
    secrets 0.4 s (ours), tests not ended
    FAIL  the site › greets (cc-ci)
          expected 500
          to equal 200
    recipe: 1 of 2 tests failed
        exit 1
        app | panic
    note  no screenshot
upgrade       not-run
    install did not pass
backup        passed                 1.2 s
recipe-tests  passed                 1.2 s
teardown      passed                 1.2 s`,
    );
  });

  it('says where run.json has something else', () => {
    const before: Computed = {
      outcome: { verdict: 'green', sentence: 'install passed', evidence: [] },
      level: { value: 3, scale: 0 },
    };
    const record = recordOf({}, summaryOf(before));
    expect(differences(record, before)).to.deep.equal([]);
    expect(differences(record, RED)).to.deep.equal([
      'verdict: it has "green", the files come to "red"',
      'blame: it has none, the files come to "recipe"',
      'level: it has "3 (scale 0)", the files come to "1 (scale 1)"',
      'sentence: it has "install passed", the files come to "install: it crashes"',
      'what the level misses: it has none, the files come to "serves: the test "answers" failed"',
      'evidence: it has none, the files come to "exit 1"',
    ]);
    const lines = reportLines(record, RED);
    expect(lines.slice(-8, -6)).to.deep.equal(['', 'not as in run.json:']);
    expect(reportLines(recordOf({}), RED).at(-1)).to.match(
      /^ {4}it is missing: the run goes on, or was killed/,
    );
  });

  it('fits some screens, however much there is to say', () => {
    const long = 'so long '.repeat(500);
    const many = <T>(item: T) => Array.from({ length: 500 }, () => item);
    const stage: Partial<StageRecord> = {
      state: 'failed',
      findings: many({ rule: 'image-tag', severity: 'warning', message: long, where: long }),
      tests: many({
        source: 'recipe',
        suite: long,
        title: long,
        state: 'failed',
        durationMs: 1,
        message: many(long).slice(0, 50).join('\n'),
      }),
      failure: { blame: 'recipe', message: long, evidence: [...many(long), 'the last line'] },
      notes: many(long),
    };
    const outcome = { ...RED.outcome, sentence: long };
    const lines = reportLines(recordOf({ install: stage }), { ...RED, outcome });
    expect(lines.length).to.be.below(160);
    expect(Math.max(...lines.map((line) => line.length))).to.be.below(1_100);
    expect(lines).to.include('    … and 480 more').and.to.include('        … 481 lines before');
    expect(lines).to.include('        the last line');
  });

  it('is nothing a terminal would act on', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007a\rb\u202ec\u0008';
    const failure = { blame: 'recipe' as const, message: evil, evidence: [evil] };
    const stage: Partial<StageRecord> = {
      state: 'failed',
      failure,
      notes: [evil],
      findings: [{ rule: 'x', severity: 'note', message: evil, where: evil }],
      tests: [{ source: 'recipe', suite: evil, title: evil, state: 'failed', durationMs: 1, message: evil }],
    };
    const outcome = { ...RED.outcome, sentence: evil, evidence: [evil] };
    const level = { value: 1, scale: 1, missing: evil };
    const record = recordOf({ install: stage, upgrade: { state: 'not-run', reason: evil } }, summaryOf(RED));
    for (const line of reportLines(record, { outcome, level })) expect(line).to.match(/^[^\p{Cc}\u202e]*$/u);
  });
});

describe('words', () => {
  it('of a level', () => {
    expect(levelLine(undefined)).to.equal('no level: this run says nothing of the recipe');
    expect(levelLine({ value: 0, scale: 1, missing: 'installs: install failed' })).to.equal(
      'level 0 of 8 (not 1: installs: install failed)',
    );
    expect(levelLine({ value: 8, scale: 1 })).to.equal('level 8 of 8: steady');
    expect(levelLine({ value: 8, scale: 1, skipped: ['upgrades', 'ships its own tests'] })).to.equal(
      'level 8 of 8: steady (passed by a skip: upgrades, ships its own tests)',
    );
  });

  it('of a duration', () => {
    expect([0, 449, 59_949, 59_950, 125_000].map(duration)).to.deep.equal([
      '0.0 s',
      '0.4 s',
      '59.9 s',
      '1 min 00 s',
      '2 min 05 s',
    ]);
  });

  it('of others stand in one line', () => {
    expect(plain('a\n\tb\u001b[31mc')).to.equal('a bc');
    expect(plain('x'.repeat(500), 10)).to.equal(`${'x'.repeat(9)}…`);
  });
});
