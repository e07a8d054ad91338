import { createLogger } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openPoller, type Poller } from './poller.js';

describe('openPoller', () => {
  let stop: AbortController;
  let looks: number[];
  let answer: () => Promise<boolean>;
  let idle: boolean;

  beforeEach(() => {
    stop = new AbortController();
    looks = [];
    answer = async () => false;
    idle = false;
  });
  afterEach(() => stop.abort());

  const open = (shortest: number, longest: number): Poller =>
    openPoller({
      look: () => {
        looks.push(performance.now());
        return answer();
      },
      isIdle: () => idle,
      shortest,
      longest,
      logger: createLogger('test', 'fatal'),
      signal: stop.signal,
    });
  const gaps = () => looks.slice(1).map((at, i) => at - (looks[i] ?? 0));

  it('looks less and less often while nothing happens, and soon again after news', async () => {
    const poller = open(10, 80);
    await until(() => looks.length >= 7);
    expect(gaps()[5] ?? 0).to.be.greaterThan(60);
    answer = async () => true;
    await poller.next(false);
    const news = looks.length;
    await poller.next(false);
    expect(gaps()[news - 1] ?? 1_000).to.be.lessThan(60);
  });

  it('goes on when a look fails', async () => {
    answer = () => Promise.reject(new Error('down'));
    const poller = open(1, 5);
    await poller.now();
    await poller.next(false);
    expect(looks.length).to.be.greaterThan(1);
  });

  it('looks once for all who ask meanwhile, and for each after he has asked', async () => {
    let letThrough: () => void = () => undefined;
    answer = () =>
      new Promise((resolve) => {
        letThrough = () => resolve(false);
      });
    const poller = open(60_000, 60_000);
    const first = poller.now();
    await until(() => looks.length === 1);
    const others = [poller.now(), poller.now(), poller.fresh()];
    letThrough();
    await first;
    await until(() => looks.length === 2);
    letThrough();
    await Promise.all(others);
    expect(looks).to.have.length(2);
    await poller.fresh();
    expect(looks).to.have.length(2);
  });

  it('rests while there is nothing to look for, and lets nobody wait when it is stopped', async () => {
    idle = true;
    const poller = open(1, 1);
    await poller.now();
    const waiting = poller.next(true);
    expect(looks).to.have.length(1);
    stop.abort();
    await Promise.all([waiting, poller.now(), poller.next(true), poller.stopped()]);
    expect(looks).to.have.length(1);
  });
});
