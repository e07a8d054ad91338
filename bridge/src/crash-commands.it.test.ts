import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createEnrolment } from './enrolment.js';
import type { Rules } from './rules.js';
import { stage } from './testing/fake-engine.js';
import { BOT, type Endpoint, type Fault } from './testing/fake-forge.js';
import { kindOf, type Story, tellStory } from './testing/story.js';

const REPO = 'coop-cloud/custom-html';

/** What a command leads to besides a run, wherever it is interrupted. */
interface Scenario {
  name: string;
  rules?: Partial<Rules>;
  /** Runs that alice asked for before, and how each ended; `running`: not yet. */
  before: ('green' | 'running')[];
  author: string;
  command: string;
  /** Requests it makes: how-manieth of its kind since the command. */
  points: [Endpoint, number][];
  /** What stands in the pull request in the end, and what became of the triggers. */
  comments: string[];
  states: string[];
}

const ANSWER: Scenario['points'] = [
  ['member', 1],
  ['listComments', 1],
  ['createComment', 1],
];
const SCENARIOS: Scenario[] = [
  {
    name: 'a stop',
    rules: { mention: 'always' },
    before: ['running', 'running'],
    author: 'bob',
    command: '!testme stop',
    points: [...ANSWER, ['editComment', 1], ['status', 1], ['listComments', 3], ['createComment', 3]],
    comments: ['collapsed', 'cancelled', 'answer', 'mention', 'mention'],
    states: ['reported', 'reported', 'answered'],
  },
  {
    name: 'a status',
    before: ['running'],
    author: 'bob',
    command: '!testme status',
    points: ANSWER,
    comments: ['queued', 'answer'],
    states: ['announced', 'answered'],
  },
  {
    name: 'a stranger',
    before: [],
    author: 'mallory',
    command: '!testme',
    points: ANSWER,
    comments: ['answer'],
    states: ['rejected'],
  },
  {
    name: 'a repository that is not enrolled',
    rules: { enrolment: createEnrolment({ patterns: ['wordpress'], file: undefined }) },
    before: [],
    author: 'alice',
    command: '!testme',
    points: ANSWER,
    comments: ['answer'],
    states: ['refused'],
  },
  {
    name: 'a newer run',
    before: ['green', 'green'],
    author: 'alice',
    command: '!testme',
    points: [['editComment', 1]],
    comments: ['collapsed', 'collapsed', 'queued'],
    states: ['reported', 'reported', 'announced'],
  },
];

const FAULTS: [string, Omit<Fault, 'times' | 'on'>][] = [
  ['answers 500', { how: { status: 500, body: '{"message":""}' } }],
  ['answers 429', { how: { status: 429, body: '{"message":"slow down"}' } }],
  ['does its part and cuts the connection', { how: 'drop', after: true }],
];

describe('whatever breaks around', () => {
  for (const scenario of SCENARIOS) {
    describe(scenario.name, () => {
      let story: Story;
      let pull: ReturnType<Story['forge']['openPull']>;

      beforeEach(async () => {
        story = await tellStory(scenario.rules);
        pull = story.forge.openPull(REPO, 'a'.repeat(40));
        await story.start();
        for (const [at, state] of scenario.before.entries()) {
          story.forge.comment(pull, 'alice', '!testme');
          const { run } = await story.engine.started.next();
          if (state === 'green') {
            const outcome = { verdict: 'green' as const, sentence: 'all passed', evidence: [] };
            story.engine.setRecord(run, [stage('install', 'passed')], outcome);
            story.engine.change(run, { state: 'success' });
          }
          const reached = state === 'green' ? 'reported' : 'announced';
          await until(() => story.triggers()[at]?.state === reached);
        }
      });
      afterEach(async () => {
        // What was said is looked at as it stands in the end.
        while (story.forge.messages.unread().length > 0) await story.forge.messages.next();
        while (story.engine.started.unread().length > 0) await story.engine.started.next();
        await story.end();
      });

      /** The engine does as it was told, once for each run. */
      async function obey(): Promise<void> {
        if (scenario.command !== '!testme stop') return;
        for (const _ of scenario.before) {
          const { run, reason } = await story.engine.cancelled.next();
          story.engine.change(run, { state: 'cancelled', reason });
        }
      }

      async function expectDoneOnce(): Promise<void> {
        const isThere = () => story.triggers().map(({ state }) => state);
        await until(() => isThere().join() === scenario.states.join());
        const comments = story.forge.commentsOn(pull).filter(({ author }) => author === BOT);
        expect(comments.map(kindOf).toSorted()).to.deep.equal(scenario.comments.toSorted());
        expect(story.engine.cancelled.unread()).to.deep.equal([]);
      }

      const ask = () => void story.forge.comment(pull, scenario.author, scenario.command);

      for (const [endpoint, on] of scenario.points) {
        for (const after of [false, true]) {
          const when = `${after ? 'after' : 'before'} the forge did its part of ${endpoint} ${on}`;
          it(`a bridge that is killed ${when} goes on where it stood`, async () => {
            const point = story.forge.break(endpoint, { how: 'hang', on, after });
            ask();
            const obeyed = obey();
            await point.reached;
            await story.crash();
            await story.start();
            await obeyed;
            await expectDoneOnce();
          });
        }
        for (const [name, fault] of FAULTS) {
          it(`a forge that ${name} to ${endpoint} ${on} three times is asked again`, async () => {
            const point = story.forge.break(endpoint, { ...fault, on, times: 3 });
            ask();
            await obey();
            await point.reached;
            await expectDoneOnce();
          });
        }
        it(`a database that cannot be written from ${endpoint} ${on} on is waited for`, async () => {
          const point = story.forge.break(endpoint, { how: 'not', on });
          point.reached.then(() => story.setWritable(false));
          ask();
          const obeyed = obey();
          await point.reached;
          // The look at the forge fails as long as its mark cannot be kept.
          const polls = story.forge.requests.length;
          await until(() => story.forge.requests.length >= polls + 5);
          story.setWritable(true);
          await obeyed;
          await expectDoneOnce();
        });
      }

      if (scenario.command === '!testme stop') {
        for (const after of [false, true]) {
          it(`a bridge that is killed ${after ? 'after' : 'before'} the engine was told goes on where it stood`, async () => {
            const point = story.engine.hang('cancel', after);
            ask();
            const obeyed = obey();
            await point.reached;
            await story.crash();
            await story.start();
            await obeyed;
            await expectDoneOnce();
          });
          it(`an engine that fails ${after ? 'after' : 'before'} it did as it was told is told again`, async () => {
            story.engine.break('cancel', 3, after);
            ask();
            await obey();
            await expectDoneOnce();
          });
        }
      }
    });
  }
});
