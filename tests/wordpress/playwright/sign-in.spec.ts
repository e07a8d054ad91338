import { expect, test } from '@cc-ci/runner/harness/playwright';
import { admin, install, SITE_TITLE } from '../site.js';

test.beforeAll(install);

test('a visitor reads the site', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveTitle(SITE_TITLE);
  await page.getByRole('link', { name: 'Hello world!' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello world!');
  await expect(page.getByText('Welcome to WordPress.')).toBeVisible();
});

test('the administrator signs in and out', async ({ page }) => {
  await page.goto('/wp-login.php');
  await page.getByLabel('Username or Email Address').fill(admin.name);
  await page.getByLabel('Password', { exact: true }).fill(admin.password);
  await page.getByRole('button', { name: 'Log In' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible();

  await page.locator('#wp-admin-bar-my-account').hover();
  await page.locator('#wp-admin-bar-logout a').click();
  await expect(page.getByText('You are now logged out.')).toBeVisible();
});

test('a wrong password is told so', async ({ page }) => {
  await page.goto('/wp-login.php');
  await page.getByLabel('Username or Email Address').fill(admin.name);
  await page.getByLabel('Password', { exact: true }).fill('not-the-password');
  await page.getByRole('button', { name: 'Log In' }).click();
  await expect(page.locator('#login_error')).toContainText('is incorrect');
});
