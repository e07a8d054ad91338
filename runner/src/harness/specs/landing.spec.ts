import { expect, test } from '../playwright.js';

test('the landing page opens in a browser', async ({ page }) => {
  const response = await page.goto('/', { waitUntil: 'load' });
  expect(response?.status(), 'HTTP status of the landing page').toBeLessThan(500);
  await page.locator('body').waitFor();
});
