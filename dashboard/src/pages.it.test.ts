/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder, stageLogFile, writeFileAtomic } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import type { BrowserContextOptions, Page } from '@playwright/test';
import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import { pageFaults } from './testing/browser-checks.js';
import { someStage } from './testing/fixtures.js';
import { pagesOf, type SampleSite, startSampleSite } from './testing/sample-site.js';

describe('the pages in a browser', () => {
  let site: SampleSite;
  let page: Page | undefined;
  const problems: string[] = [];

  before(async () => {
    site = await startSampleSite();
  });
  after(() => site?.close());
  afterEach(async () => {
    await page?.context().close();
    page = undefined;
  });

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    problems.length = 0;
    const { url, browser } = site;
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on(
      'request',
      (request) => !request.url().startsWith(url) && problems.push(`asked ${request.url()}`),
    );
    await page.goto(url + path);
    return page;
  }

  for (const width of [360, 1280, 2560]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`can be used by everybody at ${width} px, ${colorScheme}`, async () => {
        for (const path of pagesOf(site)) {
          const it = await open(path, { viewport: { width, height: 900 }, colorScheme });
          expect(await pageFaults(it), path).to.deep.equal([]);
          expect(
            problems.filter((problem) => !(path === '/nope' && problem.includes('404'))),
            path,
          ).to.deep.equal([]);
          await it.context().close();
        }
      }).timeout(180_000);
    }
  }

  it('finds recipes by text, state and level, and says how many', async () => {
    const it = await open('/');
    const rows = it.locator('.rows > tr:visible');
    expect(await rows.count()).to.equal(12);
    await it.getByRole('searchbox').fill('matrix');
    expect(await rows.count()).to.equal(2);
    expect(await it.getByRole('status').textContent()).to.equal('2 recipes');
    await it.getByRole('searchbox').fill('');
    await it.getByRole('link', { name: /^Red/ }).click();
    expect(it.url(), 'no other page was opened').to.equal(`${site.url}/`);
    expect(await rows.count()).to.equal(Number(await it.locator('[data-value="red"] .muted').textContent()));
  });

  it('does the same by links without JavaScript, and refreshes itself', async () => {
    const it = await open('/', { javaScriptEnabled: false });
    expect(await it.locator('noscript meta[http-equiv=refresh]').count()).to.equal(1);
    expect(await it.getByRole('searchbox').isVisible()).to.equal(false);
    await it.getByRole('link', { name: /^Red/ }).click();
    expect(it.url()).to.equal(`${site.url}/state/red/`);
    expect(await it.locator('.rows > tr').count()).to.be.greaterThan(0);
    await it.locator('.rows > tr a').first().click();
    expect(it.url()).to.contain('/recipes/');
  });

  it('shows the lines of a running log as they come, and the next stage when it begins', async () => {
    const it = await open(`/runs/${site.sample.running}/`);
    const log = stageLogFile(runFolder(site.stateDir, site.sample.running), 'install');
    await appendFile(log, '2026-11-21T08:00:00.000Z a line that came <i>live</i>\n');
    await it.getByText('a line that came <i>live</i>').waitFor();
    expect(await it.locator('[id="install-L47"]').count()).to.equal(1);
    const running = someStage('upgrade', { state: 'running', finishedAt: undefined });
    await writeFileAtomic(join(site.sample.runningDir, 'stage-upgrade.json'), JSON.stringify(running));
    await appendFile(
      stageLogFile(site.sample.runningDir, 'upgrade'),
      '2026-11-21T08:00:00.000Z the upgrade begins\n',
    );
    await site.update();
    await it.getByText('the upgrade begins').waitFor({ state: 'attached' });
    expect(await it.locator('section#upgrade').count()).to.equal(1);
    expect(problems).to.deep.equal([]);
  });

  it('searches a log, and links to its lines', async () => {
    const it = await open(`/runs/${site.sample.green}/#install-L100`);
    await until(async () => it.locator('[id="install-L100"]').isVisible());
    const log = it.locator('.log[data-stage=install]');
    await log.getByRole('searchbox').fill('waiting: app');
    expect(await log.locator('.lines > div > div:visible').count()).to.equal(28);
    expect(await log.getByRole('status').textContent()).to.equal('28 lines');
  });

  it('runs nothing that a recipe, a test or a log brings along', async () => {
    const it = await open(`/runs/${site.evil}/`);
    expect(await it.title()).not.to.equal('owned');
    expect(await it.locator('main script, main img[src=x]').count()).to.equal(0);
    expect(problems).to.deep.equal([]);
  });

  it('is walked through by keyboard, beginning with a way past the head', async () => {
    const it = await open('/');
    await it.keyboard.press('Tab');
    expect(await it.locator(':focus').textContent()).to.equal('Skip to the content');
    await it.keyboard.press('Enter');
    expect(await it.evaluate(() => document.activeElement?.id)).to.equal('main');
    await it.keyboard.press('Tab');
    const outline = await it.locator(':focus').evaluate((element) => getComputedStyle(element).outlineStyle);
    expect(outline).to.equal('solid');
  });
});
