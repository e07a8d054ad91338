import type { TestRequest } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { stage } from './testing/fake-engine.js';
import { BOT, type Endpoint, type Fault } from './testing/fake-forge.js';
import { kindOf, type Story, tellStory } from './testing/story.js';

const REPO = 'coop-cloud/custom-html';
const SHA = 'a'.repeat(40);

/** How the forge is looked at. */
const LOOKS: [Endpoint, number][] = [
  ['search', 1],
  ['repoComments', 1],
];

/** Every request of a run to the forge, and the how-manieth of its kind it is. */
const POINTS: [Endpoint, number][] = [
  ['member', 1],
  ['pull', 1],
  ['status', 1],
  ['listComments', 1],
  ['createComment', 1],
  ['pull', 2],
  ['editComment', 1],
  ['status', 2],
  ['listComments', 2],
  ['createComment', 2],
];

describe('whatever breaks', () => {
  let story: Story;
  let pull: ReturnType<Story['forge']['openPull']>;

  beforeEach(async () => {
    story = await tellStory({ mention: 'always' });
    pull = story.forge.openPull(REPO, SHA);
    await story.start();
  });
  afterEach(async () => {
    // What was said is looked at as it stands in the end.
    while (story.forge.messages.unread().length > 0) await story.forge.messages.next();
    await story.end();
  });

  const botComments = () => story.forge.commentsOn(pull).filter(({ author }) => author === BOT);
  /** What stands in the pull request after one green run: its comment, and the mention of who asked. */
  const GREEN = ['green', 'mention'];
  /** After several, one after another. */
  const greens = (runs: number) => [
    ...Array.from({ length: runs - 1 }, () => ['collapsed', 'mention']).flat(),
    ...GREEN,
  ];

  /** Ends a run green once its first comment stands. */
  async function endGreenOnceAnnounced({ run }: TestRequest): Promise<void> {
    await until(() => botComments().some(({ body }) => body.endsWith(`<!-- cc-ci run:${run} -->`)));
    const outcome = { verdict: 'green' as const, sentence: 'all passed', evidence: [] };
    story.engine.setRecord(run, [stage('install', 'passed')], outcome);
    story.engine.change(run, { state: 'success' });
  }

  /** Everything was done that one `!testme` asks for, and nothing twice. */
  async function expectDoneOnce(): Promise<void> {
    await until(() => story.triggers().every(({ dueAt }) => dueAt === null));
    expect(story.triggers().map(({ state }) => state)).to.deep.equal(['reported']);
    expect(botComments().map(kindOf)).to.deep.equal(GREEN);
    expect(story.engine.started.unread()).to.deep.equal([]);
    const states = story.forge.statuses.map(({ state }) => state);
    expect(new Set(states)).to.deep.equal(new Set(['pending', 'success']));
    expect(states.lastIndexOf('pending')).to.be.below(states.indexOf('success'));
  }

  for (const [endpoint, on] of POINTS) {
    for (const after of [false, true]) {
      const when = `${after ? 'after' : 'before'} the forge did its part of ${endpoint} ${on}`;
      it(`a bridge that is killed ${when} goes on where it stood`, async () => {
        const point = story.forge.break(endpoint, { how: 'hang', on, after });
        story.forge.comment(pull, 'alice', '!testme');
        const ended = story.engine.started.next().then(endGreenOnceAnnounced);
        await point.reached;
        await story.crash();
        await story.start();
        await ended;
        await expectDoneOnce();
      });
    }
  }

  for (const call of ['start', 'get'] as const) {
    for (const after of [false, true]) {
      const when = `${after ? 'after' : 'before'} the engine did its part of ${call}`;
      it(`a bridge that is killed ${when} goes on where it stood`, async () => {
        const point = story.engine.hang(call, after);
        story.forge.comment(pull, 'alice', '!testme');
        const ended = story.engine.started.next().then(endGreenOnceAnnounced);
        await point.reached;
        await story.crash();
        await story.start();
        await ended;
        await expectDoneOnce();
      });
    }
  }

  it('a bridge that is killed while it looks for comments loses none', async () => {
    for (const after of [false, true]) {
      const search = story.forge.break('search', { how: 'hang', after });
      await search.reached;
      story.forge.comment(pull, 'alice', after ? 'another one' : '!testme');
      await story.crash();
      const comments = story.forge.break('repoComments', { how: 'hang', after });
      const started = story.start();
      await comments.reached;
      // It hangs in the first look already.
      void started;
      await story.crash();
      await story.start();
    }
    await story.engine.started.next().then(endGreenOnceAnnounced);
    await expectDoneOnce();
  });

  it('a bridge that is killed after every second request brings all its runs to their end', async () => {
    const others = ['bob', 'alice', 'bob', 'alice'].map((author) =>
      story.forge.comment(pull, author, '!testme'),
    );
    const ended = others.map(() => story.engine.started.next().then(endGreenOnceAnnounced));
    const requests = () =>
      story.forge.requests.filter((name) => !['search', 'repoComments', 'whoAmI'].includes(name)).length;
    const isDone = () => {
      const triggers = story.triggers();
      return triggers.length === others.length && triggers.every(({ dueAt }) => dueAt === null);
    };
    let crashes = 0;
    for (; !isDone(); crashes++) {
      const seen = requests();
      await until(() => requests() >= seen + 2 || isDone());
      await story.crash();
      await story.start();
    }
    await Promise.all(ended);
    expect(crashes).to.be.at.least(5);
    expect(story.triggers().map(({ state }) => state)).to.deep.equal(others.map(() => 'reported'));
    const kinds = botComments().map(kindOf);
    expect(kinds.toSorted()).to.deep.equal(greens(others.length).toSorted());
    expect(story.engine.started.unread()).to.deep.equal([]);
  }).timeout(20_000);

  const faults: [string, Omit<Fault, 'on'>][] = [
    ['answers 500', { how: { status: 500, body: '{"message":""}' } }],
    ['does its part and answers 502', { how: { status: 502, body: '<html>' }, after: true }],
    ['answers 404 from its proxy', { how: { status: 404, body: '404 page not found\n' } }],
    ['answers 429', { how: { status: 429, body: '{"message":"slow down"}' } }],
    ['cuts the connection', { how: 'drop' }],
    ['does its part and cuts the connection', { how: 'drop', after: true }],
    ['answers something else', { how: { status: 200, body: '["?"]' } }],
    ['does its part and breaks off its answer', { how: 'break-off', after: true }],
    ['does its part and answers half of its JSON', { how: 'cut-short', after: true }],
    // Two seconds, in these tests.
    ['does its part and answers too late', { how: 'hang', after: true, times: 1 }],
  ];
  for (const [endpoint, on] of [...LOOKS, ...POINTS]) {
    for (const [name, { times = 3, ...fault }] of faults) {
      // Whatever is said to a change in its name counts as said: the forge said 200.
      const saysWell =
        fault.how === 'cut-short' || (typeof fault.how === 'object' && fault.how.status === 200);
      if (saysWell && ['status', 'editComment'].includes(endpoint)) continue;
      const often = times === 1 ? 'once' : `${times} times`;
      it(`a forge that ${name} to ${endpoint} ${on} ${often} is asked again`, async () => {
        const point = story.forge.break(endpoint, { ...fault, on, times });
        story.forge.comment(pull, 'alice', '!testme');
        const ended = story.engine.started.next().then(endGreenOnceAnnounced);
        await point.reached;
        await ended;
        await expectDoneOnce();
      });
    }
  }

  it('a forge that is down altogether is waited for, wherever a run stands', async () => {
    for (const [endpoint, on] of POINTS) {
      const before = story.forge.requests.filter((name) => name === endpoint).length;
      const point = story.forge.break(endpoint, { how: 'drop', on });
      story.forge.comment(pull, 'alice', '!testme');
      const ended = story.engine.started.next().then(endGreenOnceAnnounced);
      await point.reached;
      story.forge.goDown();
      const down = story.forge.requests.length;
      await until(() => story.forge.requests.length >= down + 5);
      story.forge.comeBack();
      await ended;
      await until(() => story.triggers().every(({ dueAt }) => dueAt === null));
      expect(story.forge.requests.filter((name) => name === endpoint).length).to.be.above(before + on);
    }
    expect(story.triggers().map(({ state }) => state)).to.deep.equal(POINTS.map(() => 'reported'));
    expect(botComments().map(kindOf)).to.deep.equal(greens(POINTS.length));
  }).timeout(10_000);

  it('a forge that asks for patience is given it', async () => {
    const how = { status: 429, body: '{"message":"slow down"}', headers: { 'retry-after': '1' } };
    const point = story.forge.break('pull', { how });
    story.forge.comment(pull, 'alice', '!testme');
    const ended = story.engine.started.next().then(endGreenOnceAnnounced);
    await point.reached;
    const asked = Date.now();
    await ended;
    expect(Date.now() - asked).to.be.at.least(950);
    await expectDoneOnce();
  });

  it('an engine that fails is asked again, and starts nothing twice', async () => {
    for (const after of [false, true]) {
      story.engine.break('start', 3, after);
      story.forge.comment(pull, 'alice', '!testme');
      await story.engine.started.next().then(endGreenOnceAnnounced);
      await until(() => story.triggers().every(({ dueAt }) => dueAt === null));
    }
    expect(botComments().map(kindOf)).to.deep.equal(greens(2));
    expect(story.triggers().map(({ state }) => state)).to.deep.equal(['reported', 'reported']);
  });

  for (const [endpoint, on] of [['search', 1] as const, ['repoComments', 1] as const, ...POINTS]) {
    it(`a database that cannot be written from ${endpoint} ${on} on is waited for, and nothing is done twice`, async () => {
      const point = story.forge.break(endpoint, { how: 'not', on });
      // A comment that was posted is found when it is to be posted again.
      const repeated = endpoint === 'createComment' ? 'listComments' : endpoint;
      const again = story.forge.break(repeated, { how: 'not', on: 3 });
      point.reached.then(() => story.setWritable(false));
      story.forge.comment(pull, 'alice', '!testme');
      const ended = story.engine.started.next().then(endGreenOnceAnnounced);
      await again.reached;
      story.setWritable(true);
      await ended;
      await expectDoneOnce();
    });
  }

  it('a status that the forge cannot set keeps no run from its result', async () => {
    story.forge.break('status', {
      how: { status: 500, body: '{"message":"object does not exist"}' },
      times: 1_000_000,
    });
    story.forge.comment(pull, 'alice', '!testme');
    await story.engine.started.next().then(endGreenOnceAnnounced);
    await until(() => story.triggers().every(({ dueAt }) => dueAt === null));
    expect(story.triggers().map(({ state }) => state)).to.deep.equal(['reported']);
    expect(botComments().map(kindOf)).to.deep.equal(GREEN);
  });

  it('a comment that is refused again and again is given up, and only that', async () => {
    story.forge.break('createComment', { how: { status: 403, body: '{"message":"locked"}' }, times: 200 });
    story.forge.comment(pull, 'alice', '!testme');
    const { run } = await story.engine.started.next();
    await until(() => story.triggers()[0]?.state === 'muted');
    story.engine.change(run, { state: 'error', reason: 'no runner' });
    await until(() => story.triggers()[0]?.state === 'unanswerable');
    expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal(['pending', 'error']);
  }).timeout(10_000);
});
