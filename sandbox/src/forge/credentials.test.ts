import { expect } from 'chai';
import { describe, it } from 'mocha';
import { hashPassword, hashToken, newTokenText, passwordMatches } from './credentials.js';

describe('credentials', () => {
  it('keep no password, and tell the right one from others', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).not.to.include('correct horse');
    expect(await passwordMatches('correct horse', hash)).to.equal(true);
    expect(await passwordMatches('correct hors', hash)).to.equal(false);
    expect(await passwordMatches('', hash)).to.equal(false);
    expect(await hashPassword('correct horse')).not.to.equal(hash);
  });

  it('make tokens that are never the same, and known by their hash', () => {
    const [one, other] = [newTokenText(), newTokenText()];
    expect(one)
      .to.match(/^[0-9a-f]{40}$/)
      .and.not.to.equal(other);
    expect(hashToken(one)).to.equal(hashToken(one)).and.not.to.include(one);
  });
});
