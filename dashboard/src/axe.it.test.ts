/// <reference lib="dom" />
import axe from 'axe-core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { pagesOf, type SampleSite, startSampleSite } from './testing/sample-site.js';

/** Colours do not depend on the width, nor the order of things on the colours: each once. */
const VIEWS = [
  { width: 360, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const;

describe('axe', () => {
  let site: SampleSite;
  before(async () => {
    site = await startSampleSite();
  });
  after(() => site?.close());

  for (const { width, colorScheme } of VIEWS) {
    it(`finds nothing on any page at ${width} px, ${colorScheme}`, async () => {
      const context = await site.browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      try {
        const page = await context.newPage();
        const found: { path: string; rule: string; at: string[] }[] = [];
        for (const path of pagesOf(site)) {
          await page.goto(site.url + path);
          await page.evaluate(() => {
            for (const details of document.querySelectorAll('details')) details.open = true;
          });
          // Past the page's Content-Security-Policy, which lets no script in but our own.
          await page.evaluate(axe.source);
          const { violations, passes } = await page.evaluate(() => axe.run());
          for (const { id, nodes } of violations)
            found.push({ path, rule: id, at: nodes.map(({ html }) => html) });
          expect(passes.length, `rules that looked at ${path}`).to.be.greaterThan(20);
        }
        expect(found).to.deep.equal([]);
      } finally {
        await context.close();
      }
    }).timeout(180_000);
  }

  it('finds what is wrong with a page', async () => {
    const page = await site.browser.newPage();
    try {
      await page.goto(site.url);
      await page.evaluate(() => document.querySelector('main')?.append(document.createElement('img')));
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => axe.run());
      expect(violations.map(({ id }) => id)).to.include('image-alt');
    } finally {
      await page.close();
    }
  });
});
