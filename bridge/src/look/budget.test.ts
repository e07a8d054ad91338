import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createBudget } from './budget.js';

describe('a budget of requests', () => {
  it('is spent look by look, and what was too much is missing later', () => {
    let at = 0;
    const budget = createBudget(60, 5_000, () => at);
    expect(budget.left()).to.equal(5);
    for (let i = 0; i < 7; i++) budget.spend();
    expect(budget.left()).to.equal(0);
    at += 5_000;
    expect(budget.left()).to.equal(3);
    at += 3_600_000;
    expect(budget.left()).to.equal(5);
  });

  it('saves up for one request where a look has less', () => {
    let at = 0;
    const budget = createBudget(1, 5_000, () => at);
    budget.spend();
    for (; at < 60_000; at += 5_000) expect(budget.left()).to.equal(0);
    expect(budget.left()).to.equal(1);
  });
});
