import { randomInt } from 'node:crypto';
import { until } from '@cc-ci/core/testing';
import { openEngineReader } from '@cc-ci/engine';
import type { OpenedPull } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { startsOf } from './bridge-process.js';
import type { PullScene } from './pull-scene.js';

/** Commands that people say on the pull requests of a scene, and what must come of all of them together. */
export interface Conversation {
  /** A command on some pull request: mostly `!testme`, which may come by webhook, too, and even twice. */
  ask(): Promise<void>;
  /** `!testme status`, which is to be answered. */
  askStatus(): Promise<void>;
  /** `!testme` of somebody who may not; it is to be answered, once however often they say it. */
  askAsStranger(times: number): Promise<void>;
  /** Waits until nothing is left to be said. */
  settled(): Promise<void>;
  /** The bot's comments on all pull requests. */
  comments(): Promise<string[]>;
  /**
   * Every `!testme` was run once and everything said once: a comment on each run, all but the newest collapsed, a
   * mention, an answer to what wants one, the statuses as the newest run has ended.
   * @param verdicts which the runs may have
   */
  expectAllOnce(stateDir: string, verdicts: readonly string[]): Promise<void>;
}

/** Which comment of the bot it is: about which run, and whether it is the run's own, the mention, or an answer. */
function markOf(body: string): { run: string; kind: string } {
  const [, run = '', kind = 'run'] = /<!-- cc-ci run:(\w+)(?: (\w+))? -->$/.exec(body) ?? [];
  return { run, kind };
}

const runsOf = (bodies: readonly string[], kind: string) =>
  bodies
    .map(markOf)
    .filter((mark) => mark.kind === kind)
    .map(({ run }) => run);
const isCollapsed = (body: string) => body.includes('an earlier run');
const verdictOf = (body: string) => /\*\*([a-z]+)\*\*/.exec(body)?.[1] ?? body;

export function converse(scene: PullScene): Conversation {
  /** How often a run was asked for, by pull request; and how many comments want an answer instead. */
  const asked = new Map<OpenedPull, number>();
  let answers = 0;

  const comments = async () => (await Promise.all(scene.pulls.map(scene.botComments))).flat();
  const tests = () => [...asked.values()].reduce((sum, count) => sum + count, 0);
  const somePull = () => {
    const pull = scene.pulls[randomInt(scene.pulls.length)];
    if (!pull) throw new Error('the scene has no pull request');
    return pull;
  };

  async function sayAndDeliver(pull: OpenedPull, text: string): Promise<void> {
    const made = await scene.say(pull, scene.org.member, text);
    // Nobody may be there to take it.
    for (let times = randomInt(3); times > 0; times--) await scene.deliver(pull, made).catch(() => undefined);
  }

  async function askStatus(pull: OpenedPull): Promise<void> {
    answers++;
    await sayAndDeliver(pull, ' !testme status\n');
  }

  async function isSettled(): Promise<boolean> {
    const bodies = await comments();
    const open = bodies.filter((body) => markOf(body).kind === 'run' && !isCollapsed(body));
    return (
      runsOf(bodies, 'done').length >= tests() &&
      runsOf(bodies, 'answer').length >= answers &&
      open.length <= asked.size &&
      open.every((body) => !['waiting', 'queued', 'running'].includes(verdictOf(body)))
    );
  }

  async function expectPull(pull: OpenedPull, verdicts: readonly string[]): Promise<void> {
    const bodies = await scene.botComments(pull);
    const runs = runsOf(bodies, 'run');
    expect(runs, `runs of pull request ${pull.number}`).to.have.length(asked.get(pull) ?? 0);
    expect(new Set(runs).size, 'comments on one run').to.equal(runs.length);
    expect(runsOf(bodies, 'done')).to.have.members(runs);
    expect(bodies.filter(isCollapsed)).to.have.length(Math.max(0, runs.length - 1));
    for (const body of bodies.filter((it) => markOf(it).kind !== 'answer')) {
      expect(verdictOf(body)).to.be.oneOf([...verdicts]);
    }
    const newest = bodies.find((body) => markOf(body).kind === 'run' && !isCollapsed(body));
    if (!newest) return;
    const status = verdictOf(newest) === 'green' ? 'success' : 'error';
    expect((await scene.statusesOf(pull))[0], newest).to.equal(status);
  }

  return {
    comments,
    async ask() {
      const pull = somePull();
      if (randomInt(5) === 0) return askStatus(pull);
      asked.set(pull, (asked.get(pull) ?? 0) + 1);
      await sayAndDeliver(pull, '!testme');
    },
    askStatus: () => askStatus(somePull()),
    async askAsStranger(times) {
      const pull = somePull();
      for (let time = 0; time < times; time++) await scene.say(pull, scene.org.stranger, '!testme');
      answers++;
    },
    settled: () => until(async () => (await isSettled()) || undefined).then(() => undefined),
    async expectAllOnce(stateDir, verdicts) {
      for (const pull of scene.pulls) await expectPull(pull, verdicts);
      const told = runsOf(await comments(), 'answer');
      expect(told).to.have.length(answers);
      expect(new Set(told).size).to.equal(answers);
      const engine = openEngineReader(stateDir);
      const builds = await engine.list();
      engine.close();
      expect(builds).to.have.length(tests());
      for (const { id, state, reason } of builds) {
        const starts = (await startsOf(scene.dir, id)).length;
        // One whose runner failed, or could not even be started, has a verdict that says so.
        if (verdicts.includes('error') && state !== 'success') expect(starts, reason).to.be.at.most(1);
        else expect([state, reason, starts], id).to.deep.equal(['success', undefined, 1]);
      }
    },
  };
}
