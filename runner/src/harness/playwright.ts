import { test as base } from '@playwright/test';
import { type AppFacts, readAppFacts } from '../recipe-tests/app-file.js';
import { recordConsole } from './console-log.js';

export { expect } from '@playwright/test';

/** What a browser test may know of the app. */
export type AppInBrowser = Pick<AppFacts, 'url' | 'domain' | 'stack' | 'recipe' | 'env' | 'secrets'>;

/**
 * Playwright's `test` with the app under test as fixture `app`; `page.goto('/')` opens its landing page.
 * Trace, screenshots and console are kept for every test, without the app's secrets where they are text. The browser
 * reaches the app's own name and names below it, nothing else.
 */
export const test = base.extend<{ app: AppInBrowser }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern to learn which fixtures are used
  app: async ({}, use) => {
    const { edge: _, ...facts } = readAppFacts();
    await use(facts);
  },
  context: async ({ context }, use, testInfo) => {
    const lines = recordConsole(context);
    await use(context);
    const text = lines().join('\n');
    if (text) await testInfo.attach('console.log', { body: `${text}\n`, contentType: 'text/plain' });
  },
});
