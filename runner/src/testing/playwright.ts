import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunResult, run, writeJson } from '@cc-ci/core';
import { APP_FILE_VARIABLE, type AppFacts, appFile } from '../recipe-tests/app-file.js';
import { BROWSER_VARIABLE, chromiumArgs, findChromium, SPECS_VARIABLE } from '../recipe-tests/browser.js';
import { type Attachment, RESULTS_VARIABLE } from '../recipe-tests/result-lines.js';

const TIMEOUT_MS = 180_000;
const cli = join(dirname(createRequire(import.meta.url).resolve('@playwright/test/package.json')), 'cli.js');
const config = fileURLToPath(new URL('../harness/playwright.config.js', import.meta.url));

/** One browser test as our reporter wrote it down. */
export interface BrowserTest {
  title: string;
  state: string;
  message?: string;
  attachments: Attachment[];
}

/** A folder for browser tests, in the package, so that specs find what they import. */
export async function browserFolder(): Promise<{ dir: string; dispose(): Promise<void> }> {
  const dir = await mkdtemp(fileURLToPath(new URL('../../.test-', import.meta.url)));
  return { dir, dispose: () => rm(dir, { recursive: true }) };
}

/** The facts of an app that a server on this machine stands in for. */
export function factsOf(port: number, change: Partial<AppFacts> = {}): AppFacts {
  return {
    recipe: 'custom-html',
    url: 'http://app.ci.test',
    domain: 'app.ci.test',
    stack: 'app_ci_test',
    env: {},
    secrets: {},
    edge: { address: { host: '127.0.0.1', port } },
    ...change,
  };
}

/**
 * Runs our Playwright configuration in a real Chromium.
 * @param spec text of a recipe's spec; without it there is only the generic one
 */
export async function runSpecs(
  dir: string,
  facts: AppFacts,
  spec?: string,
): Promise<{ tests: BrowserTest[]; output: string }> {
  const results = join(dir, 'results.jsonl');
  await rm(results, { force: true });
  await writeJson(appFile(dir), facts, 0o600);
  const specs = join(dir, 'specs');
  if (spec !== undefined) {
    await mkdir(specs, { recursive: true });
    await writeFile(join(specs, 'test.spec.ts'), spec);
  }
  const browser = {
    executable: await findChromium(undefined),
    args: await chromiumArgs(facts),
    outputDir: join(dir, 'browser'),
  };
  const { stdout, stderr } = await run(process.execPath, [cli, 'test', `--config=${config}`], {
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      [APP_FILE_VARIABLE]: appFile(dir),
      [RESULTS_VARIABLE]: results,
      [BROWSER_VARIABLE]: JSON.stringify(browser),
      ...(spec === undefined ? {} : { [SPECS_VARIABLE]: specs }),
    },
    timeoutMs: TIMEOUT_MS,
    okCodes: [0, 1],
  });
  const output = stdout + stderr;
  const text = await readFile(results, 'utf8').catch(() => '');
  if (!text) throw new Error(`no test was run: ${output}`);
  const lines = text.split('\n').filter((line) => line);
  const tests = lines
    .map(
      (line) => JSON.parse(line) as { test?: Omit<BrowserTest, 'attachments'>; attachments?: Attachment[] },
    )
    .flatMap(({ test, attachments = [] }) => (test ? [{ ...test, attachments }] : []));
  return { tests, output };
}

/** Playwright's own reader of traces, in a folder where it may unpack one. */
export function playwrightTrace(cwd: string, ...args: string[]): Promise<RunResult> {
  return run(process.execPath, [cli, 'trace', ...args], { cwd, timeoutMs: TIMEOUT_MS });
}
