import type { Store } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ForgeError } from './forge/errors.js';
import { watchLooks, watchTriggers } from './liveness.js';
import { openBridgeStore } from './store.js';
import { dueTriggers, postpone, recordSeen } from './triggers.js';

const MINUTE = 60_000;

describe('looks at the forge', () => {
  const pace = { intervalMs: 5_000, retry: { firstMs: 1_000, capMs: MINUTE }, quietMs: () => quiet };
  const quiet = 0;
  let clock = 0;
  const watched = (look: () => Promise<unknown>) => watchLooks(look, pace, () => clock);

  it('are late when none begins, and none ends', async () => {
    let end: () => void = () => undefined;
    const { look, late } = watched(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    clock = 2 * MINUTE;
    expect(late()).to.deep.equal(['the first look at the forge is overdue']);
    const looking = look();
    expect(late()).to.deep.equal([]);
    clock += 14 * MINUTE;
    expect(late()).to.deep.equal([]);
    clock += 2 * MINUTE;
    expect(late()).to.deep.equal(['the end of a look at the forge is overdue']);
    end();
    await looking;
    clock += MINUTE;
    expect(late()).to.deep.equal([]);
    clock += MINUTE;
    expect(late()).to.deep.equal(['the next look at the forge is overdue']);
  });

  it('are not late while the forge asked for patience', async () => {
    clock = 0;
    const failures = [
      new Error('x'),
      new ForgeError('rate-limited', 'slow down', { retryAfterMs: 20 * MINUTE }),
    ];
    const { look, late } = watched(() => Promise.reject(failures.shift()));
    expect(((await look().catch((error: Error) => error)) as Error).message).to.equal('x');
    clock = 1.5 * MINUTE;
    expect(late()).to.deep.equal([]);
    clock = 3 * MINUTE;
    expect(late()).to.have.length(1);
    await look().catch(() => undefined);
    clock += 20 * MINUTE;
    expect(late()).to.deep.equal([]);
    clock += 2 * MINUTE;
    expect(late()).to.have.length(1);
  });
});

describe('triggers', () => {
  const START = Date.parse('2026-11-21T12:00:00Z');
  let store: Store;
  let clock: number;
  beforeEach(() => {
    store = openBridgeStore(':memory:');
    clock = START;
  });
  afterEach(() => void store.close());
  const seen = (commentId: number, pr: number) =>
    recordSeen(
      store,
      [{ commentId, repo: 'coop-cloud/x', pr, author: 'alice', createdAt: START, decision: 'testme' }],
      START,
    );

  it('that stand still although they are due are late', () => {
    const late = watchTriggers(store, () => clock);
    seen(1, 1);
    for (let minute = 0; minute <= 11; minute++) {
      expect(late(), `minute ${minute}`).to.deep.equal([]);
      clock += MINUTE;
    }
    expect(late()).to.deep.equal(['coop-cloud/x#1 has not got on for 11 minutes']);
  });

  it('that are tried again and again, or wait for others of their pull request, are not', () => {
    const late = watchTriggers(store, () => clock);
    seen(1, 1);
    seen(2, 1);
    for (let minute = 0; minute < 60; minute++) {
      clock += MINUTE;
      // Only the first one gets on: the second waits for it.
      const [first] = dueTriggers(store, clock);
      if (first) postpone(store, first, 'HTTP 500', clock);
      expect(late(), `minute ${minute}`).to.deep.equal([]);
    }
  });

  it('cannot be told late by a database that does not answer', () => {
    const late = watchTriggers(store, () => clock);
    store.close();
    expect(late()).to.deep.equal([]);
  });
});
