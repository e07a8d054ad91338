import type { TestRequest } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { stage } from './testing/fake-engine.js';
import { BOT } from './testing/fake-forge.js';
import { againBlock } from './testing/samples.js';
import { type Story, tellStory } from './testing/story.js';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const REPO = 'coop-cloud/custom-html';

const subject = (run: string, link = 'follow the run', author = 'alice') =>
  `\`custom-html\` at \`0123456789ab\`, asked for by \`${author}\` · [${link}](https://ci.test/runs/${run}/)`;
const queued = (run: string, position = 1, author = 'alice') =>
  `· **queued**, number ${position} in the queue\n\n${subject(run, 'follow the run', author)}\n\n<!-- cc-ci run:${run} -->`;
const cloned = (repo: string) => `http://forge.test/${repo}.git`;
const green = (run: string, author = 'alice', from = `--src ${cloned(REPO)}`) =>
  `✓ **green**: \`all passed\`\n\n${subject(run, 'run page', author)}

| stage | result | duration |
| --- | --- | --- |
| install | ✓ passed | 3.0 s |

${againBlock(`npx cc-ci run custom-html --ref ${SHA} ${from}`)}

<!-- cc-ci run:${run} -->`;

describe('the bridge', () => {
  let story: Story;

  beforeEach(async () => {
    story = await tellStory();
  });
  afterEach(() => story.end());

  const nextStart = () => story.engine.started.next();
  const settled = () => until(() => story.triggers().every(({ dueAt }) => dueAt === null));
  const states = () => story.triggers().map(({ author, state }) => `${author} ${state}`);
  const expectCollapsed = async () => expect(await story.nextEdit()).to.include('an earlier run');
  function endGreen({ run }: TestRequest): void {
    const outcome = { verdict: 'green' as const, sentence: 'all passed', evidence: [] };
    story.engine.setRecord(run, [stage('install', 'passed', { seconds: 3 })], outcome);
    story.engine.change(run, { state: 'success' });
  }

  it('takes a !testme from the comment to the result', async () => {
    const pull = story.forge.openPull(REPO, SHA, 'alice/custom-html');
    await story.start();
    story.forge.comment(pull, 'alice', '!testme');

    const { run, ...request } = await nextStart();
    expect(request).to.deep.equal({
      recipe: 'custom-html',
      ref: SHA,
      src: 'http://forge.test/alice/custom-html.git',
      origin: 'http://forge.test/coop-cloud/custom-html.git',
      repo: REPO,
      pr: 1,
      requestedBy: 'alice',
    });
    expect(await story.nextComment()).to.equal(queued(run));

    const installing = [stage('prepare', 'passed', { seconds: 1 }), stage('install', 'running')];
    story.engine.setRecord(run, installing);
    story.engine.change(run, { state: 'running', startedAt: '2026-11-21T12:30:05.000Z' });
    expect(await story.nextEdit()).to.equal(`▸ **running** since 12:30:05 UTC

- prepare: ✓ passed (1.0 s)
- install: ▸ running

${subject(run)}

<!-- cc-ci run:${run} -->`);

    endGreen({ run } as TestRequest);
    const fork = `--src ${cloned('alice/custom-html')} --origin ${cloned(REPO)}`;
    expect(await story.nextEdit()).to.equal(green(run, 'alice', fork));
    await settled();
    expect(states()).to.deep.equal(['alice reported']);
    const context = {
      repo: REPO,
      sha: SHA,
      context: 'cc-ci/testme',
      target_url: `https://ci.test/runs/${run}/`,
    };
    expect(story.forge.statuses).to.deep.equal([
      { ...context, state: 'pending', description: 'asked for with !testme' },
      { ...context, state: 'success', description: 'green: all passed' },
    ]);
    expect(story.forge.commentsOn(pull).length).to.equal(2);
  });

  it('says pending before anything else, so that no older green stands over a new run', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    for (const earlier of [[], ['pending', 'success']]) {
      story.forge.comment(pull, 'alice', '!testme');
      const request = await nextStart();
      expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal([...earlier, 'pending']);
      expect(await story.nextComment()).to.equal(queued(request.run));
      if (earlier.length > 0) await expectCollapsed();
      endGreen(request);
      expect(await story.nextEdit()).to.equal(green(request.run));
      await settled();
    }
  });

  it('reacts to exactly !testme by a member, and to nothing else', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    const comments: [string, string][] = [
      ['alice', '!testmexyz'],
      ['alice', '!TESTME'],
      ['alice', '> !testme'],
      ['alice', '```\n!testme\n```'],
      ['alice', 'please !testme'],
      ['mallory', '!testme'],
      [BOT, '!testme'],
    ];
    for (const [author, body] of comments) story.forge.comment(pull, author, body);
    story.forge.edit(story.forge.comment(pull, 'alice', 'hello'), '!testme');
    story.forge.comment(pull, 'bob', ' \n!testme \r\n\n');

    const request = await nextStart();
    expect(request.requestedBy).to.equal('bob');
    const rejection = await story.nextComment();
    expect(rejection)
      .to.match(/^✗ \*\*not allowed\*\*.*`mallory`/)
      .and.include('`coop-cloud`');
    expect(await story.nextComment()).to.equal(queued(request.run, 1, 'bob'));
    endGreen(request);
    expect(await story.nextEdit()).to.equal(green(request.run, 'bob'));
    await settled();
    expect(states()).to.deep.equal(['mallory rejected', 'bob reported']);
    expect(story.triggers()[0]?.reason).to.equal('mallory is no member of coop-cloud');
  });

  it('runs a second !testme as a run of its own, and lets its status count', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    story.forge.comment(pull, 'alice', '!testme');
    story.forge.comment(pull, 'bob', '!testme');
    const first = await nextStart();
    const second = await nextStart();
    expect(first.run).to.not.equal(second.run);
    expect(await story.nextComment()).to.equal(queued(first.run));
    expect(await story.nextComment()).to.equal(queued(second.run, 2, 'bob'));

    endGreen(first);
    expect(await story.nextEdit()).to.equal(green(first.run));
    await until(() => states().includes('alice reported'));
    // The second run is still to come: the first one's green must not stand over it.
    expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal(['pending', 'pending']);

    endGreen(second);
    expect(await story.nextEdit()).to.equal(green(second.run, 'bob'));
    await expectCollapsed();
    await settled();
    expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal(['pending', 'pending', 'success']);
    expect(story.forge.statuses[2]?.target_url).to.equal(`https://ci.test/runs/${second.run}/`);
  });

  it('takes what was said while it was down, and lets be what was said before its first start', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    story.forge.comment(pull, 'alice', '!testme');
    await story.start();
    await story.stop();
    story.forge.comment(pull, 'bob', '!testme');
    await story.start();
    const request = await nextStart();
    expect(await story.nextComment()).to.equal(queued(request.run, 1, 'bob'));
    await story.stop();
    endGreen(request);
    await story.start();
    expect(await story.nextEdit()).to.equal(green(request.run, 'bob'));
    await settled();
    expect(states()).to.deep.equal(['bob reported']);
  });

  it('does without commit statuses where the bot may not set them, and asks only once', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    story.forge.readOnly.add(REPO);
    await story.start();
    for (const time of [1, 2]) {
      story.forge.comment(pull, 'alice', '!testme');
      const request = await nextStart();
      expect(await story.nextComment()).to.equal(queued(request.run));
      if (time > 1) await expectCollapsed();
      endGreen(request);
      expect(await story.nextEdit()).to.equal(green(request.run));
      await settled();
    }
    expect(story.forge.requests.filter((name) => name === 'status').length).to.equal(1);
    expect(states()).to.deep.equal(['alice reported', 'alice reported']);
  });

  const refusals: [string, (story: Story) => void, string][] = [
    [
      'a closed pull request',
      ({ forge }) => Object.assign(forge.openPull(REPO, SHA), { state: 'closed' }),
      'this pull request is closed. Reopen it and comment `!testme` again.',
    ],
    [
      'a merged pull request',
      ({ forge }) => Object.assign(forge.openPull(REPO, SHA), { state: 'closed', merged: true }),
      'this pull request is merged. Open a new one and comment `!testme` there.',
    ],
    [
      'a pull request whose fork is gone',
      ({ forge }) => Object.assign(forge.openPull(REPO, SHA), { headRepo: null, state: 'closed' }),
      'the repository this pull request comes from is gone, or hidden from the bot. Open a pull request from a repository that exists and comment `!testme` there.',
    ],
    [
      'a pull request whose branch is gone',
      ({ forge }) => forge.openPull(REPO, ''),
      'the branch this pull request comes from has no commit any more. Push it again and comment `!testme`.',
    ],
    [
      'a repository that cannot be a recipe',
      ({ forge }) => forge.openPull('coop-cloud/Not_A_Recipe', SHA),
      '`Not_A_Recipe` cannot be the name of a recipe: a recipe name is 1 to 63 of a-z 0-9 . _ - and starts and ends with a letter or digit. Rename the repository and comment `!testme` again.',
    ],
    [
      'a commit of another kind than we know',
      ({ forge }) => forge.openPull(REPO, 'f'.repeat(64)),
      'the forge described this pull request in a way cc-ci does not take: `ref: a ref is a full commit id: 40 of 0-9 a-f`. Please show this to whoever runs cc-ci.',
    ],
  ];
  for (const [name, open, reason] of refusals) {
    it(`answers why it does not test ${name}`, async () => {
      open(story);
      await story.start();
      const [pull] = story.forge.pulls;
      story.forge.comment(pull ?? expect.fail('no pull request'), 'alice', '!testme');
      const comment = await story.nextComment();
      await settled();
      const [trigger] = story.triggers();
      expect(comment).to.equal(`✗ **not tested**: ${reason}\n\n<!-- cc-ci run:${trigger?.run} -->`);
      expect(trigger?.state).to.equal('refused');
      expect(story.forge.statuses).to.deep.equal([]);
    });
  }

  it('says nothing where the pull request was deleted before it was looked at', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    const asked = story.forge.break('member', { how: 'drop' });
    story.forge.comment(pull, 'alice', '!testme');
    await asked.reached;
    story.forge.deletePull(pull);
    await until(() => story.triggers()[0]?.state === 'unanswerable');
    expect(story.triggers()[0]?.reason).to.match(/HTTP 404: The target couldn't be found\.$/);
  });

  it('ends a run in silence whose pull request is deleted meanwhile, but settles its status', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    story.forge.comment(pull, 'alice', '!testme');
    const request = await nextStart();
    expect(await story.nextComment()).to.equal(queued(request.run));
    story.forge.deletePull(pull);
    for (const { id } of [...story.forge.commentsOn(pull)]) story.forge.deleteComment(id);
    story.engine.change(request.run, { state: 'running' });
    await until(() => story.triggers()[0]?.state === 'muted');
    expect(story.triggers()[0]?.reason).to.equal('the pull request is gone');
    endGreen(request);
    await settled();
    expect(states()).to.deep.equal(['alice unanswerable']);
    expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal(['pending', 'success']);
  });

  it('gives up on a comment that is not taken, and on no run for it', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    story.forge.break('createComment', { how: { status: 423, body: '{"message":"archived"}' }, times: 99 });
    story.forge.comment(pull, 'alice', '!testme');
    endGreen(await nextStart());
    await settled();
    expect(states()).to.deep.equal(['alice unanswerable']);
    expect(story.triggers()[0]?.reason).to.match(/HTTP 423: archived$/);
    expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal(['pending', 'success']);
  });

  it('posts its comment again when somebody deleted it', async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    story.forge.comment(pull, 'alice', '!testme');
    const request = await nextStart();
    expect(await story.nextComment()).to.equal(queued(request.run));
    const [, ours] = story.forge.commentsOn(pull);
    story.forge.deleteComment(ours?.id ?? 0);
    endGreen(request);
    expect(await story.nextComment()).to.equal(green(request.run));
    await settled();
  });

  it("does not take somebody else's comment for its own", async () => {
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    const down = story.forge.break('listComments', { how: 'drop', times: 3 });
    story.forge.comment(pull, 'alice', '!testme');
    const request = await nextStart();
    await down.reached;
    story.forge.comment(pull, 'mallory', queued(request.run));
    expect(await story.nextComment()).to.equal(queued(request.run));
    endGreen(request);
    expect(await story.nextEdit()).to.equal(green(request.run));
    await settled();
  });

  it('says what it knows when a run was cancelled, lost, or forgotten by the engine', async () => {
    const ends: [string, (run: string) => void, RegExp, string][] = [
      [
        'cancelled',
        (run) => story.engine.change(run, { state: 'cancelled', reason: 'stopped by bob' }),
        /^– \*\*cancelled\*\*: `stopped by bob`/,
        'error',
      ],
      [
        'lost',
        (run) => story.engine.change(run, { state: 'lost', reason: 'the engine was restarted' }),
        /^! \*\*error\*\*: `the engine was restarted`/,
        'error',
      ],
      [
        'forgotten',
        (run) => story.engine.forget(run),
        /^! \*\*error\*\*: `the engine does not know this run`/,
        'error',
      ],
    ];
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    for (const [name, end, words, status] of ends) {
      story.forge.comment(pull, 'alice', '!testme');
      const { run } = await nextStart();
      await story.nextComment();
      if (name !== 'cancelled') await expectCollapsed();
      end(run);
      expect(await story.nextEdit(), name).to.match(words);
      await settled();
      expect(story.forge.statuses.at(-1)?.state).to.equal(status);
    }
  });

  it('lets a pull request that is stuck keep nobody waiting', async () => {
    const stuck = story.forge.openPull('coop-cloud/radicale', 'b'.repeat(40));
    const other = story.forge.openPull(REPO, SHA);
    await story.start();
    const hang = story.forge.break('member', { how: 'hang' });
    story.forge.comment(stuck, 'bob', '!testme');
    await hang.reached;
    story.forge.comment(other, 'alice', '!testme');
    const request = await nextStart();
    expect(request.recipe).to.equal('custom-html');
    expect(await story.nextComment()).to.equal(queued(request.run));
    endGreen(request);
    expect(await story.nextEdit()).to.equal(green(request.run));
    expect(story.triggers()[0]).to.include({ author: 'bob', state: 'seen', attempts: 0 });
    // Only now the one that hangs is given up and asked again.
    const late = await nextStart();
    expect(late.recipe).to.equal('radicale');
    expect(await story.nextComment()).to.include('`radicale` at `bbbbbbbbbbbb`, asked for by `bob`');
  }).timeout(10_000);
});
