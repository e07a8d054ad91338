import type { Store } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openBridgeStore } from './store.js';
import { dueOfPulls, listTriggers, postpone, recordSeen } from './triggers.js';

const REPO = 'coop-cloud/wordpress';

describe('due triggers', () => {
  let store: Store;
  beforeEach(() => {
    store = openBridgeStore(':memory:');
  });
  afterEach(() => store.close());

  /** One command on each of these pull requests. */
  function ask(...pulls: number[]): void {
    const before = listTriggers(store).length;
    const comments = pulls.map((pr, i) => {
      const commentId = before + i + 1;
      return { commentId, repo: REPO, pr, author: 'alice', createdAt: 0, decision: 'testme' } as const;
    });
    recordSeen(store, comments, 10);
  }
  const due = (now: number, pulls: number) => dueOfPulls(store, now, pulls).map((it) => [it.number, it.pr]);

  it('are all those of so many pull requests, in the order they were seen', () => {
    ask(7, 5, 7, 3, 5);
    expect(due(10, 2)).to.deep.equal([
      [1, 7],
      [2, 5],
      [3, 7],
      [5, 5],
    ]);
    expect(due(10, 100)).to.have.length(5);
    expect(due(9, 100)).to.deep.equal([]);
  });

  it('leave room for others while one is put off', () => {
    ask(7, 5, 3);
    const [first] = listTriggers(store);
    if (first) postpone(store, first, 'HTTP 500', 20);
    expect(due(10, 1)).to.deep.equal([[2, 5]]);
    expect(due(20, 1)).to.deep.equal([[1, 7]]);
  });
});
