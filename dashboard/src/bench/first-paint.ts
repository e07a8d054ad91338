import { until } from '@cc-ci/core/testing';
import { type CDPSession, chromium } from '@playwright/test';
import { chromiumPath } from '../testing/browser-checks.js';
import { openPlainTab } from './plain-tab.js';

/** How many times slower than this machine's the processor is made. */
const SLOWDOWN = 4;
const ROUNDS = 9;

/** Looks one after the other, some 10 ms apart, at which the browser has not worked when it counts as at rest. */
const CALM_LOOKS = 10;

/**
 * Milliseconds from asking for a page to the first of its content on the screen, as Chromium itself tells it, in a new tab
 * that is at rest, with nothing in its cache and a processor slowed down; one value each round.
 */
export async function measureFirstPaint(addresses: readonly string[]): Promise<Record<string, number[]>> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  try {
    const session = await browser.newBrowserCDPSession();
    // The browser's own start is not the page's.
    await firstPaint(session, addresses[0] ?? 'about:blank');
    const paints: Record<string, number[]> = {};
    for (const address of addresses) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await firstPaint(session, address));
      paints[new URL(address).pathname] = times;
    }
    return paints;
  } finally {
    await browser.close();
  }
}

/** Resolves when there is one; looked for among those that were before, too. */
const FIRST_PAINT = `new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const [entry] = list.getEntriesByName('first-contentful-paint');
    if (entry) resolve(entry.startTime);
  }).observe({ type: 'paint', buffered: true });
})`;

async function firstPaint(browser: CDPSession, address: string): Promise<number> {
  const tab = await openPlainTab(browser, { width: 1280, height: 900 });
  try {
    await tab.send('Page.enable');
    // Nor is the start of a tab: people have one open.
    await atRest(browser);
    // Behind that, for a processor is slowed down by keeping it busy.
    await tab.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
    const loaded = tab.told('Page.loadEventFired');
    const { errorText } = (await tab.send('Page.navigate', { url: address })) as { errorText?: string };
    if (errorText !== undefined) throw new Error(`${address}: ${errorText}`);
    // Asked when all is there: a question takes time of the page's own thread.
    await loaded;
    const question = { expression: FIRST_PAINT, awaitPromise: true, returnByValue: true };
    const { result } = (await tab.send('Runtime.evaluate', question)) as { result: { value: number } };
    return result.value;
  } finally {
    await tab.close();
  }
}

/** Waits until the browser's processes have nothing left to do. */
async function atRest(browser: CDPSession): Promise<void> {
  let before = Number.NaN;
  let calm = 0;
  await until(async () => {
    const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
    // The browser's own process works to answer this.
    const others = processInfo.filter(({ type }) => type !== 'browser');
    const now = others.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    calm = now === before ? calm + 1 : 0;
    before = now;
    return calm >= CALM_LOOKS;
  });
}
