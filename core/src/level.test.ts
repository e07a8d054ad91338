import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { LEVELS, levelOf, levelOfRun, levelTable, SCALE_VERSION, SECRETS_CHECK } from './level.js';
import {
  type Failure,
  level as levelSchema,
  type Outcome,
  pendingStage,
  STAGES,
  type StageName,
  type StageRecord,
  type TestResult,
} from './record.js';

const test = (source: TestResult['source'], title: string, change: Partial<TestResult> = {}): TestResult => ({
  source,
  suite: 's',
  title,
  state: 'passed',
  durationMs: 1,
  ...change,
});
const FAILED = { state: 'failed', message: 'no' } as const;
const serves = test('generic', 'answers over HTTPS');
const secrets = test('generic', SECRETS_CHECK);
const mine = test('cc-ci', 'shows the page');
const theirs = test('recipe', 'logs in');
const failure = (blame: Failure['blame'], message: string): Failure => ({ blame, message, evidence: [] });
const outcomes = (...verdicts: Outcome['verdict'][]): Outcome[] =>
  verdicts.map((verdict) => ({ verdict, sentence: verdict, evidence: [] }));
const STEADY = outcomes('green', 'green', 'green', 'green');

type Change = Partial<Record<StageName, Partial<StageRecord>>>;

/** A run in which everything was there and passed. */
function stages(change: Change = {}): StageRecord[] {
  const tests: Partial<Record<StageName, TestResult[]>> = {
    install: [serves, mine, secrets],
    upgrade: [serves],
    backup: [mine],
    'recipe-tests': [theirs],
  };
  return STAGES.map((stage) => ({
    ...pendingStage(stage),
    state: 'passed',
    tests: tests[stage] ?? [],
    ...change[stage],
  }));
}

const reached = (change: Change, earlier = STEADY) => levelOf(stages(change), earlier);

