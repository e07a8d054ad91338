import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSite } from '../site.js';
import { readerOf } from '../testing/fixtures.js';
import type { BuildReport } from './build-once.js';
import { buildInChild, type Program, serveInChild } from './children.js';
import { type Opened, openPage, writeLongLog } from './long-log.js';
import { buildOf, writeManyRuns } from './many-runs.js';
import { measureReaders, type ReadersReport, writeRunningLog } from './readers.js';

/** How large everything is. */
export interface DashboardScale {
  recipes: number;
  runs: number;
  /** Runs that come one by one after the first build. */
  more: number;
  logBytes: number;
  readers: number;
  /** Lines that are written while they read, ten a second. */
  lines: number;
}

export const FULL_DASHBOARD: DashboardScale = {
  recipes: 300,
  runs: 20_000,
  more: 20,
  logBytes: 20_000_000,
  readers: 500,
  lines: 100,
};

export interface DashboardReport {
  build: BuildReport;
  longLog: Opened & { logBytes: number };
  readers: ReadersReport;
  /** Milliseconds until the first content, by page, one each round. */
  firstPaint: Record<string, number[]>;
}

const LINE_EVERY_MS = 100;

/**
 * Builds a large site and a small one, serves both, and reads them as people do.
 * @param tell told what comes next
 * @param program what the measured processes run; by default one that does nothing else
 */
export async function measureSite(
  scale: DashboardScale,
  tell: (line: string) => void,
  program?: Program,
): Promise<DashboardReport> {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-dashboard-'));
  const large = { stateDir: join(folder, 'large'), siteDir: join(folder, 'large-site') };
  const small = { stateDir: join(folder, 'small'), siteDir: join(folder, 'small-site') };
  try {
    tell(`${scale.runs} runs of ${scale.recipes} recipes`);
    writeManyRuns({ ...large, recipes: scale.recipes, runs: scale.runs });
    // What it wrote must not be on its way to the disk while the site is made: runs end one by one.
    execFileSync('sync');
    const build = await buildInChild({ ...large, ...scale }, program);
    const ended = await writeLongLog(small.stateDir, scale.logBytes);
    const running = await writeRunningLog(small.stateDir);
    await buildSite({ ...small, engine: readerOf([]) });
    const [site, logs] = await Promise.all([serveInChild(large, program), serveInChild(small, program)]);
    try {
      tell(`a log of ${scale.logBytes} bytes`);
      const page = `/runs/${ended}/`;
      const longLog = { logBytes: scale.logBytes, ...(await openPage(logs.url, page)) };
      tell('first paints');
      // Here, for it brings Playwright along, which the measured processes are not to have in memory.
      const { measureFirstPaint } = await import('./first-paint.js');
      const { request } = buildOf(scale.runs - 1, scale.recipes, scale.runs);
      const pages = ['/', `/recipes/${request.recipe}/`, `/runs/${request.run}/`].map((it) => site.url + it);
      const firstPaint = await measureFirstPaint([...pages, logs.url + page]);
      tell(`${scale.readers} readers of one log`);
      const { readers: number, lines } = scale;
      const job = { stateDir: small.stateDir, url: logs.url, run: running, readers: number, lines };
      const readers = await measureReaders({ ...job, every: LINE_EVERY_MS });
      return { build, longLog, readers, firstPaint };
    } finally {
      await Promise.all([site.close(), logs.close()]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
