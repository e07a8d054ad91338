import { type Browser, chromium, type Page } from '@playwright/test';
import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import { type AppServer, startServer } from '../testing/app-server.js';
import { factsOf } from '../testing/playwright.js';
import type { AppFacts } from './app-file.js';
import { chromiumArgs, findChromium } from './browser.js';

describe('the browser of a run, a real Chromium', () => {
  let own: AppServer;
  let other: AppServer;
  let browser: Browser | undefined;

  before(async () => {
    own = await startServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<title>own</title>');
    });
    other = await startServer((_, response) => {
      response.setHeader('access-control-allow-origin', '*').end('<title>other</title>');
    });
  });
  after(async () => {
    await own.close();
    await other.close();
  });
  afterEach(() => browser?.close());

  async function open(facts: Pick<AppFacts, 'domain' | 'edge'>): Promise<Page> {
    browser = await chromium.launch({
      executablePath: await findChromium(undefined),
      args: await chromiumArgs(facts),
      chromiumSandbox: process.getuid?.() !== 0,
    });
    return browser.newPage();
  }

  const titleOf = async (page: Page, url: string) => {
    await page.goto(url, { waitUntil: 'load' });
    return page.title();
  };
  /** In a page of its own: that of the error comes late, and would interrupt what is opened next. */
  async function why(url: string): Promise<string> {
    const page = await browser?.newPage();
    try {
      await page?.goto(url);
      return 'it was reached';
    } catch (error) {
      return (error as Error).message;
    }
  }

  it('reaches the app by its name and names below it, where the edge is', async () => {
    const page = await open(factsOf(own.port));
    expect(await titleOf(page, 'http://app.ci.test/')).to.equal('own');
    expect(await titleOf(page, 'http://login.app.ci.test/')).to.equal('own');
    expect(own.asked.map(({ host }) => host)).to.include.members(['app.ci.test', 'login.app.ci.test']);
  });

  it('reaches nobody else, by no name and no address', async () => {
    const page = await open(factsOf(own.port));
    for (const host of [
      'localhost',
      '127.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      'other.ci.test',
      'ci.test',
      'app.ci.test.evil.test',
    ])
      expect(await why(`http://${host}:${other.port}/`), host).to.include('ERR_NAME_NOT_RESOLVED');

    await page.goto('http://app.ci.test/');
    const asked = await page.evaluate(async (port) => {
      const fetched = await fetch(`http://127.0.0.1:${port}/fetched`).then(
        () => 'reached',
        () => 'not reached',
      );
      const socket = await new Promise((resolve) => {
        const it = new WebSocket(`ws://127.0.0.1:${port}/socket`);
        it.onopen = () => resolve('reached');
        it.onerror = () => resolve('not reached');
      });
      return [fetched, socket];
    }, other.port);
    expect(asked).to.deep.equal(['not reached', 'not reached']);
    expect(other.asked).to.deep.equal([]);
  });

  it('reaches the app by DNS where no address is given for the edge, and still nobody else', async () => {
    const page = await open({ domain: 'localhost', edge: {} });
    expect(await titleOf(page, `http://localhost:${own.port}/`)).to.equal('own');
    expect(await titleOf(page, `http://sub.localhost:${own.port}/`)).to.equal('own');
    expect(await why(`http://127.0.0.1:${other.port}/`)).to.include('ERR_NAME_NOT_RESOLVED');
    expect(other.asked).to.deep.equal([]);
  });

  it('could reach the other one otherwise', async () => {
    browser = await chromium.launch({
      executablePath: await findChromium(undefined),
      chromiumSandbox: process.getuid?.() !== 0,
    });
    expect(await titleOf(await browser.newPage(), `http://127.0.0.1:${other.port}/`)).to.equal('other');
  });
});
