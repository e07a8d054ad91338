import { expect } from 'chai';
import { describe, it } from 'mocha';
import { backoffMs, createAlarm, pause } from './backoff.js';

const RETRY = { firstMs: 1_000, capMs: 60_000 };

describe('waiting after failures', () => {
  it('doubles up to its cap', () => {
    const waits = [1, 2, 3, 6, 7, 8, 1_000].map((failures) => backoffMs(failures, RETRY, 0, () => 1));
    expect(waits).to.deep.equal([1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
  });
  it('leaves the upper half to chance', () => {
    expect(backoffMs(4, RETRY, 0, () => 0)).to.equal(4_000);
    expect(backoffMs(4, RETRY, 0, () => 0.5)).to.equal(6_000);
  });
  it('waits as long as the forge asks, but not for ever', () => {
    expect(backoffMs(1, RETRY, 300_000)).to.equal(300_000);
    expect(backoffMs(1, RETRY, 10 ** 12)).to.equal(3_600_000);
  });
});

describe('an alarm', () => {
  it('ends a sleep, also when it rang before it', async () => {
    const alarm = createAlarm();
    const slept = alarm.sleep(3_600_000);
    alarm.ring();
    await slept;
    alarm.ring();
    await alarm.sleep(3_600_000);
    await alarm.sleep(1);
  });
  it('does not wait at all for a time that has passed', () => pause(-5, new AbortController().signal));
});
