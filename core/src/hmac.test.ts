import { expect } from 'chai';
import { describe, it } from 'mocha';
import { hmacSha256, isSignedWith } from './hmac.js';

const SECRET = 'Jefe';
const BYTES = Buffer.from('what do ya want for nothing?');
/** RFC 4231, test case 2. */
const KNOWN = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';

describe('a signature', () => {
  it('is what the standard says it is', () => {
    expect(hmacSha256(BYTES, SECRET)).to.equal(KNOWN);
    expect(isSignedWith(SECRET, BYTES, KNOWN)).to.equal(true);
    expect(isSignedWith(SECRET, BYTES, KNOWN.toUpperCase())).to.equal(true);
  });

  it('is of exactly these bytes, with exactly this secret', () => {
    expect(isSignedWith(SECRET, Buffer.from(`${BYTES} `), KNOWN)).to.equal(false);
    expect(isSignedWith('jefe', BYTES, KNOWN)).to.equal(false);
    for (const at of [0, 31, 63]) {
      const wrong = KNOWN.slice(0, at) + (KNOWN[at] === '0' ? '1' : '0') + KNOWN.slice(at + 1);
      expect(isSignedWith(SECRET, BYTES, wrong), wrong).to.equal(false);
    }
  });

  it('is no other text', () => {
    for (const text of [
      '',
      KNOWN.slice(1),
      `${KNOWN}0`,
      `${KNOWN}\n`,
      `${KNOWN.slice(1)}g`,
      'é'.repeat(64),
    ]) {
      expect(isSignedWith(SECRET, BYTES, text), JSON.stringify(text)).to.equal(false);
    }
  });
});
