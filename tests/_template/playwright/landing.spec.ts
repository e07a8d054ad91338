import { expect, test } from '@cc-ci/runner/harness/playwright';

// Run after install.test.ts, in a real Chromium. '/' is the app; screenshots are kept with the run.
test('a visitor sees the landing page', async ({ page, app }) => {
  await page.goto('/');
  expect(new URL(page.url()).hostname).toBe(app.domain);
  await expect(page.locator('body')).toBeVisible();
});
