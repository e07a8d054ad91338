import { InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { newSecretValue } from './secret-value.js';

describe('secret values', () => {
  it('have the length and only the characters that were asked for, and use all of them', () => {
    const used = (charset?: string) => new Set(newSecretValue(5_000, charset));
    expect([...used('hex')].sort().join('')).to.equal('0123456789abcdef');
    expect(used()).to.have.lengthOf(62);
    expect([...used('special')].sort().join('')).to.equal([...'!@#$%^&*_-+='].sort().join(''));
    expect([...used('special')].filter((character) => !used('safespecial').has(character))).to.deep.equal([
      '$',
    ]);
    expect(used('default,special')).to.have.lengthOf(62 + 12);
    expect(newSecretValue(7)).to.have.lengthOf(7);
  });

  it('are words without a length', () => {
    expect(newSecretValue(undefined)).to.match(/^(?:[a-z]{6}-){4}[a-z]{6}$/);
  });

  it('are never the same twice', () => {
    const values = Array.from({ length: 100 }, () => newSecretValue(undefined));
    expect(new Set(values)).to.have.lengthOf(100);
  });

  it('refuse a charset nobody knows', () => {
    expect(() => newSecretValue(8, 'emoji')).to.throw(InputError, 'emoji');
    expect(() => newSecretValue(8, 'constructor')).to.throw(InputError, 'constructor');
  });
});
