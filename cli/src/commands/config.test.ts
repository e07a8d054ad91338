import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { configMarkdown, configReport } from './config.js';

describe('docs/configuration.md', () => {
  it('is what `cc-ci config --markdown` prints', async () => {
    const file = new URL('../../../docs/configuration.md', import.meta.url);
    expect(await readFile(file, 'utf8')).to.equal(configMarkdown());
  });
});

describe('cc-ci config', () => {
  const row = (lines: string[], name: string) =>
    lines.find((line) => line.startsWith(`${name} `))?.split(/ {2,}/);

  it('shows what is in force and where it comes from', () => {
    const { lines, ok } = configReport({ MAX_TESTS: '3', CC_CI_FORGE_TOKEN_FILE: '/run/secrets/token' });
    expect(ok).to.equal(true);
    expect(row(lines, 'MAX_TESTS')).to.deep.equal(['MAX_TESTS', '3', 'environment']);
    expect(row(lines, 'CC_CI_POLL_INTERVAL')).to.deep.equal(['CC_CI_POLL_INTERVAL', '5', 'default']);
    expect(row(lines, 'CC_CI_ORG')).to.deep.equal(['CC_CI_ORG', '-', 'not set, required']);
    expect(row(lines, 'CC_CI_CHROMIUM')).to.deep.equal(['CC_CI_CHROMIUM', '-', 'not set']);
    expect(row(lines, 'CC_CI_FORGE_TOKEN_FILE')?.[1]).to.equal('/run/secrets/token');
    expect(lines.join('\n')).to.include('Problems:\n').and.include('  - CC_CI_ORG is not set: Organisation');
  });

  it('lists what is wrong, and is then not ok', () => {
    const { lines, ok } = configReport({ MAX_TESTS: 'many', CC_CI_FORGE_TOKEN: 'abc123' });
    expect(ok).to.equal(false);
    const text = lines.join('\n');
    expect(text).to.include('  - CC_CI_FORGE_TOKEN is not a setting of cc-ci');
    expect(text).to.include('  - MAX_TESTS: expected a whole number from 1 to 64, got "many"');
    expect(text).to.not.include('abc123');
  });
});
