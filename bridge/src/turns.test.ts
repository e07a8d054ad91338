import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createTurns } from './turns.js';

const GOING_ON = new AbortController().signal;

/** Goes on giving way, once in each turn of the event loop, until `work` has ended. */
async function inBurst(giveWay: () => void, work: (sinceLast: () => number) => Promise<void>): Promise<void> {
  let isOver = false;
  let last = 0;
  const again = () => {
    last = performance.now();
    giveWay();
    if (!isOver) setImmediate(again);
  };
  again();
  await work(() => performance.now() - last);
  isOver = true;
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
    const begin = performance.now();
    turns.giveWay();
    await turns.next();
    expect(performance.now() - begin).to.be.at.least(19);
  });

  it('come in a burst of deliveries too, but seldom', async () => {
    const turns = createTurns(GOING_ON);
    await inBurst(turns.giveWay, async (sinceLast) => {
      for (let turn = 0; turn < 5; turn++) {
        const begin = performance.now();
        await turns.next();
        // A machine that pauses may let a burst look like its end.
        if (sinceLast() < 19) expect(performance.now() - begin).to.be.at.least(99);
      }
    });
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
