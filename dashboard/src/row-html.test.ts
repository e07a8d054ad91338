import { expect } from 'chai';
import { describe, it } from 'mocha';
import { historyRows, overviewRowHtml, rowGroupsHtml } from './row-html.js';
import type { RunRow } from './run-row.js';
import { STAGE_MARKS, STATUS_MARKS } from './words.js';

const EVIL = '"><script>';

const row: RunRow = {
  id: 'k3f9x2ab',
  recipe: undefined,
  href: '/runs/k3f9x2ab/',
  mark: STATUS_MARKS.red,
  sentence: EVIL,
  blame: 'recipe',
  level: undefined,
  cells: [
    { mark: STAGE_MARKS.failed, hint: undefined, href: '/runs/k3f9x2ab/#install' },
    { mark: undefined, hint: undefined, href: undefined },
  ],
  pull: { text: '#12', href: `https://forge.example/${EVIL}` },
  commit: { text: '0a1b2c3d', href: undefined },
  who: EVIL,
  when: { iso: '2026-11-21T08:00:00.000Z', text: '21 Nov 2026, 08:00' },
  took: undefined,
};

describe('rows of tables', () => {
  it('say what is known, lead to what went wrong, and escape all of it', () => {
    const [html = ''] = historyRows([row]);
    expect(html).to.contain('<a class="code" href="/runs/k3f9x2ab/">k3f9x2ab</a>');
    expect(html).to.contain('<a class="mark cross" href="/runs/k3f9x2ab/#install">failed</a>');
    expect(html).to.contain('unknown').and.to.contain('<code>0a1b2c3d</code>');
    expect(html.match(/&quot;&gt;&lt;script&gt;/g)).to.have.length(3);
    expect(html).not.to.contain('<script').and.not.to.contain('undefined');
  });

  it('of a recipe without a result have as many columns', () => {
    const html = overviewRowHtml({
      name: 'gitea',
      href: '/recipes/gitea/',
      monogram: 'gi',
      hue: 3,
      version: undefined,
      state: 'untested',
      level: undefined,
      missing: undefined,
      latest: undefined,
      now: [{ mark: STATUS_MARKS.queued, href: undefined, text: EVIL }],
      spark: undefined,
    });
    expect(html).to.contain('colspan="7">no result yet').and.to.contain('data-active');
    expect(html.match(/<t[hd] /g)).to.have.length(4);
    expect(html).not.to.contain('<script').and.not.to.contain('undefined');
  });

  it('stand in groups', () => {
    const rows = Array.from({ length: 40 }, (_, n) => `<tr id="r${n}">`);
    const groups = rowGroupsHtml(rows, 15).split('<tbody').slice(1);
    expect(groups.map((group) => group.match(/<tr/g)?.length)).to.deep.equal([15, 15, 10]);
    expect(rowGroupsHtml([], 15)).to.equal('');
  });
});
