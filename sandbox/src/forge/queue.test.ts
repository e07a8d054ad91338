import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createKeyedQueue } from './queue.js';

describe('a keyed queue', () => {
  it('does what concerns one key in turn, and other keys meanwhile', async () => {
    const queue = createKeyedQueue();
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`${name} begins`);
      await turn();
      await turn();
      seen.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all([queue(1, work('a')), queue(1, work('b')), queue(2, work('c'))]);
    expect(results).to.deep.equal(['a', 'b', 'c']);
    expect(seen.filter((line) => !line.startsWith('c'))).to.deep.equal([
      'a begins',
      'a ends',
      'b begins',
      'b ends',
    ]);
    expect(seen.indexOf('c begins')).to.be.lessThan(seen.indexOf('a ends'));
  });

  it('goes on after a failure, which only its own caller hears of', async () => {
    const queue = createKeyedQueue();
    const bad = queue(1, () => Promise.reject(new Error('no luck')));
    const good = queue(1, async () => 'done');
    expect(await bad.catch((error: Error) => error.message)).to.equal('no luck');
    expect(await good).to.equal('done');
  });
});
