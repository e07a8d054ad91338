import type { Page, TestInfo } from '@playwright/test';
import { eventually } from '../eventually.js';
import { isBlank } from './picture.js';

/** How long the network may take to become quiet; some pages never are. In milliseconds. */
const QUIET_TIMEOUT_MS = 5_000;
/** How long to wait for something to be seen, in milliseconds. */
const PICTURE_TIMEOUT_MS = 10_000;
/** One picture, in milliseconds. */
const SHOT_TIMEOUT_MS = 5_000;

/** Waits until the page loads nothing more, or long enough. */
export async function settle(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle', { timeout: QUIET_TIMEOUT_MS }).catch(() => undefined);
}

/**
 * Attaches a picture of the settled page, as soon as there is something to be seen on it, or what there is after a
 * while. Never throws: that a picture could not be taken, or shows nothing, is an annotation of the test. Takes 20 s
 * at most.
 */
export async function attachPicture(page: Page, testInfo: TestInfo, name: string): Promise<void> {
  try {
    await settle(page);
    const { png, blank } = await takePicture(page);
    await testInfo.attach(name, { body: png, contentType: 'image/png' });
    if (blank) annotate(testInfo, `the picture "${name}" shows nothing but one colour`);
  } catch (error) {
    annotate(testInfo, `no picture "${name}": ${error instanceof Error ? error.message : error}`);
  }
}

async function takePicture(page: Page): Promise<{ png: Buffer; blank: boolean }> {
  let png: Buffer | undefined;
  const lookAgain = async () => {
    png = await page.screenshot({ fullPage: true, timeout: SHOT_TIMEOUT_MS });
    if (isBlank(png)) throw new Error('there is nothing to be seen yet');
    return { png, blank: false };
  };
  try {
    return await eventually(lookAgain, { timeoutMs: PICTURE_TIMEOUT_MS });
  } catch (error) {
    if (!png) throw error;
    return { png, blank: isBlank(png) };
  }
}

/** In Playwright's own report, and in the stage's log. */
function annotate(testInfo: TestInfo, description: string): void {
  testInfo.annotations.push({ type: 'picture', description });
  console.warn(description);
}

/**
 * Collects, from now on, the stylesheets and scripts that do not load, each as a line.
 * @param isOwn whether a URL is the app's; others are nobody's fault here
 */
export function collectBrokenAssets(page: Page, isOwn: (url: URL) => boolean): readonly string[] {
  const broken: string[] = [];
  const isAsset = (type: string, url: string) =>
    (type === 'stylesheet' || type === 'script') && isOwn(new URL(url));
  page.on('response', (response) => {
    if (response.status() < 400 || !isAsset(response.request().resourceType(), response.url())) return;
    broken.push(`${response.url()} answers HTTP ${response.status()}`);
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? 'no answer';
    // Nobody waits for it any more: the page went somewhere else meanwhile.
    if (why === 'net::ERR_ABORTED' || !isAsset(request.resourceType(), request.url())) return;
    broken.push(`${request.url()}: ${why}`);
  });
  return broken;
}
