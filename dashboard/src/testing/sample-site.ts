import { join } from 'node:path';
import { type Browser, chromium } from '@playwright/test';
import { writeOneRun } from '../bench/many-runs.js';
import { createSiteCache, type SiteResult } from '../generation.js';
import { buildDashboardApp } from '../serve.js';
import { buildSite } from '../site.js';
import { chromiumPath } from './browser-checks.js';
import { readerOf, someRequest, someTest, temporaryFolder, writeRun } from './fixtures.js';
import { type SampleState, writeSampleState } from './sample-state.js';

/** A PNG of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const EVIL = '"><script>document.title = "owned"</script><img src=x onerror=alert(1)>';

/** The sample state as a site that is being served, and a browser to look at it with. */
export interface SampleSite {
  sample: SampleState;
  /** A run whose test, message and log are markup. */
  evil: string;
  stateDir: string;
  url: string;
  browser: Browser;
  /** Brings the pages up to date. */
  update(): Promise<SiteResult>;
  close(): Promise<void>;
}

export async function startSampleSite(): Promise<SampleSite> {
  const folder = temporaryFolder('pages');
  const [stateDir, siteDir] = [join(folder.path, 'state'), join(folder.path, 'site')];
  const cache = createSiteCache();
  const sample = await writeSampleState(stateDir, PIXEL);
  // So many of one recipe that its history has a second page.
  for (let number = 300; number < 400; number++) writeOneRun(stateDir, number, 1, 400);
  const { run: evil } = await writeRun(stateDir, {
    request: someRequest({ recipe: 'hedgedoc' }),
    stages: {
      install: {
        state: 'failed',
        tests: [someTest({ title: EVIL, state: 'failed', message: EVIL })],
        failure: { blame: 'tests', message: EVIL, evidence: [EVIL] },
      },
    },
    logs: { install: `${EVIL}\n` },
  });
  const update = () => buildSite({ stateDir, siteDir, engine: readerOf(sample.builds), cache });
  await update();
  const app = await buildDashboardApp({
    siteDir,
    live: {
      dirOf: (id) => (id === sample.running ? sample.runningDir : undefined),
      isOver: async () => false,
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  return {
    sample,
    evil,
    stateDir,
    url,
    browser,
    update,
    async close() {
      await browser.close();
      await app.close();
      await folder.remove();
    },
  };
}

/** Every kind of page there is, by its path. */
export function pagesOf({ sample, evil }: Pick<SampleSite, 'sample' | 'evil'>): string[] {
  const { running, failed, green, queued } = sample;
  return [
    '/',
    '/state/red/',
    '/state/active/',
    '/level/5/',
    '/recipes/gitea/',
    '/recipes/nextcloud/',
    '/recipes/nextcloud/history/1/',
    `/runs/${failed}/logs/install/2/`,
    '/nope',
    ...[running, failed, green, queued, evil].map((id) => `/runs/${id}/`),
  ];
}
