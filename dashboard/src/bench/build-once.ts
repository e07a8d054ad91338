import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { createSiteCache } from '../generation.js';
import { openIndexStore } from '../index-store.js';
import { buildSite } from '../site.js';
import { readerOf } from '../testing/fixtures.js';
import { writeOneRun } from './many-runs.js';

// In a process of its own, so that its memory is only its own: builds a site, then once more after each of some new runs.
const [stateDir = '', siteDir = '', recipes = '300', runs = '20000', more = '9', archived = '0'] =
  process.argv.slice(2);
const url = 'https://ci.example.org';
const engine = readerOf([]);
const store = openIndexStore(stateDir, siteDir);
const cache = createSiteCache(store);
const build = async (archiveMs: number) => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await buildSite({ stateDir, siteDir, engine, publicUrl: url, cache, archiveMs });
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1_000, result };
};
// Lists and the newest runs: what there is to see. Pages of old runs are measured apart.
const full = await build(0);
const memoryMb = process.resourceUsage().maxRSS / 1_024;

const incremental: { ms: number; cpuMs: number }[] = [];
for (let n = 0; n < Number(more); n++) {
  writeOneRun(stateDir, Number(runs) + n, Number(recipes), Number(runs));
  const { ms, cpuMs } = await build(0);
  incremental.push({ ms, cpuMs });
}
const archive = Number(archived) > 0 ? await build(Number(archived) * 1_000) : undefined;
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
    archive: archive && {
      ms: archive.ms,
      cpuMs: archive.cpuMs,
      written: archive.result.written,
      left: archive.result.backlog,
    },
    memoryMb,
    maxRssMb: process.resourceUsage().maxRSS / 1_024,
    overview: { raw: overview.length, packed: packed(overview), packedAssets: assets.map(packed) },
  }),
);
