import { expect, test } from '@cc-ci/runner/harness/playwright';

test('a visitor reads the welcome page', async ({ page, app }) => {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));

  await page.goto('/');

  const title = app.env.SITE_TITLE ?? '';
  await expect(page).toHaveTitle(title);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
  await expect(page.getByText(app.domain)).toBeVisible();
  await expect(page.getByText(app.env.SITE_TEXT ?? '')).toBeVisible();
  expect(complaints).toEqual([]);
});
