import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createFaults } from './faults.js';

describe('faults', () => {
  it('meet the requests they are meant for, and so many of them', () => {
    const faults = createFaults();
    faults.inject({ path: /\/comments$/, method: 'POST', times: 2, answer: 500 });
    expect(faults.take('before', 'GET', '/api/comments')).to.equal(undefined);
    expect(faults.take('before', 'POST', '/api/comments/1')).to.equal(undefined);
    expect(faults.take('after', 'POST', '/api/comments')).to.equal(undefined);
    for (let time = 0; time < 2; time++) {
      expect(faults.take('before', 'POST', '/api/comments')).to.include({ answer: 500 });
    }
    expect(faults.take('before', 'POST', '/api/comments')).to.equal(undefined);
  });

  it('come in the order they were injected, and can be forgotten', () => {
    const faults = createFaults();
    faults.inject({ answer: 500 });
    faults.inject({ answer: 'close', times: 3 });
    expect(faults.pending()).to.equal(4);
    expect(faults.take('before', 'GET', '/')).to.include({ answer: 500 });
    expect(faults.take('before', 'GET', '/')).to.include({ answer: 'close' });
    faults.clear();
    expect(faults.pending()).to.equal(0);
    expect(faults.take('before', 'GET', '/')).to.equal(undefined);
  });
});
