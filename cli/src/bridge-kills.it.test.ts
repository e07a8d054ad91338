import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { type BridgeProcess, startBridgeProcess } from './testing/bridge-process.js';
import { converse } from './testing/conversation.js';
import { type PullScene, setPullScene } from './testing/pull-scene.js';

/** How many bridges are killed: few in every test run, 100 by hand (`BRIDGE_KILLS=100 npm test -- bridge-kills`). */
const KILLS = Number(process.env.BRIDGE_KILLS ?? 6);
/** From a comment until its run has been reported, about, in milliseconds. */
const WHOLE_TRIGGER_MS = 3_000;

describe('a bridge that is killed at any moment', function () {
  this.timeout(KILLS * 20_000 + 180_000);
  let scene: PullScene;
  let bridge: BridgeProcess;
  let env: NodeJS.ProcessEnv;

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

  it(`runs every !testme once, and says everything once (${KILLS} killed)`, async () => {
    const talk = converse(scene);
    await talk.askAsStranger(2);
    for (let kill = 0; kill < KILLS; kill++) {
      // Every third is killed while it starts, with what the one before left.
      if (kill % 3 !== 2) await bridge.ready;
      const asking = Promise.all(Array.from({ length: 1 + randomInt(2) }, talk.ask));
      await delay(randomInt(WHOLE_TRIGGER_MS));
      bridge.kill('SIGKILL');
      await Promise.all([bridge.gone, asking]);
      if (kill % 4 === 0) await talk.ask();
      bridge = startBridgeProcess(env, scene.dir);
    }
    await bridge.ready;
    await talk.ask();
    await talk.settled();

    // One more bridge finds nothing left to do but what it is asked now.
    bridge.kill('SIGTERM');
    expect(await bridge.gone).to.equal(0);
    const before = (await talk.comments()).length;
    bridge = startBridgeProcess(env, scene.dir);
    await bridge.ready;
    await talk.askStatus();
    await until(async () => (await talk.comments()).length > before);
    await talk.expectAllOnce(join(scene.dir, 'state'), ['green']);
  });
});
