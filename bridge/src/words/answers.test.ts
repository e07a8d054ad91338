import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Progress } from '../progress.js';
import { stage } from '../testing/fake-engine.js';
import {
  isAbout,
  notEnrolledComment,
  refusalComment,
  refusalReason,
  rejectedComment,
  statusComment,
  stopComment,
} from '../words.js';

const publicUrl = 'https://ci.test';
const run = 'abcd1234';
const marker = '\n\n<!-- cc-ci run:abcd1234 answer -->';

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
    const text = refusalComment(run, 'this pull request is closed.');
    expect(text).to.equal('✗ **not tested**: this pull request is closed.\n\n<!-- cc-ci run:abcd1234 -->');
    expect(isAbout(run, text)).to.equal(true);
  });
});

describe('the answer to a command', () => {
  it('of somebody who may not give any', () => {
    expect(rejectedComment({ run, org: 'coop-cloud', author: 'mallory' })).to.equal(
      `✗ **not allowed**: \`mallory\` is no member of \`coop-cloud\`. Ask a member to comment for you, or whoever runs cc-ci to let you in.${marker}`,
    );
  });

  it('where cc-ci was not let in', () => {
    const text = notEnrolledComment({ run, repo: 'coop-cloud/foo', how: 'setting' });
    expect(text).to.equal(
      `✗ **not tested**: \`coop-cloud/foo\` is not enrolled. To enroll it, whoever runs cc-ci has to add \`foo\` to the setting \`CC_CI_ENROLLED\` and restart the bridge. Then comment \`!testme\` again.${marker}`,
    );
    expect(notEnrolledComment({ run, repo: 'coop-cloud/foo', how: 'file' })).to.include(
      'has to add the line `foo` to the file that `CC_CI_ENROLLED_FILE` names; nothing has to be restarted. Then',
    );
  });

  it('to stop', () => {
    const stopped = [
      { run: 'aaaa1111', hasPage: true },
      { run: 'bbbb2222', hasPage: false },
    ];
    expect(stopComment({ run, author: 'alice', stopped, publicUrl })).to.equal(
      `– **stopping** [\`aaaa1111\`](https://ci.test/runs/aaaa1111/), \`bbbb2222\`, as \`alice\` asked. Comment \`!testme\` to start a new run.${marker}`,
    );
    expect(stopComment({ run, author: 'alice', stopped: [], publicUrl })).to.equal(
      `– **nothing to stop**: no run of this pull request is queued or running. Comment \`!testme\` to start one.${marker}`,
    );
    const many = Array.from({ length: 500 }, () => ({ run: 'aaaa1111', hasPage: true }));
    expect(stopComment({ run, author: 'alice', stopped: many, publicUrl })).to.include(' and 480 more, as');
  });

  it('to status', () => {
    const answer = (progress?: Progress) =>
      statusComment({
        run,
        recipe: 'custom-html',
        publicUrl,
        newest: progress && { run: 'aaaa1111', progress },
      });
    const page = 'https://ci.test/runs/aaaa1111/';
    expect(answer()).to.equal(
      `– **no run** of this pull request yet. Comment \`!testme\` to start one.${marker}`,
    );
    expect(answer({ phase: 'queued', position: 2 })).to.equal(
      `· **queued**, number 2 in the queue · \`custom-html\` · [follow the run](${page})${marker}`,
    );
    const stages = [stage('prepare', 'passed'), stage('install', 'running'), stage('teardown', 'pending')];
    const since = '2026-11-21T12:30:05.000Z';
    expect(answer({ phase: 'running', since, stages })).to.equal(
      `▸ **running** since 12:30:05 UTC, in install (stage 2 of 3) · \`custom-html\` · [follow the run](${page})${marker}`,
    );
    expect(answer({ phase: 'running', since, stages: [] })).to.match(
      /^▸ \*\*running\*\* since 12:30:05 UTC · /,
    );
    const outcome = { verdict: 'red' as const, sentence: 'install: @bob', evidence: [] };
    expect(answer({ phase: 'ended', stages: [], outcome })).to.equal(
      `✗ **red**: \`install: @bob\` · \`custom-html\` · [run page](${page})${marker}`,
    );
  });

  it('to status of a run that has no page', () => {
    const outcome = { verdict: 'cancelled' as const, sentence: 'stopped by bob', evidence: [] };
    const progress: Progress = { phase: 'ended', stages: [], outcome };
    const newest = { run: 'aaaa1111', hasPage: false, progress };
    expect(statusComment({ run, recipe: 'custom-html', publicUrl, newest })).to.equal(
      `– **cancelled**: \`stopped by bob\` · \`custom-html\`${marker}`,
    );
  });

  it('keeps names of others in code', () => {
    const name = '`@all` <b>';
    const texts = [
      rejectedComment({ run, org: name, author: name }),
      notEnrolledComment({ run, repo: `x/${name}`, how: 'file' }),
      stopComment({ run, author: name, stopped: [{ run, hasPage: true }], publicUrl }),
      statusComment({
        run,
        recipe: name,
        publicUrl,
        newest: { run, progress: { phase: 'queued', position: 1 } },
      }),
    ];
    for (const text of texts) {
      expect(text.replace(/``[^`].*?``/g, '').slice(0, -marker.length)).not.to.match(/@|<b>/);
      expect(isAbout(run, text, 'answer')).to.equal(true);
    }
  });
});
