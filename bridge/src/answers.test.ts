import type { Store } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { grantNotEnrolled, grantRejection } from './answers.js';
import { openBridgeStore } from './store.js';
import { listTriggers, recordSeen, type Trigger } from './triggers.js';

const HOUR = 3_600_000;

describe('answers that are not repeated', () => {
  let store: Store;
  let comments = 0;
  beforeEach(() => {
    store = openBridgeStore(':memory:');
  });
  afterEach(() => store.close());

  function ask(author: string, pr: number, repo = 'coop-cloud/wordpress'): Trigger {
    comments++;
    recordSeen(store, [{ commentId: comments, repo, pr, author, createdAt: 0, decision: 'testme' }], 0);
    return listTriggers(store).at(-1) ?? expect.fail('no trigger');
  }

  it('a stranger is told once a day, and once in a pull request', () => {
    expect(grantRejection(store, ask('mallory', 1), 0)).to.equal(true);
    expect(grantRejection(store, ask('mallory', 1), 1)).to.equal(false);
    expect(grantRejection(store, ask('mallory', 2), HOUR)).to.equal(false);
    expect(grantRejection(store, ask('Mallory', 2, 'coop-cloud/other'), HOUR)).to.equal(false);
    expect(grantRejection(store, ask('trudy', 1), HOUR)).to.equal(true);
    expect(grantRejection(store, ask('mallory', 1), 25 * HOUR)).to.equal(false);
    expect(grantRejection(store, ask('mallory', 2), 25 * HOUR)).to.equal(true);
    expect(grantRejection(store, ask('mallory', 3), 26 * HOUR)).to.equal(false);
  });

  it('asked again after a crash, it is the same', () => {
    const first = ask('mallory', 1);
    const second = ask('mallory', 1);
    for (const _ of [1, 2]) {
      expect(grantRejection(store, first, 0)).to.equal(true);
      expect(grantRejection(store, second, 0)).to.equal(false);
    }
    expect(grantRejection(store, first, 50 * HOUR)).to.equal(true);
  });

  it('a pull request is told once that it is not enrolled, whoever asks', () => {
    expect(grantNotEnrolled(store, ask('alice', 1), 0)).to.equal(true);
    expect(grantNotEnrolled(store, ask('bob', 1), 99 * HOUR)).to.equal(false);
    expect(grantNotEnrolled(store, ask('alice', 2), 0)).to.equal(true);
    expect(grantNotEnrolled(store, ask('alice', 1, 'coop-cloud/other'), 0)).to.equal(true);
  });
});
