import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, watch } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@cc-ci/core/testing';
import type { Build } from '@cc-ci/engine';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { writeManyRuns } from './bench/many-runs.js';
import { createSiteCache } from './generation.js';
import { OVERVIEWS } from './overview-page.js';
import { buildSite } from './site.js';
import { readerOf, someBuild, someRequest, temporaryFolder, writeRun } from './testing/fixtures.js';

const WHOLE = /^<!doctype html>[\s\S]*<\/html>\s*$/;

describe('the site while it is being made', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let stateDir: string;
  let siteDir: string;
  beforeEach(() => {
    folder = temporaryFolder('site-it');
    stateDir = join(folder.path, 'state');
    siteDir = join(folder.path, 'site');
  });
  afterEach(() => folder.remove());

  /** A run that never stops running: its page is another one in every generation. */
  async function runningRun(lines: number): Promise<Build> {
    const request = someRequest();
    const log = Array.from({ length: lines }, (_, n) => `2026-11-21T08:00:01.000Z line ${n}`).join('\n');
    const stages = { install: { state: 'running', finishedAt: undefined }, teardown: undefined } as const;
    await writeRun(stateDir, { request, finishedAt: undefined, stages, logs: { install: log } });
    return someBuild('running', { request });
  }

  it('never shows half a page to a reader', async () => {
    const build = await runningRun(2_000);
    const engine = readerOf([build]);
    const cache = createSiteCache();
    const generation = (number: number) =>
      buildSite({
        stateDir,
        siteDir,
        engine,
        cache,
        now: () => Date.parse('2026-11-21T08:00:00Z') + number * 1_000,
      });
    await generation(0);
    const seen = new Set<string>();
    let done = false;
    const reader = (async () => {
      while (!done) {
        for (const path of ['index.html', `runs/${build.id}/index.html`, 'recipes/custom-html/index.html']) {
          const html = await readFile(join(siteDir, path), 'utf8');
          expect(html, path).to.match(WHOLE);
          seen.add(html);
        }
      }
    })();
    for (let number = 1; number <= 50; number++) await generation(number);
    done = true;
    await reader;
    expect(seen.size, 'generations the reader saw').to.be.greaterThan(5);
  });

  it('is whole after its generator was killed in the middle of a page', async () => {
    const build = await runningRun(5_000);
    for (let number = 0; number < 5; number++) await writeRun(stateDir);
    await buildSite({ stateDir, siteDir, engine: readerOf([build]) });
    const program = fileURLToPath(new URL('./testing/build-forever.js', import.meta.url));
    for (let death = 0; death < 6; death++) {
      const child = spawn(process.execPath, [program, stateDir, siteDir, build.id], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      await once(child.stdout, 'data');
      const watcher = watch(join(siteDir, 'runs', build.id));
      await once(watcher, 'change');
      child.kill('SIGKILL');
      watcher.close();
      await ended;
      const pages = (await readdir(siteDir, { recursive: true })).filter((path) => path.endsWith('.html'));
      expect(pages).to.have.length(1 + OVERVIEWS.length + 6 + 1);
      for (const path of pages) expect(await readFile(join(siteDir, path), 'utf8'), path).to.match(WHOLE);
    }
  });

  it('is made whole by the next generator, whenever the one before was killed', async () => {
    const runs = 600;
    writeManyRuns({ stateDir, recipes: 5, runs });
    const ids = await readdir(join(stateDir, 'runs'));
    const program = fileURLToPath(new URL('./testing/build-forever.js', import.meta.url));
    for (let death = 0; death < 3; death++) {
      const child = spawn(process.execPath, [program, stateDir, siteDir, ids[0] ?? ''], { stdio: 'ignore' });
      const ended = once(child, 'exit');
      // From before the first page to behind the last: the threads write some hundred in the meantime.
      const wanted = Math.floor(Math.random() * runs);
      await until(() => foldersOf(join(siteDir, 'runs')).length >= wanted || child.exitCode !== null);
      child.kill('SIGKILL');
      await ended;
      // A page comes last in its folder: what was being made has none yet.
      const pages = foldersOf(join(siteDir, 'runs')).map((run) => join(siteDir, 'runs', run, 'index.html'));
      for (const path of pages.filter(existsSync)) expect(await readFile(path, 'utf8'), path).to.match(WHOLE);
      expect(pages.filter((path) => !existsSync(path)).length, 'folders without a page').to.be.at.most(
        2 * (death + 1),
      );
      if (death % 2 === 1) await rm(siteDir, { recursive: true });
    }
    const { problems } = await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    expect(problems).to.deep.equal([]);
    expect(foldersOf(join(siteDir, 'runs'))).to.have.members(ids);
    const files = await readdir(siteDir, { recursive: true });
    const pages = files.filter((path) => path.endsWith('.html'));
    expect(pages).to.have.length(1 + OVERVIEWS.length + runs + 5 + 5);
    for (const path of pages) expect(await readFile(join(siteDir, path), 'utf8'), path).to.match(WHOLE);
  }).timeout(120_000);
});

/** What is there to be seen. */
function foldersOf(path: string): string[] {
  return existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith('.')) : [];
}
