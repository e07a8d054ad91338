import { expect } from 'chai';
import { describe, it } from 'mocha';
import { measureHookBurst } from './hook-burst.js';

describe('a burst of webhook deliveries', () => {
  it('loses nothing and doubles nothing', async () => {
    const result = await measureHookBurst({
      deliveries: 300,
      duplicates: 0.2,
      forged: 0.1,
      connections: 10,
      pulls: 30,
      pollSeconds: 0.2,
    });
    expect(result).to.deep.include({ commands: 210, lost: 0, doubled: 0, statuses: { 202: 270, 401: 30 } });
  });
});
