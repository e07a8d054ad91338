import { pendingStage, STAGES, type TestResult } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { stage } from './testing/fake-engine.js';
import {
  duration,
  finalStatus,
  isAbout,
  markerOf,
  progressComment,
  refusalComment,
  refusalReason,
} from './words.js';

const FACTS = {
  run: 'abcd1234',
  recipe: 'custom-html',
  sha: '0123456789abcdef0123456789abcdef01234567',
  author: 'alice',
  publicUrl: 'https://ci.test',
};

const test = (title: string, state: TestResult['state'], message?: string): TestResult => ({
  source: 'cc-ci',
  suite: 'the site',
  title,
  state,
  durationMs: 12,
  ...(message === undefined ? {} : { message }),
});

describe('what a pull request is told', () => {
  it('while its run waits', () => {
    expect(progressComment(FACTS, { phase: 'queued', position: 3 })).to.equal(
      `· **queued**, number 3 in the queue

\`custom-html\` at \`0123456789ab\`, asked for by \`alice\` · [follow the run](https://ci.test/runs/abcd1234/)

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('before the run has a record', () => {
    expect(progressComment(FACTS, { phase: 'running', since: undefined, stages: [] })).to.equal(
      `▸ **running**

\`custom-html\` at \`0123456789ab\`, asked for by \`alice\` · [follow the run](https://ci.test/runs/abcd1234/)

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('while its run goes on', () => {
    const stages = [
      stage('prepare', 'passed', { seconds: 1.2 }),
      stage('install', 'running'),
      pendingStage('upgrade'),
    ];
    expect(progressComment(FACTS, { phase: 'running', since: '2026-11-21T12:30:05.678Z', stages })).to.equal(
      `▸ **running** since 12:30:05 UTC

- prepare: ✓ passed (1.2 s)
- install: ▸ running
- upgrade: · pending

\`custom-html\` at \`0123456789ab\`, asked for by \`alice\` · [follow the run](https://ci.test/runs/abcd1234/)

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('when it is green', () => {
    const stages = [
      stage('prepare', 'passed', { seconds: 1.2 }),
      stage('install', 'passed', { seconds: 32, tests: [test('answers', 'passed')] }),
      stage('upgrade', 'base-broken'),
      stage('backup', 'structural-skip', { reason: 'no backup labels' }),
      stage('recipe-tests', 'declared-skip', { reason: 'no | tests' }),
      stage('teardown', 'passed', { seconds: 125 }),
    ];
    const outcome = { verdict: 'green', sentence: 'install passed with 1 test', evidence: [] } as const;
    expect(
      progressComment(FACTS, { phase: 'ended', stages, outcome: { ...outcome, evidence: [] } }),
    ).to.equal(
      `✓ **green**: \`install passed with 1 test\`

\`custom-html\` at \`0123456789ab\`, asked for by \`alice\` · [run page with logs and screenshots](https://ci.test/runs/abcd1234/)

| stage | result | duration |
| --- | --- | --- |
| prepare | ✓ passed | 1.2 s |
| install | ✓ passed | 32 s |
| upgrade | ○ not possible, the published version does not come up |  |
| backup | – skipped, nothing to test: \`no backup labels\` |  |
| recipe-tests | – skipped, as its test folder says: \`no ¦ tests\` |  |
| teardown | ✓ passed | 2 min 5 s |

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('when it is green and how far the recipe has come, with why not further', () => {
    const text = progressComment(FACTS, {
      phase: 'ended',
      stages: [stage('install', 'passed', { seconds: 32, tests: [test('answers', 'passed')] })],
      outcome: { verdict: 'green', sentence: 'install passed with 1 test', evidence: [] },
      level: { value: 5, scale: 1, missing: 'ships its own tests: it has none' },
    });
    expect(text).to.include('\nLevel **5** of 8; not higher, because `ships its own tests: it has none`\n');
  });

  it('says in the table why a stage failed', () => {
    const failure = { blame: 'recipe', message: 'data were lost', evidence: [] } as const;
    const text = progressComment(FACTS, {
      phase: 'ended',
      stages: [stage('upgrade', 'failed', { seconds: 3, failure: { ...failure, evidence: [] } })],
      outcome: { verdict: 'red', blame: 'recipe', sentence: 'upgrade: data were lost', evidence: [] },
    });
    expect(text).to.include('| upgrade | ✗ failed: `data were lost` | 3.0 s |');
  });

  it('when it is red: the first failing test, whose fault it is and what shows it', () => {
    const stages = [
      stage('prepare', 'passed', { seconds: 1.2 }),
      stage('install', 'failed', {
        seconds: 32,
        tests: [
          test('answers', 'passed'),
          test('shows `hello`', 'failed', 'expected 500\nto equal 200'),
          test('shows more', 'failed', 'not this one'),
        ],
      }),
      stage('recipe-tests', 'not-run'),
      stage('teardown', 'passed', { seconds: 5 }),
    ];
    const outcome = {
      verdict: 'red' as const,
      blame: 'recipe' as const,
      sentence: 'install: 2 of 3 tests failed',
      evidence: ['app.1 | panic: no config', 'app.1 | exit 1'],
    };
    expect(progressComment(FACTS, { phase: 'ended', stages, outcome })).to.equal(
      `✗ **red**: \`install: 2 of 3 tests failed\`

\`custom-html\` at \`0123456789ab\`, asked for by \`alice\` · [run page with logs and screenshots](https://ci.test/runs/abcd1234/)

| stage | result | duration |
| --- | --- | --- |
| prepare | ✓ passed | 1.2 s |
| install | ✗ failed | 32 s |
| recipe-tests | ! not run |  |
| teardown | ✓ passed | 5.0 s |

First failing test, in install: \`\` the site › shows \`hello\` \`\`

\`\`\`text
expected 500
to equal 200
\`\`\`

Blame: the recipe.

\`\`\`text
app.1 | panic: no config
app.1 | exit 1
\`\`\`

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('when nothing came of it', () => {
    const outcome = {
      verdict: 'error' as const,
      blame: 'ci' as const,
      sentence: 'the disk is full',
      evidence: [],
    };
    expect(progressComment(FACTS, { phase: 'ended', stages: [], outcome })).to.equal(
      `! **error**: \`the disk is full\`

\`custom-html\` at \`0123456789ab\`, asked for by \`alice\` · [run page with logs and screenshots](https://ci.test/runs/abcd1234/)

Blame: cc-ci itself, not the recipe.

Comment \`!testme\` to run it again.

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('stays far below the size limit and keeps its marker, however much there is to say', () => {
    const long = '🎉`|@alice\n'.repeat(20_000);
    const stages = STAGES.map((name) =>
      stage(name, 'failed', { reason: long, tests: [test(long, 'failed', long)] }),
    );
    const outcome = {
      verdict: 'red' as const,
      blame: 'tests' as const,
      sentence: long,
      evidence: [long, long],
    };
    const text = progressComment({ ...FACTS, author: long }, { phase: 'ended', stages, outcome });
    expect(Buffer.byteLength(text)).to.be.below(60_000);
    expect(text.endsWith(markerOf('abcd1234'))).to.equal(true);
  });
});

describe('why nothing is tested', () => {
  const reasons: [Parameters<typeof refusalReason>[0], string][] = [
    [{ why: 'closed' }, 'this pull request is closed. Reopen it and comment `!testme` again.'],
    [{ why: 'merged' }, 'this pull request is merged. Open a new one and comment `!testme` there.'],
    [
      { why: 'fork-gone' },
      'the repository this pull request comes from is gone, or hidden from the bot. Open a pull request from a repository that exists and comment `!testme` there.',
    ],
    [
      { why: 'no-commit' },
      'the branch this pull request comes from has no commit any more. Push it again and comment `!testme`.',
    ],
    [
      { why: 'no-recipe-name', name: '@Alice', rule: 'names are lower case' },
      '`@Alice` cannot be the name of a recipe: names are lower case. Rename the repository and comment `!testme` again.',
    ],
    [
      { why: 'not-a-request', problems: ['src: is <b>odd</b>', 'ref: too'] },
      'the forge described this pull request in a way cc-ci does not take: `src: is <b>odd</b>; ref: too`. Please show this to whoever runs cc-ci.',
    ],
  ];
  for (const [refusal, words] of reasons) {
    it(`is said: ${refusal.why}`, () => expect(refusalReason(refusal)).to.equal(words));
  }

  it('is one comment of its own', () => {
    expect(refusalComment('abcd1234', 'this pull request is closed.')).to.equal(
      '✗ **not tested**: this pull request is closed.\n\n<!-- cc-ci run:abcd1234 -->',
    );
  });
});

describe('our own comment', () => {
  it('is known by its last line alone', () => {
    expect(isAbout('abcd1234', refusalComment('abcd1234', 'why'))).to.equal(true);
    expect(isAbout('abcd1234', `${refusalComment('abcd1234', 'why')}\r\n`)).to.equal(true);
    expect(isAbout('abcd1234', refusalComment('zzzz9999', markerOf('abcd1234')))).to.equal(false);
  });
});

describe('a commit status', () => {
  it('says the verdict in the words Gitea has for it', () => {
    expect(finalStatus('green', 'all passed')).to.deep.equal({
      state: 'success',
      description: 'green: all passed',
    });
    expect(finalStatus('red', 'it\nfailed').state).to.equal('failure');
    expect(finalStatus('red', 'it\nfailed').description).to.equal('red: it failed');
    expect(finalStatus('error', '').state).to.equal('error');
    expect(finalStatus('cancelled', 'by alice')).to.deep.equal({
      state: 'error',
      description: 'cancelled: by alice',
    });
    expect(finalStatus('red', 'x'.repeat(1_000)).description.length).to.equal(140);
  });
});

describe('a duration', () => {
  it('is as exact as people want it', () => {
    expect([0, 40, 9_940, 9_960, 59_400, 59_600, 125_000, 3_725_000].map(duration)).to.deep.equal([
      '0.0 s',
      '0.0 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 0 s',
      '2 min 5 s',
      '62 min 5 s',
    ]);
  });
});
