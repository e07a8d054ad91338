import { expect } from 'chai';
import { describe, it } from 'mocha';
import { duration, finalStatus, pendingStatus } from '../words.js';

describe('a commit status', () => {
  it('says the verdict in the words Gitea has for it', () => {
    expect(pendingStatus()).to.deep.equal({ state: 'pending', description: 'asked for with !testme' });
    expect(finalStatus('green', 'all passed')).to.deep.equal({
      state: 'success',
      description: 'green: all passed',
    });
    expect(finalStatus('red', 'it\nfailed').state).to.equal('failure');
    expect(finalStatus('red', 'it\nfailed').description).to.equal('red: it failed');
    expect(finalStatus('error', '').state).to.equal('error');
    expect(finalStatus('cancelled', 'by alice')).to.deep.equal({
      state: 'error',
      description: 'cancelled: by alice',
    });
    expect(finalStatus('red', 'x'.repeat(1_000)).description.length).to.equal(140);
  });
});

describe('a duration', () => {
  it('is as exact as people want it', () => {
    expect([0, 40, 9_940, 9_960, 59_400, 59_600, 125_000, 3_725_000].map(duration)).to.deep.equal([
      '0.0 s',
      '0.0 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 0 s',
      '2 min 5 s',
      '62 min 5 s',
    ]);
  });
});
