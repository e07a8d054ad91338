import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { History } from './history.js';
import { checkVersions } from './rule-versions.js';
import { brief, compose, type Files, GOOD, lineOf, modelOf } from './testing/recipe.js';

const LABEL = '"coop-cloud.${STACK_NAME}.version=1.0.0+1.2.3"';
const where = lineOf(GOOD, 'compose.yml', LABEL);
const HISTORY: History = {
  head: 'a',
  tags: [{ name: '1.0.0+1.2.3', annotated: true, commit: 'b' }],
  changedSince: new Set(),
};
const check = async (files: Files, history: Partial<History> = {}) =>
  checkVersions(await modelOf(files), { ...HISTORY, ...history });
const tagged = (...names: string[]) => names.map((name) => ({ name, annotated: true, commit: 'b' }));

describe('versions', () => {
  it('are fine with a label and annotated tags', async () => {
    expect(await check(GOOD)).to.deep.equal([]);
    expect(await check(GOOD, { tags: [] })).to.deep.equal([]);
    expect(await check(compose('1.0.0+1.2.3"', '2.0.1-rc1+1.0.6-social-amd64"'))).to.deep.equal([]);
  });

  it('need the label on service app', async () => {
    const found = await check(compose(`        - ${LABEL}\n`, ''));
    expect(brief(found)).to.deep.equal(['version-label compose.yml:4']);
    expect(found[0]?.message).to.include('has no version label; add');
  });

  it('need it in a list: Docker puts no variables into keys', async () => {
    const asMap = compose(
      `- ${LABEL}\n        - "backupbot.backup=\${ENABLE_BACKUPS:-true}"`,
      'coop-cloud.${STACK_NAME}.version: 1.0.0+1.2.3',
    );
    const found = await check(asMap);
    expect(brief(found)).to.deep.equal([`version-label ${where}`]);
    expect(found[0]?.message).to.include('as a list');
  });

  it('are <semver>+<app version>', async () => {
    for (const wrong of ['1.2.3', 'v1.0.0+1.2.3', '1.0+1.2.3', '1.0.0+', '1.0.0 + 1.2.3', '']) {
      expect(brief(await check(compose('1.0.0+1.2.3"', `${wrong}"`))), wrong).to.deep.equal([
        `version-label ${where}`,
      ]);
    }
  });

  it('that are published already are only named', async () => {
    const found = await check(GOOD, { changedSince: new Set(['1.0.0+1.2.3']) });
    expect(brief(found)).to.deep.equal([`version-published ${where}`]);
    expect(found[0]?.severity).to.equal('note');
    expect(await check(GOOD, { changedSince: new Set(['0.9.0+1']) })).to.deep.equal([]);
  });

  it('are published by annotated tags, of that form', async () => {
    const lightweight = { name: '0.9.0+1.0.0', annotated: false, commit: 'c' };
    const [found, ...none] = await check(GOOD, { tags: [...HISTORY.tags, lightweight] });
    expect(none).to.deep.equal([]);
    expect(found).to.include({ rule: 'tag-lightweight', severity: 'error' });
    expect(found?.message).to.match(/^0\.9\.0\+1\.0\.0: /);
    const odd = await check(GOOD, { tags: tagged('1.0.0+1.2.3', 'v1.0', 'old') });
    expect(brief(odd)).to.deep.equal(['tag-malformed -']);
    expect(odd[0]?.message).to.match(/^v1\.0, old: /);
  });

  it('are listed in part when they are many', async () => {
    const names = Array.from({ length: 14 }, (_, n) => `old${n}`);
    expect((await check(GOOD, { tags: tagged(...names) }))[0]?.message).to.include('old9 and 4 more: ');
  });
});
