import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { configMarkdown } from './config.js';

describe('docs/configuration.md', () => {
  it('is what `cc-ci config --markdown` prints', async () => {
    const file = new URL('../../../docs/configuration.md', import.meta.url);
    expect(await readFile(file, 'utf8')).to.equal(configMarkdown());
  });
});
