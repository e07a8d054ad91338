import { createLogger } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { DEFAULT_TIMING } from './context.js';
import { startDriver } from './driver.js';
import { connectForge, whoAmI } from './forge/client.js';
import { NO_OBSERVER } from './observer.js';
import { openBridgeStore } from './store.js';
import { createFakeEngine } from './testing/fake-engine.js';
import { FAKE_TOKEN, ORG, startFakeForge } from './testing/fake-forge.js';
import { PLAIN_RULES } from './testing/rules.js';
import { recordSeen } from './triggers.js';

describe('in a burst of webhook deliveries', () => {
  it('triggers give way, and get on all the same', async () => {
    const forge = await startFakeForge();
    const client = connectForge({ url: forge.url, token: FAKE_TOKEN });
    const store = openBridgeStore(':memory:');
    const engine = createFakeEngine();
    let deliveredAt = Number.NEGATIVE_INFINITY;
    let lastStepAt = performance.now();
    const hasty: string[] = [];
    let steps = 0;
    let isOver = false;
    const driver = startDriver({
      store,
      forge: client,
      engine,
      org: ORG,
      rules: PLAIN_RULES,
      publicUrl: 'https://ci.test',
      readRecord: engine.readRecord,
      timing: DEFAULT_TIMING,
      logger: createLogger('test', 'silent'),
      bot: () => whoAmI(client),
      observer: {
        ...NO_OBSERVER,
        moved(_trigger, event) {
          const now = performance.now();
          const [sinceStep, sinceDelivery] = [now - lastStepAt, now - deliveredAt];
          if (!isOver && sinceStep < 99 && sinceDelivery < 19) hasty.push(`${event} after ${sinceStep} ms`);
          lastStepAt = now;
          steps += 1;
        },
      },
    });
    const { repo, number: pr } = forge.openPull(`${ORG}/custom-html`, 'a'.repeat(40));
    recordSeen(store, [{ commentId: 1, repo, pr, author: 'alice', createdAt: 0, decision: 'testme' }], 0);
    const deliver = () => {
      deliveredAt = performance.now();
      driver.ring('webhook');
      if (!isOver) setImmediate(deliver);
    };
    deliver();
    await until(() => steps === 4);
    isOver = true;
    await driver.stop();
    expect(engine.started.unread()).to.have.length(1);
    expect(hasty).to.deep.equal([]);
    await client.close();
    await forge.close();
    store.close();
  }).timeout(20_000);
});
