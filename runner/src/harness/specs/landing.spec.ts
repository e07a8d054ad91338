import type { Page } from '@playwright/test';
import { attachPicture, collectBrokenAssets, settle } from '../landing.js';
import { expect, test } from '../playwright.js';

// The first test takes its own picture, when there is something to be seen.
test.use({ screenshot: 'off' });

/** Leaves time for a picture within the test's. In milliseconds. */
const LOAD_TIMEOUT_MS = 30_000;

test('the landing page opens in a browser', async ({ page }, testInfo) => {
  const problem = await open(page).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // Also of what did not open: it often shows why.
  await attachPicture(page, testInfo, 'landing page');
  if (problem) throw problem.error;
});

async function open(page: Page): Promise<void> {
  const response = await page.goto('/', { waitUntil: 'load', timeout: LOAD_TIMEOUT_MS });
  expect(response?.status(), 'HTTP status of the landing page').toBeLessThan(500);
  await page.locator('body').waitFor({ state: 'attached', timeout: 5_000 });
}

test("the landing page's stylesheets and scripts load", async ({ page, app }) => {
  const broken = collectBrokenAssets(page, ({ origin }) => origin === new URL(app.url).origin);
  await page.goto('/', { waitUntil: 'load', timeout: LOAD_TIMEOUT_MS });
  await settle(page);
  expect(broken, 'stylesheets and scripts that do not load').toEqual([]);
});
