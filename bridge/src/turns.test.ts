import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createTurns } from './turns.js';

const GOING_ON = new AbortController().signal;

/** Milliseconds that some work took. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** Goes on giving way, once in each turn of the event loop, until `work` has ended. */
async function inBurst<T>(giveWay: () => void, work: () => Promise<T>): Promise<T> {
  let isOver = false;
  const again = () => {
    giveWay();
    if (!isOver) setImmediate(again);
  };
  again();
  return work().finally(() => {
    isOver = true;
  });
}

describe('turns', () => {
  it('come one after another, each in a turn of the event loop of its own', async () => {
    const { next } = createTurns(GOING_ON);
    let loops = 0;
    let isOver = false;
    const count = () => {
      loops += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const at = await Promise.all(Array.from({ length: 5 }, () => next().then(() => loops)));
    isOver = true;
    expect(at).to.deep.equal([...new Set(at)].toSorted((a, b) => a - b));
  });

  it('wait until a delivery is some time ago', async () => {
    const turns = createTurns(GOING_ON);
    turns.giveWay();
    expect(await timed(turns.next)).to.be.at.least(19);
  });

  it('come in a burst of deliveries too, but seldom', async () => {
    const turns = createTurns(GOING_ON);
    const ms = await inBurst(turns.giveWay, () => timed(() => Promise.all([turns.next(), turns.next()])));
    expect(ms).to.be.at.least(195);
  });

  it('come at once when all is to end', async () => {
    const stopping = new AbortController();
    const turns = createTurns(stopping.signal);
    await inBurst(turns.giveWay, async () => {
      const waiting = Promise.all(Array.from({ length: 200 }, turns.next));
      stopping.abort();
      // 200 times the longest wait would be 20 s.
      await waiting;
    });
  });
});
