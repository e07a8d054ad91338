import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { StageContext } from '../context.js';
import { StageFailure } from '../failure.js';
import { testContext } from '../testing/context.js';
import { httpsApp } from '../testing/https-app.js';
import type { AppFacts } from './app-file.js';
import { runBrowserTests } from './run-tests.js';

const HEAD = `import { expect, test } from '@cc-ci/runner/harness/playwright';\n`;
const SPECS = 'tests/custom-html/playwright';

describe('browser tests', () => {
  let context: StageContext;
  let facts: AppFacts;
  let app: Awaited<ReturnType<typeof httpsApp>>;
  let dispose: () => Promise<void>;

  beforeEach(async () => {
    ({ context, dispose } = await testContext('install', { CC_CI_TEST_TIMEOUT: '60' }));
    let number = 0;
    app = await httpsApp(context.dir, ({ url }, response) => {
      if (url === '/number') return void response.end(String(++number));
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Hello</title><h1>Hello</h1>');
    });
    facts = app.facts;
  });
  afterEach(async () => {
    await app.stop();
    await dispose();
  });

  const planted = async (text: string) => {
    const folder = join(context.config.runner.testsDir, 'custom-html/playwright');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'hello.spec.ts'), HEAD + text);
  };
  const failing = async (generic: boolean): Promise<StageFailure> => {
    try {
      await runBrowserTests(context, facts, SPECS, { source: 'cc-ci', generic });
    } catch (error) {
      if (error instanceof StageFailure) return error;
      throw error;
    }
    return expect.fail('it passed');
  };
  const results = () => context.stage.record.tests.map(({ source, title, state }) => [source, title, state]);

  it('looks at the landing page of a recipe without specs', async () => {
    await runBrowserTests(context, facts, undefined, { source: 'cc-ci', generic: true });
    expect(results()).to.deep.include(['generic', 'the landing page opens in a browser', 'passed']);
    expect(new Set(results().map(([source]) => source))).to.deep.equal(new Set(['generic']));
    expect(context.stage.record.artifacts.map(({ kind }) => kind)).to.include('screenshot');
  });

  it('runs specs from wherever they lie, marked with whose they are, without looking at the landing page again', async () => {
    await planted(`test('greets', async ({ page, app }) => {
      await page.goto('/');
      expect(page.url()).toBe(app.url + '/');
      await expect(page).toHaveTitle('Hello');
    });`);
    await runBrowserTests(context, facts, SPECS, { source: 'cc-ci', generic: false });
    expect(results()).to.deep.equal([['cc-ci', 'greets', 'passed']]);
  });

  it('runs again what failed only because networks of the node changed, and in the end does not blame the recipe', async () => {
    const disturbed = (times: number) =>
      planted(`test('greets', async ({ page }) => {
        const number = Number(await (await page.goto('/number')).text());
        if (number <= ${times}) throw new Error('page.goto: net::ERR_NETWORK_CHANGED at https://app.test/');
      });`);
    await disturbed(2);
    await runBrowserTests(context, facts, SPECS, { source: 'cc-ci', generic: false });
    expect(results()).to.deep.equal([['cc-ci', 'greets', 'passed']]);
    expect(context.stage.record.notes).to.have.length(2);
    await disturbed(Number.POSITIVE_INFINITY);
    expect((await failing(false)).blame).to.equal('ci');
  });

  it('shows where a spec failed, and has looked at the landing page all the same', async () => {
    await planted(`test('greets', async ({ page }) => {
      await page.goto('/');
      expect(await page.title()).toBe('Goodbye');
    });`);
    const failure = await failing(true);
    expect(failure.blame).to.equal('recipe');
    expect(failure.message).to.equal('1 of 1 browser tests failed, first: greets');
    expect(failure.evidence.at(-1)).to.match(/^ +at tests\/custom-html\/playwright\/hello\.spec\.ts:4:/);
    expect(results()).to.deep.include(['generic', 'the landing page opens in a browser', 'passed']);
    expect(results().filter(([source]) => source !== 'generic')).to.deep.equal([
      ['cc-ci', 'greets', 'failed'],
    ]);
  });

  it('names a .only that was left in, a file that cannot be loaded, and a folder without tests', async () => {
    await planted(`test.only('one', () => undefined); test('other', () => undefined);`);
    const only = await failing(false);
    expect(only.blame).to.equal('tests');
    expect(only.message)
      .to.include("item focused with '.only' is not allowed")
      .and.to.include('hello.spec.ts');
    await planted(`import './not-there.js';`);
    expect((await failing(false)).message).to.match(/^browser tests could not be run: .*not-there/);
    await planted('');
    expect((await failing(false)).message).to.include('No tests found');
    expect(results()).to.deep.equal([]);
  });

  it('leaves no browser behind when specs are stopped', async () => {
    context.config.runner.testTimeout = 10;
    await planted(`test('hangs', async ({ page }) => {
      test.setTimeout(0);
      await page.goto('/');
      await new Promise(() => undefined);
    });`);
    const failure = await failing(false);
    expect(failure.blame).to.equal('tests');
    expect(failure.message).to.equal('browser tests did not end within 10 s and was stopped');
    // Chromium is told its profile's folder, which is the run's.
    const commands = (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map((name) => readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''));
    expect((await Promise.all(commands)).filter((it) => it.includes(context.dir))).to.deep.equal([]);
  });
});
