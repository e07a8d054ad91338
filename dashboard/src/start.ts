import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, directorySink, type Logger, readSecretFile, runFolder, summaryFile } from '@cc-ci/core';
import { type EngineReader, isFinal } from '@cc-ci/engine';
import { createSiteCache, type SiteResult } from './generation.js';
import { openIndexStore } from './index-store.js';
import type { LiveRuns } from './live-stream.js';
import { isActive } from './model.js';
import type { ReportReceiver } from './reports.js';
import { buildDashboardApp } from './serve.js';
import { buildSite } from './site.js';
import { watchRuns } from './watch.js';

/** A dashboard that is being served. */
export interface Dashboard {
  /** Where it listens. */
  url: string;
  /** Brings the site up to date now. @throws what `buildSite` throws; the old site stays */
  rebuild(): Promise<SiteResult>;
  stop(): Promise<void>;
}

/** Changes come in bursts; milliseconds from the first of one to the next generation. */
const SETTLE_MS = 200;
/** Spent in each generation on pages of old runs, when many are to be made: visitors wait no longer than that. */
const ARCHIVE_MS = 300;
/** For what no file tells of: the engine's queue, clocks of runs that go on, a watch that failed. In milliseconds. */
const LOOK_AGAIN_MS = 5_000;

/** The folder the pages are written to. */
export function siteFolder(config: Config<'common' | 'dashboard'>): string {
  return config.dashboard.siteDir ?? join(config.common.stateDir, 'site');
}

/**
 * Makes the site, serves it, and keeps it up to date: on changes of run records and, for everything else, every 5 s.
 * A generation that fails is logged and tried again; the site stays as it was.
 * @throws InputError when the site's folder holds something else; the address is in use
 */
export async function startDashboard(
  config: Config<'common' | 'dashboard' | 'reports'>,
  engine: EngineReader,
  logger: Logger,
): Promise<Dashboard> {
  const { stateDir, publicUrl } = config.common;
  const siteDir = siteFolder(config);
  const store = openIndexStore(stateDir, siteDir);
  const cache = createSiteCache(store);
  let builtAt: string | undefined;
  let ok = true;

  const rebuild = oneAtATime(async () => {
    try {
      const result = await buildSite({ stateDir, engine, siteDir, publicUrl, cache, archiveMs: ARCHIVE_MS });
      for (const problem of result.problems) logger.error(problem, 'a page could not be made');
      ok = result.problems.length === 0;
      builtAt = new Date().toISOString();
      return result;
    } catch (error) {
      ok = false;
      throw error;
    }
  });

  /** The record itself says best that a run is over; the engine, and what is known of it, where there is no end in it. */
  const live: LiveRuns = {
    dirOf(id) {
      const dir = runFolder(stateDir, id);
      return existsSync(dir) ? dir : undefined;
    },
    async isOver(id) {
      if (existsSync(summaryFile(runFolder(stateDir, id)))) return true;
      const build = await engine.get(id);
      if (build) return isFinal(build.state);
      const run = cache.model.runs.get(id);
      return run !== undefined && !isActive(run);
    },
  };

  const first = await rebuild();
  const app = await buildDashboardApp({
    siteDir,
    base: new URL(publicUrl).pathname.replace(/\/+$/, ''),
    live,
    async makeRun(id) {
      if (!cache.model.runs.has(id) && !(await engine.get(id))) return;
      cache.wanted.add(id);
      await rebuild();
    },
    health: () => ({ ok, builtAt }),
    ...receiverOf(config),
  });
  const { host, port } = config.dashboard.listen;
  const url = await app.listen({ host, port }).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });

  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const refresh = async () => {
    try {
      const { runningDirs, backlog } = await rebuild();
      if (!stopped && (watcher?.follow(runningDirs) || backlog > 0)) soon();
    } catch (error) {
      logger.error({ err: error }, 'the site could not be brought up to date; it stays as it was');
    }
  };
  function soon(): void {
    if (stopped) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void refresh();
    }, SETTLE_MS);
  }
  const watcher = await watchRuns(stateDir, soon).catch((error: unknown) => {
    logger.warn({ err: error }, 'run records cannot be watched; they are looked at every 5 s instead');
    return undefined;
  });
  if (watcher?.follow(first.runningDirs) || first.backlog > 0) soon();
  const clock = setInterval(() => void refresh(), LOOK_AGAIN_MS);
  logger.info({ url, siteDir, runs: first.runs, recipes: first.recipes }, 'dashboard is up');

  return {
    url,
    rebuild,
    async stop() {
      stopped = true;
      clearInterval(clock);
      clearTimeout(timer);
      watcher?.close();
      await app.close();
      await rebuild.idle();
      store.close();
    },
  };
}

/** Reports of other hosts go where those of this one are. @throws InputError when the token's file cannot be read */
function receiverOf({ common, reports }: Config<'common' | 'reports'>): { reports?: ReportReceiver } {
  if (reports.tokenFile === undefined) return {};
  const token = readSecretFile(reports.tokenFile, 'CC_CI_REPORT_TOKEN_FILE');
  return { reports: { token, sink: directorySink(common.stateDir) } };
}

/**
 * Work that never runs twice at once. A call made while it runs is answered by one more run after it, which every
 * such call shares: whoever calls gets a result that was begun after the call.
 */
export function oneAtATime<T>(work: () => Promise<T>): { (): Promise<T>; idle(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  const call = () => {
    next ??= running.then(() => {
      next = undefined;
      const result = work();
      running = result.catch(() => undefined);
      return result;
    });
    return next;
  };
  return Object.assign(call, {
    idle: async () => void (await (next ?? running).then(undefined, () => undefined)),
  });
}
