import { expect } from 'chai';
import { describe, it } from 'mocha';
import { decide } from './command.js';
import { readDelivery } from './delivery.js';
import { commentPayload } from './testing/deliveries.js';

const HEADERS = { 'x-gitea-event-type': 'pull_request_comment' };

describe('deliveries', () => {
  it('of any form are read or refused, and none is a command that is not exactly that: 100,000 of them', () => {
    const random = randomNumbers(20261121);
    const whole = JSON.stringify(commentPayload());
    const counts = { comment: 0, ignored: 0, problem: 0, command: 0 };
    for (let i = 0; i < 100_000; i++) {
      const { body, asked } = mutated(whole, random);
      const delivery = readDelivery(HEADERS, Buffer.from(body), 'coop-cloud');
      if ('problem' in delivery) counts.problem++;
      else if ('ignored' in delivery) counts.ignored++;
      else {
        counts.comment++;
        if (decide(delivery.comment, delivery.comment.user.id, 2) !== 'testme') continue;
        counts.command++;
        expect(asked(), body).to.equal(true);
        expect(delivery.repo.startsWith('coop-cloud/'), body).to.equal(true);
      }
    }
    // All ways were gone, so that the others mean something.
    for (const [way, count] of Object.entries(counts)) expect(count, way).to.be.above(100);
  });
});

/** A delivery with something wrong in its text, or another value somewhere in it. */
function mutated(whole: string, random: (below: number) => number): { body: string; asked: () => boolean } {
  const values = ['null', '""', '-1', '1e99', '[]', '{}', 'true', '"!testme"', '"__proto__"', '"\\u0000"'];
  let body = whole;
  for (let n = random(3) + 1; n > 0; n--) {
    const at = random(body.length);
    const how = random(4);
    if (how === 0) body = body.slice(0, at) + body.slice(at + 1 + random(20));
    if (how === 1) body = body.slice(0, at) + String.fromCharCode(random(0x300)) + body.slice(at);
    if (how === 2) body = body.slice(0, at) + body.slice(random(at + 1));
    if (how === 3) {
      const from = body.indexOf(':', at);
      const to = body.indexOf(',', from);
      if (from > 0 && to > 0) body = body.slice(0, from + 1) + values[random(values.length)] + body.slice(to);
    }
  }
  return {
    body,
    asked() {
      const { comment, action } = JSON.parse(body);
      return action === 'created' && comment.body.trim() === '!testme';
    },
  };
}

/** The same numbers every time, so that what fails can be looked at. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
