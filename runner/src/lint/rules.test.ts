import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { finding, RULES, rulesTable } from './rules.js';

const PAGE = fileURLToPath(new URL('../../../docs/lint.md', import.meta.url));

describe('the rules', () => {
  it('have names of their own, in the form that records want', () => {
    const names = RULES.map(({ rule }) => rule);
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^[a-z]+(-[a-z]+)*$/);
  });

  it('are the table of docs/lint.md, to the letter', async () => {
    const page = await readFile(PAGE, 'utf8');
    for (const { rule } of RULES) expect(page, rule).to.include(`\`${rule}\``);
    // node -e "import('./runner/dist/lint/index.js').then(({ rulesTable }) => console.log(rulesTable()))"
    expect(page).to.include(rulesTable());
  });

  it('give their findings the severity of the table', () => {
    expect(finding('image-moving', 'm', 'f:1')).to.deep.equal({
      rule: 'image-moving',
      severity: 'warning',
      message: 'm',
      where: 'f:1',
    });
    expect(finding('tag-lightweight', 'm')).to.deep.equal({
      rule: 'tag-lightweight',
      severity: 'error',
      message: 'm',
    });
  });
});
