import { fileURLToPath } from 'node:url';
import { defineConfig } from '@playwright/test';
import { readAppFacts } from '../recipe-tests/app-file.js';
import { BROWSER_VARIABLE, browserSettings, SPECS_VARIABLE } from '../recipe-tests/browser.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const browser = browserSettings.parse(JSON.parse(process.env[BROWSER_VARIABLE] ?? 'null'));
const facts = readAppFacts();
const specs = process.env[SPECS_VARIABLE];

export default defineConfig({
  outputDir: browser.outputDir,
  workers: 1,
  retries: 0,
  timeout: 60_000,
  reporter: [['list'], [here('./playwright-reporter.js')]],
  use: {
    baseURL: facts.url,
    // Holds whatever was typed and sent: the runner keeps it without the app's secrets, or not at all.
    trace: 'on',
    screenshot: { mode: 'on', fullPage: true },
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: browser.executable,
      args: browser.args,
      // Chromium refuses to sandbox for root.
      chromiumSandbox: process.getuid?.() !== 0,
    },
  },
  projects: [
    { name: 'generic', testDir: here('./specs'), testMatch: '*.spec.js' },
    ...(specs ? [{ name: 'cc-ci', testDir: specs, testMatch: '**/*.spec.{ts,js}' }] : []),
  ],
});