describe('level', () => {
  it('is 8 when everything passed, again and again', () => {
    expect(reached({})).to.deep.equal({ value: 8, scale: SCALE_VERSION });
  });

  const stops: [number, string, Change, string][] = [
    [
      0,
      'the app does not come up',
      { install: { state: 'failed', failure: failure('recipe', 'app keeps ending'), tests: [] } },
      'installs: install failed: app keeps ending',
    ],
    [
      0,
      'nothing could be deployed',
      {
        prepare: { state: 'failed', failure: failure('recipe', 'compose.yml: bad') },
        install: { state: 'not-run', reason: 'prepare did not come far enough', tests: [] },
      },
      'installs: install should have run and did not: prepare did not come far enough',
    ],
    [
      1,
      'a generic check fails',
      {
        install: {
          state: 'failed',
          failure: failure('recipe', 'HTTP 500'),
          tests: [test('generic', 'answers', FAILED), mine, secrets],
        },
      },
      'serves: the test "answers" failed',
    ],
    [
      1,
      'there was no generic check but the one for secrets',
      { install: { tests: [mine, secrets] } },
      'serves: no generic check was run',
    ],
    [
      1,
      'install fails where no test accounts for it',
      { install: { state: 'failed', failure: failure('recipe', 'app did not come back from a restart') } },
      'serves: install failed: app did not come back from a restart',
    ],
    [
      2,
      'the upgrade fails',
      { upgrade: { state: 'failed', failure: failure('recipe', 'data lost') } },
      'upgrades: upgrade failed: data lost',
    ],
    [
      2,
      'the published version does not come up',
      { upgrade: { state: 'base-broken', reason: '1.0.0 does not come up by itself' } },
      'upgrades: upgrade could not be tested: 1.0.0 does not come up by itself',
    ],
    [
      2,
      'the upgrade should have run',
      { upgrade: { state: 'not-run' } },
      'upgrades: upgrade should have run and did not',
    ],
    [
      3,
      'the restore fails',
      { backup: { state: 'failed', failure: failure('recipe', 'not restored') } },
      'backs up and restores: backup failed: not restored',
    ],
    [
      4,
      'we have no test',
      { install: { tests: [serves, secrets] }, backup: { tests: [] } },
      'functional tests of ours: there are none for this recipe',
    ],
    [
      4,
      'a test of ours fails',
      { install: { state: 'failed', tests: [serves, mine, test('cc-ci', 'logs in', FAILED), secrets] } },
      'functional tests of ours: the test "logs in" failed',
    ],
    [
      4,
      'a test of ours was skipped',
      { backup: { tests: [test('cc-ci', 'has it', { state: 'skipped' }), mine] } },
      'functional tests of ours: the test "has it" was skipped',
    ],
    [
      4,
      'tests of ours could not be loaded',
      { install: { state: 'failed', failure: failure('tests', 'install.test.ts: syntax') } },
      'functional tests of ours: install failed: install.test.ts: syntax',
    ],
    [
      5,
      'the recipe brings none',
      { 'recipe-tests': { state: 'structural-skip', reason: 'no tests of its own', tests: [] } },
      'ships its own tests: recipe-tests had nothing to test: no tests of its own',
    ],
    [
      5,
      "a test of the recipe's fails",
      {
        'recipe-tests': {
          state: 'failed',
          tests: [theirs, test('recipe', 'one', FAILED), test('recipe', 'two', FAILED)],
        },
      },
      'ships its own tests: the test "one" failed, and 1 other',
    ],
    [
      5,
      "the recipe's tests cannot be loaded",
      { 'recipe-tests': { state: 'failed', failure: failure('tests', 'no such module') } },
      'ships its own tests: recipe-tests failed: no such module',
    ],
    [
      6,
      'lint warns',
      {
        prepare: {
          findings: (['note', 'warning', 'warning'] as const).map((severity) => ({
            rule: 'image-tag',
            severity,
            message: 'm',
          })),
        },
      },
      'lint and secrets clean: lint has 2 findings (image-tag)',
    ],
    [
      6,
      'a secret is in a log',
      { install: { state: 'failed', tests: [serves, mine, test('generic', SECRETS_CHECK, FAILED)] } },
      `lint and secrets clean: the test "${SECRETS_CHECK}" failed`,
    ],
    [
      6,
      'secrets were not looked for',
      { install: { tests: [serves, mine] } },
      `lint and secrets clean: "${SECRETS_CHECK}" was not checked`,
    ],
    [
      7,
      'the run is red for something no level asks for',
      { teardown: { state: 'failed', failure: failure('recipe', 'x') } },
      'steady: this run is not green but red',
    ],
  ];
  for (const [value, when, change, missing] of stops) {
    it(`is ${value} when ${when}`, () => {
      expect(reached(change)).to.deep.equal({ value, scale: SCALE_VERSION, missing });
    });
  }

  it('lets the climb go on over skips, and shows them', () => {
    const change: Change = {
      upgrade: { state: 'structural-skip', tests: [] },
      backup: { state: 'declared-skip' },
      'recipe-tests': { state: 'declared-skip', tests: [] },
    };
    const skipped = ['upgrades', 'backs up and restores', 'ships its own tests'];
    expect(reached(change)).to.deep.equal({ value: 8, scale: SCALE_VERSION, skipped });
    expect(reached({ ...change, 'recipe-tests': { state: 'structural-skip', tests: [] } })).to.deep.equal({
      value: 5,
      scale: SCALE_VERSION,
      missing:
        'ships its own tests: recipe-tests had nothing to test (passed by a skip: upgrades, backs up and restores)',
      skipped: skipped.slice(0, 2),
    });
    expect(levelSchema.parse(reached(change))).to.deep.equal(reached(change));
  });

  it('is steady after four green runs, whatever says nothing of the recipe between them', () => {
    const steady = (...verdicts: Outcome['verdict'][]) =>
      reached({}, outcomes(...verdicts)).missing ?? 'steady';
    expect(steady('green', 'error', 'green', 'cancelled', 'green', 'green', 'red')).to.equal('steady');
    expect(steady()).to.equal('steady: 4 more green runs in a row needed (before this one: 0 of 4)');
    expect(steady('green', 'green', 'green')).to.equal(
      'steady: 1 more green run in a row needed (before this one: 3 of 4)',
    );
    expect(steady('green', 'red', 'green', 'green', 'green')).to.equal(
      'steady: 3 more green runs in a row needed (before this one: 1 of 4)',
    );
  });

  it('never rises when something gets worse', () => {
    const order = stops.map(([value]) => value);
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
    expect(new Set(order)).to.deep.equal(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    // What stops a lower level stops the climb, however much of what is above it holds.
    for (const [low, , worse] of stops)
      for (const [high, , change] of stops)
        if (high > low) expect(reached({ ...change, ...worse }).value, `${low} ${high}`).to.be.at.most(low);
  });

  it('keeps its sentence short, whatever a stage says', () => {
    const message = 'so long '.repeat(10_000);
    const { missing = '' } = reached({ upgrade: { state: 'failed', failure: failure('recipe', message) } });
    expect(missing.length).to.be.within(100, 250);
  });

  it('is that of a run only where the run says something of the recipe', () => {
    const levelAfter = (change: Change) => levelOfRun({ stages: stages(change) }, STEADY)?.value;
    expect(levelAfter({})).to.equal(8);
    expect(levelAfter({ upgrade: { state: 'failed', failure: failure('recipe', 'x') } })).to.equal(2);
    for (const blame of ['ci', 'forge', 'timeout', 'cancelled'] as const) {
      expect(levelAfter({ upgrade: { state: 'failed', failure: failure(blame, 'x') } }), blame).to.equal(
        undefined,
      );
    }
    expect(levelAfter({ backup: { state: 'running' } })).to.equal(undefined);
    expect(levelAfter({ backup: { state: 'not-run' } })).to.equal(undefined);
  });
});

describe('docs/levels.md', () => {
  it('has the table of the code, and its version', async () => {
    const page = await readFile(new URL('../../docs/levels.md', import.meta.url), 'utf8');
    expect(page).to.contain(`\n${levelTable()}\n`);
    expect(page).to.contain(`Version of the scale: ${SCALE_VERSION}.`);
    expect(page).to.contain(`0 to ${LEVELS.length}`);
  });
});
