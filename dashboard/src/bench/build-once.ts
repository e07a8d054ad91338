import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { createSiteCache } from '../generation.js';
import { openIndexStore } from '../index-store.js';
import { buildSite } from '../site.js';
import { claimSite } from '../site-files.js';
import { readerOf } from '../testing/fixtures.js';
import { writeOneRun } from './many-runs.js';

// In a process of its own, so that its memory is only its own: builds a site, then once more after each of some new runs.
const [stateDir = '', siteDir = '', recipes = '300', runs = '20000', more = '9'] = process.argv.slice(2);
const url = 'https://ci.example.org';
const engine = readerOf([]);
claimSite(siteDir);
const store = openIndexStore(stateDir, siteDir);
const cache = createSiteCache(store);
const build = async () => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await buildSite({ stateDir, siteDir, engine, publicUrl: url, cache });
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1_000, result };
};
const full = await build();
const incremental: { ms: number; cpuMs: number }[] = [];
for (let n = 0; n < Number(more); n++) {
  writeOneRun(stateDir, Number(runs) + n, Number(recipes), Number(runs));
  const { ms, cpuMs } = await build();
  incremental.push({ ms, cpuMs });
}
const overview = readFileSync(join(siteDir, 'index.html'));
const assets = ['style.css', 'site.js'].map((name) => readFileSync(join(siteDir, name)));
const packed = (bytes: Buffer) => brotliCompressSync(bytes, { params: { 0: 0 } }).length;
store.close();
process.stdout.write(
  JSON.stringify({
    full: {
      ms: full.ms,
      cpuMs: full.cpuMs,
      problems: full.result.problems.slice(0, 5),
      runs: full.result.runs,
    },
    incremental,
    maxRssMb: process.resourceUsage().maxRSS / 1_024,
    overview: { raw: overview.length, packed: packed(overview), packedAssets: assets.map(packed) },
  }),
);
