import { expect } from 'chai';
import { describe, it } from 'mocha';
import { brief, count } from './text.js';

describe('a text in brief', () => {
  it('is one line', () => {
    expect(brief('  expected 500\n\tto equal 200\r\n', 100)).to.equal('expected 500 to equal 200');
  });

  it('says where it was cut, and never exceeds its limit', () => {
    expect(brief('0123456789', 10)).to.equal('0123456789');
    expect(brief('0123456789x', 10)).to.equal('012345678…');
    expect(brief('01234567 9x', 10)).to.equal('01234567…');
  });

  it('keeps characters whole', () => {
    expect(brief('ab🎉🎉', 4)).to.equal('ab…');
  });
});

describe('a count', () => {
  it('is of one or of several', () => {
    expect([0, 1, 2].map((number) => count(number, 'test'))).to.deep.equal(['0 tests', '1 test', '2 tests']);
  });
});
