import { test as base, expect } from '@cc-ci/runner/harness/playwright';

const test = base.extend<{ signIn: (password: string) => Promise<void> }>({
  signIn: async ({ page }, use) => {
    await use(async (password) => {
      await page.goto('/');
      await expect(page).toHaveURL(/\/\.web\//);
      await page.getByPlaceholder('Username').fill('admin');
      await page.getByPlaceholder('Password').fill(password);
      await page.getByRole('button', { name: 'Next' }).click();
    });
  },
});

test('the admin signs in, makes a calendar and takes it away again', async ({ page, app, signIn }) => {
  await signIn(app.secrets.admin_password ?? '');
  await expect(page.getByRole('heading', { name: 'Collections' })).toBeVisible();

  // One of its own, so that an earlier run on the same app cannot be taken for it.
  const title = `Garden work ${Date.now()}`;
  await page.getByRole('link', { name: 'Create new addressbook or calendar' }).click();
  const form = page.locator('#createcollectionscene');
  await form.locator('[data-name=displayname]').fill(title);
  await form.locator('[data-name=type]').selectOption('CALENDAR');
  await form.getByRole('button', { name: 'Create' }).click();

  const calendar = page.locator('#collectionsscene article').filter({ hasText: title });
  await expect(calendar.locator('[data-name=CALENDAR]')).toBeVisible();
  await expect(calendar.locator('[data-name=ADDRESSBOOK]')).toBeHidden();
  await expect(calendar.getByRole('link', { name: `${app.url}/admin/` })).toBeVisible();

  await calendar.getByRole('link', { name: 'Delete' }).click();
  await page.locator('#deletecollectionscene').getByRole('button', { name: 'Yes' }).click();
  await expect(page.getByRole('heading', { name: 'Collections' })).toBeVisible();
  await expect(calendar).toHaveCount(0);
});

test('a wrong password is told so and shows nothing', async ({ page, signIn }) => {
  await signIn('not-the-password');
  await expect(page.locator('#loginscene [data-name=error]')).not.toBeEmpty();
  await expect(page.getByRole('heading', { name: 'Collections' })).toBeHidden();
});
