import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder, stageLogFile } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { buildInChild, type ServedSite, serveInChild } from './bench/children.js';
import { openPage } from './bench/long-log.js';
import { temporaryFolder, writeRun } from './testing/fixtures.js';

const MB = 1_000_000;
const LINE = '2026-11-21T08:00:00.000Z waiting: app 0/1, db 1/1; connection refused on port 8080\n';
const LINES_PER_MB = Math.ceil(MB / LINE.length);

describe('a log of 200 MB', () => {
  const folder = temporaryFolder('huge-log');
  const [stateDir, siteDir] = [join(folder.path, 'state'), join(folder.path, 'site')];
  const lines = 200 * LINES_PER_MB;
  let run: string;
  let site: ServedSite;
  let builtWithMb: number;

  before(async () => {
    ({ run } = await writeRun(stateDir));
    const log = stageLogFile(runFolder(stateDir, run), 'install');
    mkdirSync(join(log, '..'), { recursive: true });
    const file = openSync(log, 'w');
    for (let n = 0; n < 200; n++) writeSync(file, LINE.repeat(LINES_PER_MB));
    closeSync(file);
    expect(statSync(log).size).to.be.greaterThan(200 * MB);
    const { memoryMb, full } = await buildInChild({ stateDir, siteDir, recipes: 1, runs: 0, more: 0 });
    expect(full.problems).to.deep.equal([]);
    builtWithMb = memoryMb.all;
    site = await serveInChild({ stateDir, siteDir });
  });
  after(async () => {
    await site?.close();
    await folder.remove();
  });

  const lookUp = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${site.url}/runs/${run}/${path}`, { headers });
    expect(response.status, path).to.be.oneOf([200, 206]);
    return response;
  };

  it('is published without being in memory', () => {
    expect(builtWithMb).to.be.lessThan(160);
  });

  it('has a page that shows its end, and pages of all of its lines', async () => {
    expect((await openPage(site.url, `/runs/${run}/`)).bytes).to.be.lessThan(100_000);
    expect(await (await lookUp('')).text()).to.contain(`id="install-L${lines}"`);
    const middle = Math.floor(lines / 2_000);
    const page = await (await lookUp(`logs/install/${middle}/`)).text();
    expect(page)
      .to.contain(`id="L${middle * 1_000}"`)
      .and.not.to.contain(`id="L${middle * 1_000 + 1}"`);
  });

  it('is downloaded whole, packed or not, and in parts, by a server that holds little of it', async () => {
    const size = lines * LINE.length;
    for (const encoding of ['identity', 'gzip']) {
      const { body } = await lookUp('logs/install.log', { 'accept-encoding': encoding });
      let bytes = 0;
      for await (const chunk of body ?? []) bytes += chunk.length;
      expect(bytes, encoding).to.equal(size);
    }
    const from = size - 2 * LINE.length;
    const part = await lookUp('logs/install.log', { range: `bytes=${from}-` });
    expect(await part.text()).to.equal(LINE.repeat(2));
    expect(site.peakMb()).to.be.lessThan(200);
  }).timeout(120_000);
});
