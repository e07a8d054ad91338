import { type Browser, chromium } from '@playwright/test';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { chromiumPath } from '../testing/browser-checks.js';
import { openPlainTab } from './plain-tab.js';

describe('a tab that Playwright does not know', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  });
  after(() => browser.close());

  it('shows a page, of the size asked for, and says what the browser refuses', async () => {
    const session = await browser.newBrowserCDPSession();
    const tab = await openPlainTab(session, { width: 600, height: 400 });
    await tab.send('Page.enable');
    const loaded = tab.told('Page.loadEventFired');
    await tab.send('Page.navigate', { url: 'data:text/html,<title>there</title>' });
    await loaded;
    const ask = (expression: string) => tab.send('Runtime.evaluate', { expression, returnByValue: true });
    expect(await ask('`${document.title} ${innerWidth}`')).to.have.nested.property(
      'result.value',
      'there 600',
    );
    const refusal = await tab.send('No.such').catch((error: unknown) => error);
    expect(refusal).to.be.an('error').with.property('message').that.contains('No.such');
    await tab.close();
    expect(await session.send('Target.getTargets')).to.satisfy(
      ({ targetInfos }: { targetInfos: { url: string }[] }) =>
        targetInfos.every(({ url }) => !url.startsWith('data:')),
    );
  });
});
