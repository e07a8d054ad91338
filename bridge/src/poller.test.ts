import { createLogger } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { ForgeError } from './forge/errors.js';
import { NO_OBSERVER } from './observer.js';
import { type Poller, startPoller } from './poller.js';

describe('looking again and again', () => {
  let poller: Poller | undefined;
  let looks: number[] = [];

  afterEach(async () => {
    await poller?.stop();
    poller = undefined;
    looks = [];
  });

  function start(look: () => Promise<unknown>, quietMs: () => number = () => 0, intervalMs = 5): Poller {
    poller = startPoller({
      look: async () => {
        looks.push(performance.now());
        await look();
      },
      quietMs,
      intervalMs,
      retry: { firstMs: 5, capMs: 40 },
      logger: createLogger('test', 'silent'),
      observer: NO_OBSERVER,
    });
    return poller;
  }

  it('goes on after failures, and tells of them until all is well', async () => {
    let fail: () => void = () => undefined;
    const third = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const { health } = start(async () => {
      if (looks.length === 3) await third;
      if (looks.length <= 3) throw new ForgeError('unavailable', `failure ${looks.length}`);
    });
    await until(() => looks.length === 3);
    expect(health()).to.include({ failures: 2, reason: 'failure 2', lookedAt: undefined });
    fail();
    await until(() => looks.length >= 6);
    expect(health()).to.include({ failures: 0, reason: undefined });
    expect(health().lookedAt).to.match(/^20/);
  });

  it('waits as long as a look was told to', async () => {
    start(async () => {
      const wait = looks.length === 1 ? { retryAfterMs: 200 } : {};
      if (looks.length <= 2) throw new ForgeError('rate-limited', 'slow down', wait);
    });
    await until(() => looks.length >= 3);
    const [first = 0, second = 0, third = 0] = looks;
    expect(second - first).to.be.at.least(198);
    expect(third - second).to.be.below(198);
  });

  it('waits as long as any other request was told to, then comes back to its pace', async () => {
    let quietUntil = 0;
    start(
      async () => undefined,
      () => Math.max(0, quietUntil - performance.now()),
    );
    await until(() => looks.length >= 3);
    quietUntil = performance.now() + 200;
    const before = looks.length;
    await until(() => looks.length >= before + 3);
    const after = looks.filter((at) => at >= quietUntil - 1);
    // At most the look that was under way began in between.
    expect(looks.length - after.length).to.be.at.most(before + 1);
    expect(after.length).to.be.at.least(2);
  });

  it('ends at once, also while it waits', async () => {
    start(
      async () => undefined,
      () => 3_600_000,
      3_600_000,
    );
    await poller?.firstLook;
    await poller?.stop();
    expect(looks).to.have.length(1);
  });
});
