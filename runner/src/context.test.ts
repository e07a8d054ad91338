import { expect } from 'chai';
import { describe, it } from 'mocha';
import { cachedRedactor } from './context.js';

describe('the redactor of a running stage', () => {
  it('knows every secret from the line after it was added, also one that was replaced', () => {
    const secrets = new Map<string, string>();
    const redactor = cachedRedactor(secrets);
    expect(redactor().text('first-secret')).to.equal('first-secret');
    secrets.set('a', 'first-secret');
    expect(redactor().text('first-secret')).to.equal('[redacted]');
    secrets.set('a', 'other-secret');
    expect(redactor().text('other-secret')).to.equal('[redacted]');
    expect(redactor()).to.equal(redactor());
  });
});
