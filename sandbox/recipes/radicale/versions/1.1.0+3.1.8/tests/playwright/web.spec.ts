import { expect, test } from '@cc-ci/runner/harness/playwright';

test('the web interface greets and asks who is there', async ({ page, app }) => {
  await page.goto('/');
  await expect(page).toHaveURL(`${app.url}/.web/`);
  await expect(page).toHaveTitle(/Radicale/);
  await expect(page.getByPlaceholder('Username')).toBeVisible();
  await expect(page.getByPlaceholder('Password')).toHaveAttribute('type', 'password');
});

test('whoever signs in sees their own collections', async ({ page, app }) => {
  await page.goto('/.web/');
  await page.getByPlaceholder('Username').fill('admin');
  await page.getByPlaceholder('Password').fill(app.secrets.admin_password ?? '');
  await page.getByRole('button', { name: 'Next' }).click();
  await expect(page.getByRole('heading', { name: 'Collections' })).toBeVisible();
});
