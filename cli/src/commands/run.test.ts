import { expect } from 'chai';
import { describe, it } from 'mocha';
import { janitorLines } from './run.js';

describe('what the janitor tells people', () => {
  const nothing = { reaped: [], held: [], failed: [], orphans: [] };

  it('is that there is nothing, or what it did and found, a line each', () => {
    expect(janitorLines(nothing)).to.deep.equal(['nothing to clean up']);
    expect(
      janitorLines({
        reaped: ['aaaaaaaa', 'bbbbbbbb'],
        held: [{ run: 'cccccccc', minutes: 400 }],
        failed: [{ run: 'dddddddd', error: 'app: still there' }],
        orphans: ['blog-eeeeeeee_ci_test'],
      }),
    ).to.deep.equal([
      'cleaned up after aaaaaaaa, bbbbbbbb',
      'could not clean up after dddddddd: app: still there',
      'cccccccc has been at work for 400 minutes; left alone, look whether it lives',
      'blog-eeeeeeee_ci_test looks like an app of a run whose folder is gone; left alone, remove it by hand if it is',
    ]);
  });
});
