import { createSiteCache } from '../generation.js';
import { buildSite } from '../site.js';
import { readerOf, someBuild, someRequest } from './fixtures.js';

/** Makes the site again and again, each time from nothing, until it is killed; one run never stops running. */
const [stateDir, siteDir, run] = process.argv.slice(2);
if (!stateDir || !siteDir || !run) throw new Error('usage: build-forever <state folder> <site folder> <run>');
const engine = readerOf([someBuild('running', { request: someRequest({ run }) })]);
for (let round = 0; ; round++) {
  const now = () => Date.parse('2026-11-21T08:00:00.000Z') + round * 1_000;
  await buildSite({ stateDir, siteDir, engine, cache: createSiteCache(), now });
  process.stdout.write(`${round}\n`);
}
