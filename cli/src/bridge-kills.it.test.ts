import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openEngineReader } from '@cc-ci/engine';
import type { OpenedPull } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { type BridgeProcess, startBridgeProcess, startsOf } from './testing/bridge-process.js';
import { type PullScene, setPullScene } from './testing/pull-scene.js';
import { until } from './testing/until.js';

/** How many bridges are killed: few in every test run, 100 by hand (`BRIDGE_KILLS=100 npm test -- bridge-kills`). */
const KILLS = Number(process.env.BRIDGE_KILLS ?? 6);
/** From a comment until its run has been reported, about, in milliseconds. */
const WHOLE_TRIGGER_MS = 3_000;

/** Which comment of the bot it is: about which run, and whether it is the run's own, the mention, or an answer. */
function markOf(body: string): { run: string; kind: string } {
  const [, run = '', kind = 'run'] = /<!-- cc-ci run:(\w+)(?: (\w+))? -->$/.exec(body) ?? [];
  return { run, kind };
}

describe('a bridge that is killed at any moment', function () {
  this.timeout(KILLS * 20_000 + 180_000);
  let scene: PullScene;
  let bridge: BridgeProcess;
  let env: NodeJS.ProcessEnv;
  /** How often a run was asked for, by pull request; and how many comments want an answer instead. */
  const asked = new Map<OpenedPull, number>();
  let answers = 0;

  before(async () => {
    scene = await setPullScene(4);
    env = {
      ...scene.env,
      CC_CI_POLL_INTERVAL: '0.3',
      CC_CI_MENTION: 'always',
      CC_CI_LOG_LEVEL: 'warn',
      MAX_TESTS: '3',
    };
    bridge = startBridgeProcess(env, scene.dir);
    await bridge.ready;
  });
  after(async () => {
    bridge.kill('SIGKILL');
    await bridge.gone;
    await scene.close();
  });

  /** A command on some pull request, which may come by webhook, too, and even twice. */
  async function ask(): Promise<void> {
    const pull = scene.pulls[randomInt(scene.pulls.length)];
    if (!pull) return;
    const isTest = randomInt(5) > 0;
    if (isTest) asked.set(pull, (asked.get(pull) ?? 0) + 1);
    else answers++;
    const made = await scene.say(pull, scene.org.member, isTest ? '!testme' : ' !testme status\n');
    // Nobody may be there to take it.
    for (let times = randomInt(3); times > 0; times--) await scene.deliver(pull, made).catch(() => undefined);
  }

  const comments = async () => (await Promise.all(scene.pulls.map(scene.botComments))).flat();
  const ofKind = (bodies: readonly string[], kind: string) =>
    bodies.map(markOf).filter((mark) => mark.kind === kind);

  /** Whether nothing is left to be said: every run is reported, those before the newest are one line. */
  async function isAllSaid(tests: number): Promise<boolean> {
    const bodies = await comments();
    const open = bodies.filter((body) => markOf(body).kind === 'run' && !body.includes('an earlier run'));
    return (
      ofKind(bodies, 'done').length >= tests &&
      ofKind(bodies, 'answer').length >= answers &&
      open.length <= asked.size &&
      open.every((body) => body.includes('**green**'))
    );
  }

  it(`runs every !testme once, and says everything once (${KILLS} killed)`, async () => {
    const [somewhere] = scene.pulls;
    if (!somewhere) return;
    // Told once, whatever dies meanwhile.
    for (const _ of [1, 2]) await scene.say(somewhere, scene.org.stranger, '!testme');
    answers++;
    for (let kill = 0; kill < KILLS; kill++) {
      // Every third is killed while it starts, with what the one before left.
      if (kill % 3 !== 2) await bridge.ready;
      const asking = Promise.all(Array.from({ length: 1 + randomInt(2) }, ask));
      await delay(randomInt(WHOLE_TRIGGER_MS));
      bridge.kill('SIGKILL');
      await Promise.all([bridge.gone, asking]);
      if (kill % 4 === 0) await ask();
      bridge = startBridgeProcess(env, scene.dir);
    }
    await bridge.ready;
    await ask();
    const tests = [...asked.values()].reduce((sum, count) => sum + count, 0);
    await until(() => isAllSaid(tests));

    // One more bridge finds nothing left to do.
    const before = await comments();
    bridge.kill('SIGTERM');
    expect(await bridge.gone).to.equal(0);
    bridge = startBridgeProcess(env, scene.dir);
    await bridge.ready;
    const pull = scene.pulls[1] ?? somewhere;
    await scene.say(pull, scene.org.member, '!testme status');
    await until(async () => (await comments()).length > before.length);
    expect((await comments()).length).to.equal(before.length + 1);

    for (const each of scene.pulls) {
      const bodies = await scene.botComments(each);
      const runs = ofKind(bodies, 'run').map(({ run }) => run);
      expect(runs, `runs of pull request ${each.number}`).to.have.length(asked.get(each) ?? 0);
      expect(new Set(runs).size, 'comments on one run').to.equal(runs.length);
      expect(ofKind(bodies, 'done').map(({ run }) => run)).to.have.members(runs);
      const collapsed = bodies.filter((body) => body.includes('an earlier run'));
      expect(collapsed.length).to.equal(Math.max(0, runs.length - 1));
      for (const body of [...collapsed, ...bodies.filter((it) => markOf(it).kind === 'done')])
        expect(body).to.include('✓ **green**');
      if (runs.length > 0) expect((await scene.statusesOf(each))[0]).to.equal('success');
    }
    const told = ofKind(before, 'answer').map(({ run }) => run);
    expect(told).to.have.length(answers);
    expect(new Set(told).size).to.equal(answers);

    const stateDir = join(scene.dir, 'state');
    const engine = openEngineReader(stateDir);
    const builds = await engine.list();
    engine.close();
    expect(builds).to.have.length(tests);
    for (const { id, state, reason } of builds) {
      expect([state, reason], id).to.deep.equal(['success', undefined]);
      expect(await startsOf(stateDir, id), id).to.have.length(1);
    }
  });
});
