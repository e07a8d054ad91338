/// <reference lib="dom" />
import { until } from '@cc-ci/core/testing';
import { type Browser, type CDPSession, chromium } from '@playwright/test';
import { chromiumPath } from '../testing/browser-checks.js';

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
    const processes = await browser.newBrowserCDPSession();
    // The browser's own start is not the page's.
    await firstPaint(browser, processes, addresses[0] ?? 'about:blank');
    const paints: Record<string, number[]> = {};
    for (const address of addresses) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await firstPaint(browser, processes, address));
      paints[new URL(address).pathname] = times;
    }
    return paints;
  } finally {
    await browser.close();
  }
}

async function firstPaint(browser: Browser, processes: CDPSession, address: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    // Nor is the start of a tab: people have one open.
    await atRest(processes);
    // Behind that, for a processor is slowed down by keeping it busy.
    await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
    // Asked when all is there: a question takes time of the page's own thread.
    await page.goto(address, { waitUntil: 'load' });
    return await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const observer = new PerformanceObserver((list) => {
            const [entry] = list.getEntriesByName('first-contentful-paint');
            if (entry) resolve(entry.startTime);
          });
          observer.observe({ type: 'paint', buffered: true });
        }),
    );
  } finally {
    await context.close();
  }
}

/** Waits until the browser's processes have nothing left to do. */
async function atRest(processes: CDPSession): Promise<void> {
  let before = Number.NaN;
  let calm = 0;
  await until(async () => {
    const { processInfo } = await processes.send('SystemInfo.getProcessInfo');
    // The browser's own process works to answer this.
    const others = processInfo.filter(({ type }) => type !== 'browser');
    const now = others.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    calm = now === before ? calm + 1 : 0;
    before = now;
    return calm >= CALM_LOOKS;
  });
}
