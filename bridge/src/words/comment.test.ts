import { pendingStage } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { stage } from '../testing/fake-engine.js';
import { FACTS, PAGE, SUBJECT } from '../testing/samples.js';
import { collapsedComment, isAbout, markerOf, mentionComment, progressComment } from '../words.js';

describe('the comment on a run', () => {
  const follow = `${SUBJECT} · [follow the run](${PAGE})\n\n<!-- cc-ci run:abcd1234 -->`;

  it('says where it waits', () => {
    expect(progressComment(FACTS, { phase: 'queued', position: 3 })).to.equal(
      `· **queued**, number 3 in the queue\n\n${follow}`,
    );
    expect(progressComment(FACTS, { phase: 'queued', position: undefined })).to.equal(
      `· **queued**\n\n${follow}`,
    );
  });

  it('says that it runs, before it has a record', () => {
    expect(progressComment(FACTS, { phase: 'running', since: undefined, stages: [] })).to.equal(
      `▸ **running**\n\n${follow}`,
    );
  });

  it('lists its stages while it runs, those to come too', () => {
    const stages = [
      stage('prepare', 'passed', { seconds: 1.2 }),
      stage('install', 'failed', {
        seconds: 32,
        failure: { blame: 'recipe', message: 'no\nhealth', evidence: [] },
      }),
      stage('upgrade', 'structural-skip', { reason: 'no published version' }),
      { ...pendingStage('backup'), state: 'running' as const, startedAt: '2026-11-21T12:31:00.000Z' },
      stage('recipe-tests', 'running'),
      pendingStage('teardown'),
    ];
    expect(progressComment(FACTS, { phase: 'running', since: '2026-11-21T12:30:05.678Z', stages })).to.equal(
      `▸ **running** since 12:30:05 UTC

- prepare: ✓ passed (1.2 s)
- install: ✗ failed (32 s): \`no health\`
- upgrade: – skipped, nothing to test: \`no published version\`
- backup: ▸ running since 12:31:00 UTC
- recipe-tests: ▸ running
- teardown: · to come

${follow}`,
    );
  });

  it('does not change while only its phases, tests and log do', () => {
    const running = {
      ...pendingStage('install'),
      state: 'running' as const,
      startedAt: '2026-11-21T12:31:00.000Z',
    };
    const later = {
      ...running,
      phases: [{ name: 'pull' as const, ours: false, startedAt: '2026-11-21T12:31:01.000Z' }],
      notes: ['a note'],
    };
    const [before, after] = [running, later].map((it) =>
      progressComment(FACTS, { phase: 'running', since: undefined, stages: [it] }),
    );
    expect(after).to.equal(before);
  });

  it('is one line once a newer run has its own', () => {
    expect(collapsedComment(FACTS, { verdict: 'red' })).to.equal(
      `✗ **red** · an earlier run: ${SUBJECT} · [run page](${PAGE})\n\n<!-- cc-ci run:abcd1234 -->`,
    );
    expect(collapsedComment(FACTS, undefined)).to.match(/^▸ not ended yet · an earlier run: /);
  });
});

describe('the mention on completion', () => {
  const outcome = { verdict: 'green' as const, sentence: 'install passed with 1 test' };

  it('is one line that the forge shows to who asked', () => {
    expect(mentionComment(FACTS, outcome)).to.equal(
      `@alice ✓ **green** at \`0123456789ab\`: \`install passed with 1 test\` · [run page](${PAGE})

<!-- cc-ci run:abcd1234 done -->`,
    );
  });

  for (const author of ['a_b.c-d', 'A', '1h']) {
    it(`mentions ${author}`, () => {
      expect(mentionComment({ ...FACTS, author }, outcome)).to.match(new RegExp(`^@${author} ✓`));
    });
  }
  for (const author of ['', '-a', '@alice', 'a/b', 'a b', 'a`b', 'älice', 'a\n@bob', 'x'.repeat(101)]) {
    it(`leaves in code what is no login: ${JSON.stringify(author)}`, () => {
      expect(mentionComment({ ...FACTS, author }, outcome)).to.match(/^`/);
    });
  }

  it('stays short whatever happened', () => {
    const long = 'it went wrong and '.repeat(100);
    expect(mentionComment(FACTS, { verdict: 'red', sentence: long }).length).to.be.below(450);
  });
});

describe('the hidden line', () => {
  it('tells our comments apart', () => {
    const texts = [
      progressComment(FACTS, { phase: 'queued', position: 1 }),
      mentionComment(FACTS, { verdict: 'green', sentence: 'fine' }),
      `some answer\n\n${markerOf('abcd1234', 'answer')}`,
    ];
    const kinds = [undefined, 'done', 'answer'] as const;
    const table = texts.map((text) => kinds.map((kind) => isAbout('abcd1234', text, kind)));
    expect(table).to.deep.equal([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
    expect(texts.some((text) => isAbout('zzzz9999', text))).to.equal(false);
  });

  it('counts only at the end', () => {
    const text = `${markerOf('abcd1234')}\n\n${markerOf('zzzz9999')}`;
    expect(isAbout('abcd1234', text)).to.equal(false);
    expect(isAbout('zzzz9999', `${text}\r\n`)).to.equal(true);
  });
});
