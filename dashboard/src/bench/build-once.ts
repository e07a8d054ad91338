import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { BROTLI_QUALITY } from '../compress.js';
import { createSiteCache, type SiteResult } from '../generation.js';
import { openIndexStore } from '../index-store.js';
import { buildSite } from '../site.js';
import { openBuilds } from './builds.js';
import { buildOf, writeOneRun } from './many-runs.js';

/** How often a site is built, and of how much. */
export interface BuildJob {
  stateDir: string;
  siteDir: string;
  recipes: number;
  /** Runs that are in the state folder already. */
  runs: number;
  /** Runs that come one by one after the first build. */
  more: number;
}

/** What one build took. */
export interface Timing {
  ms: number;
  cpuMs: number;
}

/** What the builds came to. */
export interface BuildReport {
  full: Timing & Pick<SiteResult, 'runs' | 'recipes' | 'written' | 'problems'>;
  incremental: Timing[];
  /** The highest that was resident in this process: after the first build, and in the end. */
  memoryMb: { full: number; all: number };
  /** Bytes as a browser gets them: the overview, its stylesheet and its script. */
  overview: { page: number; style: number; script: number };
}

/** Builds a site from nothing, then once more after each of some new runs. To be called in a process of its own. */
export async function buildOnce({ stateDir, siteDir, recipes, runs, more }: BuildJob): Promise<BuildReport> {
  const engine = openBuilds(stateDir);
  const store = openIndexStore(stateDir, siteDir);
  const cache = createSiteCache(store);
  const build = async () => {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const publicUrl = 'https://ci.example.org';
    const result = await buildSite({ stateDir, siteDir, engine, publicUrl, cache });
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - start, cpuMs: (user + system) / 1_000, result };
  };
  const highest = () => process.resourceUsage().maxRSS / 1_024;
  const { ms, cpuMs, result } = await build();
  const full = highest();
  const incremental: Timing[] = [];
  for (let n = runs; n < runs + more; n++) {
    writeOneRun(stateDir, n, recipes, runs);
    engine.add([buildOf(n, recipes, runs)]);
    const { ms, cpuMs } = await build();
    incremental.push({ ms, cpuMs });
  }
  store.close();
  engine.close();
  const packed = (name: string) =>
    brotliCompressSync(readFileSync(join(siteDir, name)), {
      params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
    }).length;
  const { runs: shown, recipes: listed, written, problems } = result;
  return {
    full: { ms, cpuMs, runs: shown, recipes: listed, written, problems },
    incremental,
    memoryMb: { full, all: highest() },
    overview: { page: packed('index.html'), style: packed('style.css'), script: packed('site.js') },
  };
}
