import { type Outcome, pendingStage, STAGES, type StageRecord } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { stage } from '../testing/fake-engine.js';
import { AGAIN, againBlock, FACTS, PAGE, SUBJECT, screenshot, someTest } from '../testing/samples.js';
import { type Aftermath, markerOf, progressComment } from '../words.js';

const GREEN: Outcome = { verdict: 'green', sentence: 'install passed with 1 test', evidence: [] };
const RED: Outcome = {
  verdict: 'red',
  blame: 'recipe',
  sentence: 'install: 1 of 2 tests failed',
  evidence: [],
};
const ended = (stages: StageRecord[], outcome: Outcome = GREEN, aftermath?: Aftermath) =>
  progressComment(FACTS, { phase: 'ended', stages, outcome }, aftermath);

describe('what a run came to', () => {
  it('when it is green', () => {
    const stages = [
      stage('prepare', 'passed', { seconds: 1.2 }),
      stage('install', 'passed', {
        seconds: 32,
        tests: [someTest('answers', 'passed')],
        artifacts: [screenshot(), { kind: 'log', path: 'logs/console.txt', title: 'console' }],
      }),
      stage('upgrade', 'base-broken', { artifacts: [screenshot('screenshots/upgrade-1.png')] }),
      stage('backup', 'structural-skip', { reason: 'no backup labels' }),
      stage('recipe-tests', 'declared-skip', { reason: 'no | tests' }),
      stage('teardown', 'passed', { seconds: 125 }),
    ];
    expect(ended(stages)).to.equal(
      `✓ **green**: \`install passed with 1 test\`

${SUBJECT} · [run page](${PAGE}) · screenshots of [install](${PAGE}#install), [upgrade](${PAGE}#upgrade)

| stage | result | duration |
| --- | --- | --- |
| prepare | ✓ passed | 1.2 s |
| install | ✓ passed | 32 s |
| upgrade | ○ not possible, the published version does not come up |  |
| backup | – skipped, nothing to test: \`no backup labels\` |  |
| recipe-tests | – skipped, as its test folder says: \`no ¦ tests\` |  |
| teardown | ✓ passed | 2 min 5 s |

${AGAIN}

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('when it is red: the first failing test of each stage, whose fault it is and what shows it', () => {
    const stages = [
      stage('prepare', 'passed', { seconds: 1.2 }),
      stage('install', 'failed', {
        seconds: 32,
        tests: [
          someTest('answers', 'passed'),
          someTest('shows `hello`', 'failed', 'expected 500\nto equal 200'),
          someTest('shows more', 'failed', 'not this one'),
        ],
      }),
      stage('upgrade', 'failed', { seconds: 3, tests: [someTest('a | b', 'failed')] }),
      stage('recipe-tests', 'not-run', { reason: 'the app is gone' }),
      stage('teardown', 'passed', { seconds: 5 }),
    ];
    const evidence = ['app.1 | panic: no config', 'app.1 | exit 1'];
    const text = progressComment(FACTS, {
      phase: 'ended',
      stages,
      outcome: { ...RED, evidence },
      level: { value: 1, scale: 1, missing: 'serves: 1 check failed' },
    });
    expect(text).to.equal(
      `✗ **red**: \`install: 1 of 2 tests failed\`

${SUBJECT} · [run page](${PAGE}) · [log of install](${PAGE}logs/install.log)

| stage | result | duration | first failing test |
| --- | --- | --- | --- |
| prepare | ✓ passed | 1.2 s |  |
| [install](${PAGE}#install) | ✗ failed | 32 s | \`\` the site › shows \`hello\` \`\`: \`expected 500\` |
| [upgrade](${PAGE}#upgrade) | ✗ failed | 3.0 s | \`the site › a ¦ b\` |
| [recipe-tests](${PAGE}#recipe-tests) | ! not run: \`the app is gone\` |  |  |
| teardown | ✓ passed | 5.0 s |  |

First failing test, in install: \`\` the site › shows \`hello\` \`\`

\`\`\`text
expected 500
to equal 200
\`\`\`

Blame: the recipe. What shows it:

\`\`\`text
app.1 | panic: no config
app.1 | exit 1
\`\`\`

Level **1** of 8; not higher, because \`serves: 1 check failed\`

${AGAIN}

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('when nothing came of it', () => {
    const outcome: Outcome = { verdict: 'error', blame: 'ci', sentence: 'the disk is full', evidence: [] };
    expect(ended([], outcome)).to.equal(
      `! **error**: \`the disk is full\`

${SUBJECT} · [run page](${PAGE})

Blame: cc-ci itself, not the recipe.

Comment \`!testme\` to run it again.

${AGAIN}

<!-- cc-ci run:abcd1234 -->`,
    );
  });

  it('says once how to run it again', () => {
    const sentence = 'it was killed; comment !testme to run it again';
    expect(ended([], { verdict: 'error', blame: 'ci', sentence, evidence: [] })).not.to.include(
      'Comment `!t',
    );
    expect(ended([], RED)).not.to.include('!testme');
  });

  it('says in the table why a stage failed', () => {
    const failure = { blame: 'recipe' as const, message: 'data were lost', evidence: [] };
    const stages = [stage('upgrade', 'failed', { seconds: 3, failure })];
    const row = `| [upgrade](${PAGE}#upgrade) | ✗ failed`;
    expect(ended(stages, RED)).to.include(`${row}: \`data were lost\` | 3.0 s |`);
    // Unless that is what the comment begins with.
    expect(ended(stages, { ...RED, sentence: 'upgrade: data were lost' })).to.include(`${row} | 3.0 s |`);
  });

  it('does not say a message twice', () => {
    const short = stage('install', 'failed', {
      tests: [someTest('answers', 'failed', 'expected 1 to be 2\n')],
    });
    expect(ended([short], RED)).to.include('`the site › answers`: `expected 1 to be 2` |');
    expect(ended([short], RED)).not.to.include('First failing test');
    const long = stage('install', 'failed', { tests: [someTest('answers', 'failed', 'x'.repeat(161))] });
    expect(ended([long], RED)).to.include(`\n\`\`\`text\n${'x'.repeat(161)}\n\`\`\`\n`);
  });

  it('shows no stage as running or to come, whatever the run left behind', () => {
    const text = ended([stage('install', 'running', { seconds: 1 }), pendingStage('upgrade')], RED);
    expect(text).to.include(`| [install](${PAGE}#install) | ! no result |`);
    expect(text).to.include('| upgrade | · not begun |');
    expect(text).to.include(`[log of install](${PAGE}logs/install.log)`);
  });

  it('links no log of a stage that never ran', () => {
    expect(ended([stage('backup', 'not-run')], RED)).not.to.include('log of');
  });

  it('folds long evidence', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);
    expect(ended([], { ...RED, evidence: lines(12) })).to.include(
      '\n\nBlame: the recipe. What shows it:\n\n```text\nline 0\n',
    );
    expect(ended([], { ...RED, evidence: lines(13) })).to.include(
      '\n\nBlame: the recipe.\n\n<details>\n<summary>What shows it: 13 lines</summary>\n\n```text\nline 0\n',
    );
  });

  it('blames nobody for a cancel', () => {
    const outcome: Outcome = {
      verdict: 'cancelled',
      blame: 'cancelled',
      sentence: 'by bob',
      evidence: ['a'],
    };
    expect(ended([], outcome)).to.include('\n\nWhat shows it:\n\n```text\na\n```\n\n');
    expect(ended([], { ...outcome, evidence: [] })).not.to.match(/Blame|What shows it/);
  });

  it('has the level, also at the top', () => {
    const progress = { phase: 'ended', stages: [], outcome: GREEN, level: { value: 8, scale: 1 } } as const;
    expect(progressComment(FACTS, progress)).to.include('\n\nLevel **8** of 8\n\n');
  });

  const src = 'https://git.test/alice/custom-html.git';
  const origin = 'https://git.test/coop-cloud/custom-html.git';
  const command = `npx cc-ci run custom-html --ref ${FACTS.sha}`;
  const sources: [string, object, string][] = [
    ['a fork', { src, origin }, `${command} --src ${src} --origin ${origin}`],
    ['the repository itself', { src: origin, origin }, `${command} --src ${origin}`],
    ['a path of the host', { src: '/var/lib/recipes', origin: '/srv' }, command],
  ];
  for (const [name, where, expected] of sources) {
    it(`says how to run it elsewhere: ${name}`, () => {
      const text = progressComment({ ...FACTS, ...where }, { phase: 'ended', stages: [], outcome: GREEN });
      expect(text).to.include(againBlock(expected));
    });
  }
});

