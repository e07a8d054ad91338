import { expect } from 'chai';
import { describe, it } from 'mocha';
import { evaluate } from './testing/nix.js';
import { optionsPage } from './testing/options-table.js';

describe('the options of the modules', () => {
  it('each say what they are', async () => {
    const options = await evaluate<{ name: string; description: string }[]>('options', { profile: 'none' });
    expect(options.length).to.be.greaterThan(40);
    for (const { name, description } of options) expect(description, name).to.match(/^[A-Z].{15,}\.$/s);
  });

  it('are those of docs/nixos.md (if not: node cli/dist/nix/testing/write-options.js)', async () => {
    const { is, shouldBe } = await optionsPage();
    expect(is).to.equal(shouldBe);
  });
});
