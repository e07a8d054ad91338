/// <reference lib="dom" />
import { type Browser, chromium } from '@playwright/test';
import { chromiumPath } from '../testing/browser-checks.js';

/** How many times slower than this machine's the processor is made. */
const SLOWDOWN = 4;
const ROUNDS = 5;

/**
 * Milliseconds from asking for a page to the first of its content on the screen, as Chromium itself tells it, with
 * nothing in its cache and a processor slowed down; one value each round.
 */
export async function measureFirstPaint(addresses: readonly string[]): Promise<Record<string, number[]>> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  try {
    // The browser's own start is not the page's.
    await firstPaint(browser, addresses[0] ?? 'about:blank');
    const paints: Record<string, number[]> = {};
    for (const address of addresses) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await firstPaint(browser, address));
      paints[new URL(address).pathname] = times;
    }
    return paints;
  } finally {
    await browser.close();
  }
}

async function firstPaint(browser: Browser, address: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
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
