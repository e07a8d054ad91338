import { expect } from 'chai';
import { describe, it } from 'mocha';
import { measureIdle } from './idle.js';

describe('a bridge with nothing to do', () => {
  it('asks the forge once a look, however many repositories there are', async () => {
    const results = await Promise.all(
      [1, 150].map((repositories) => measureIdle(repositories, { pollSeconds: 0.2, seconds: 3 })),
    );
    for (const { looks, requests } of results) {
      expect(looks).to.be.within(5, 15);
      expect(requests).to.equal(looks);
    }
  });
});
