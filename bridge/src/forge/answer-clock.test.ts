import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createAnswerClock } from './answer-clock.js';

describe("the forge's clock", () => {
  let ours = 0;
  const clockOf = () => createAnswerClock(() => ours);
  const header = (at: number) => new Date(at).toUTCString();

  it('is ours until the forge has said a time', () => {
    ours = 5_000;
    const clock = clockOf();
    clock.heard(undefined);
    clock.heard('soon');
    expect(clock.now()).to.equal(5_000);
  });

  it('runs as far before or behind ours as its answers say, more exactly with each', () => {
    const ahead = 90_000;
    const clock = clockOf();
    for (const at of [1_000_900, 1_001_300, 1_002_050, 1_003_700]) {
      ours = at;
      clock.heard(header(at + ahead));
    }
    ours = 1_010_000;
    expect(ours + ahead - clock.now()).to.be.within(0, 50);
  });

  it('is followed when it is set back', () => {
    const clock = clockOf();
    ours = 1_000_000;
    clock.heard(header(ours + 3_600_000));
    for (let i = 0; i < 40; i++) {
      ours += 5_000;
      clock.heard(header(ours));
    }
    expect(clock.now()).to.equal(ours);
  });
});
