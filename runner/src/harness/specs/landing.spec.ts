import { expect, test } from '../playwright.js';

test('the landing page opens in a browser', async ({ page }, info) => {
  const response = await page.goto('/', { waitUntil: 'load' });
  expect(response?.status() ?? 0, 'HTTP status of the landing page').toBeLessThan(500);
  await page.locator('body').waitFor();
  await info.attach('landing page', {
    body: await page.screenshot({ fullPage: true }),
    contentType: 'image/png',
  });
});