describe('what became of the pull request meanwhile', () => {
  const cases: [Aftermath, string][] = [
    [
      { kind: 'moved', sha: 'fedcba9876543210fedcba9876543210fedcba98' },
      'The branch has moved on: it is now at `fedcba987654`, and this is the result of `0123456789ab`. Comment `!testme` to test what is there now.',
    ],
    [{ kind: 'merged' }, 'The pull request was merged while this ran.'],
    [
      { kind: 'closed' },
      'The pull request was closed while this ran. Reopen it before you comment `!testme` again.',
    ],
    [
      { kind: 'fork-gone' },
      'The repository this pull request came from is gone, or hidden from the bot, so this commit cannot be tested again here.',
    ],
  ];
  for (const [aftermath, words] of cases) {
    it(`is said after the verdict: ${aftermath.kind}`, () => {
      const blocks = ended([], { verdict: 'error', sentence: 'why', evidence: [] }, aftermath).split('\n\n');
      expect(blocks.slice(0, 2)).to.deep.equal(['! **error**: `why`', words]);
      expect(blocks.join('\n')).not.to.include('to run it again');
    });
  }
});

describe('the size of a comment', () => {
  it('stays far below the limit and keeps its marker, however much there is to say', () => {
    const long = '🎉`|@alice\n'.repeat(20_000);
    const stages = STAGES.map((name) =>
      stage(name, 'failed', { reason: long, tests: [someTest(long, 'failed', long)] }),
    );
    const outcome: Outcome = { verdict: 'red', blame: 'tests', sentence: long, evidence: [long, long] };
    for (const phase of ['running', 'ended'] as const) {
      const progress = phase === 'ended' ? { phase, stages, outcome } : { phase, stages, since: undefined };
      const text = progressComment({ ...FACTS, author: long }, progress);
      expect(Buffer.byteLength(text)).to.be.below(60_000);
      expect(text.endsWith(markerOf('abcd1234'))).to.equal(true);
    }
  });

  it('is kept by cutting from the end, with a link to the rest', () => {
    const wide = '🎉'.repeat(9_000);
    // More stages than there are: with the real ones every part at its limit still fits.
    const stages = [...STAGES, ...STAGES, ...STAGES].map((name) =>
      stage(name, 'failed', { reason: wide, tests: [someTest(wide, 'failed', wide)] }),
    );
    const text = ended(stages, { ...RED, evidence: [wide] });
    expect(Buffer.byteLength(text)).to.be.within(40_000, 60_000);
    expect(text).to.match(/^✗ \*\*red\*\*/);
    expect(text).to.include('\n| [teardown](');
    expect(text).not.to.include('Run it yourself');
    expect(text.split('\n\n').slice(-2)).to.deep.equal([
      `… this comment was cut; [everything is on the run page](${PAGE})`,
      markerOf('abcd1234'),
    ]);
  });
});
