import { expect } from 'chai';
import { beforeEach, describe, it } from 'mocha';
import { createForgeClock, type ForgeClock } from './clock.js';

describe("the forge's clock", () => {
  let here: number;
  let clock: ForgeClock;

  beforeEach(() => {
    here = 7_000;
    clock = createForgeClock(1_000_000, () => here);
  });

  it('goes on by itself', () => {
    here += 5_000.7;
    expect(clock.now()).to.equal(1_005_000);
  });

  it('follows what the forge writes, never back', () => {
    clock.wrote(1_100_000);
    expect(clock.now()).to.equal(1_100_000);
    here += 1_000;
    clock.wrote(1_100_500);
    expect(clock.now()).to.equal(1_101_000);
  });

  it('is not led forward by the date of an answer, which may be by the clock of a proxy', () => {
    clock.dated(2_000_000);
    clock.dated(undefined);
    expect(clock.now()).to.equal(1_000_000);
  });

  it('is set back with the forge, and when the forge once wrote a time that had not come', () => {
    clock.wrote(9_000_000_000);
    clock.dated(1_000_000);
    here += 1_000;
    expect(clock.now()).to.equal(1_001_000);
  });
});
