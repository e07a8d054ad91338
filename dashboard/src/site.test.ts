import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  InputError,
  openStore,
  planFile,
  reportFile,
  runFolder,
  runLogFile,
  type TestRequest,
} from '@cc-ci/core';
import type { Build } from '@cc-ci/engine';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createSiteCache } from './generation.js';
import { openIndexStore } from './index-store.js';
import { buildSite, type SiteOptions } from './site.js';
import { readerOf, someBuild, someRequest, someTest, temporaryFolder, writeRun } from './testing/fixtures.js';

const ROW_LINK = /<th role="rowheader" scope="row"><a class="code" href="\/runs\/([^/]+)\/"/g;

describe('the site', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let stateDir: string;
  let siteDir: string;
  let builds: Build[];
  beforeEach(() => {
    folder = temporaryFolder('site');
    stateDir = join(folder.path, 'state');
    siteDir = join(folder.path, 'site');
    builds = [];
  });
  afterEach(() => folder.remove());

  const build = (change: Partial<SiteOptions> = {}) =>
    buildSite({ stateDir, siteDir, engine: readerOf(builds), ...change });
  const page = (...path: string[]) => readFile(join(siteDir, ...path), 'utf8');
  const runPage = ({ run }: TestRequest) => page('runs', run, 'index.html');

  it('of nothing says how to begin', async () => {
    expect(await build()).to.include({ runs: 0, recipes: 0, broken: 0 });
    expect(await page('index.html')).to.contain('Nothing has been tested yet');
    expect(await page('404.html')).to.contain('There is no such page');
    expect(await page('robots.txt')).to.contain('User-agent');
  });

  it('shows a green run: stages, tests, screenshot, log, and how to run it again', async () => {
    const run = await writeRun(stateDir, {
      stages: {
        install: {
          phases: [
            {
              name: 'deploy',
              ours: false,
              startedAt: '2026-11-21T08:00:00.000Z',
              finishedAt: '2026-11-21T08:00:05.000Z',
            },
          ],
          artifacts: [
            { kind: 'screenshot', path: 'screenshots/install-1.png', title: 'front page' },
            { kind: 'screenshot', path: 'screenshots/install-2.png', title: 'gone page' },
          ],
        },
        prepare: {
          findings: [
            { rule: 'image-latest', severity: 'warning', message: 'pin <app>', where: 'compose.yml:5' },
          ],
        },
        upgrade: { state: 'structural-skip', reason: 'no version has been published yet' },
      },
      logs: { install: '2026-11-21T08:00:01.000Z $ abra app deploy\n2026-11-21T08:00:02.000Z up\n' },
      files: { 'screenshots/install-1.png': 'PNG' },
    });
    await build();
    const html = await runPage(run);
    expect(html).to.match(
      /warning[\s\S]*pin &lt;app&gt;[\s\S]*image-latest &middot; <code>compose.yml:5<\/code>/,
    );
    expect(html).to.contain(
      'install passed with 1 test; nothing to test: upgrade (no version has been published yet)',
    );
    expect(html).to.contain('health &rsaquo; answers over HTTPS');
    expect(html).to.contain('deploy <b>5.0 s</b>');
    expect(html).to.contain(`<img src="/runs/${run.run}/files/screenshots/install-1.png" alt="front page"`);
    expect(html).to.contain('The file is missing.');
    expect(html).to.contain('id="install-L2"');
    expect(html).to.contain('This recipe has nothing that could be tested here.');
    expect(html).to.contain(`npx cc-ci run custom-html --ref ${run.ref} --src ${run.src}`);
    expect(html).not.to.contain('http-equiv="refresh"');
    expect(await page('runs', run.run, 'files', 'screenshots', 'install-1.png')).to.equal('PNG');
    expect(await page('runs', run.run, 'log.txt')).to.contain('abra app deploy');
    const overview = await page('index.html');
    expect(overview).to.contain(`href="/runs/${run.run}/"`).and.to.contain('n/a').and.to.contain('alice');
    expect(await page('recipes', 'custom-html', 'index.html')).to.contain('1 run, 1 ended, 1 green');
  });

  it('shows a run of which only the parts are left as it shows any other', async () => {
    const run = await writeRun(stateDir, { logs: { install: 'up\n', backup: 'saved\n' } });
    await build();
    const [whole, report] = [await runPage(run), await page('runs', run.run, 'report.json')];
    const dir = runFolder(stateDir, run.run);
    await Promise.all([reportFile(dir), runLogFile(dir)].map((path) => rm(path)));
    await build();
    expect(await page('runs', run.run, 'logs', 'backup.log')).to.equal('saved\n');
    expect(await page('runs', run.run, 'junit.xml')).to.contain('<testsuite name="install"');
    expect(await readdir(join(siteDir, 'runs', run.run))).not.to.include('log.txt');
    const links = (html: string) =>
      html.replaceAll(/logs\/\w+\.log|log\.txt/g, 'log').replace(/<a [^>]*>log<\/a> /, '');
    expect(links(await runPage(run))).to.equal(links(whole));
    expect(JSON.parse(await page('runs', run.run, 'report.json'))).to.deep.equal({
      ...JSON.parse(report),
      logs: [],
    });
  });

  it('shows a red run: what happened, whose fault it is, and the lines that show it', async () => {
    const run = await writeRun(stateDir, {
      stages: {
        install: {
          state: 'failed',
          failure: { blame: 'recipe', message: 'db does not stay up', evidence: ['FATAL: wrong ownership'] },
          tests: [someTest({ state: 'failed', message: 'expected 502 to be 200' })],
        },
        upgrade: { state: 'not-run', reason: 'install did not pass' },
      },
    });
    await build();
    const html = await runPage(run);
    expect(html).to.contain('install: db does not stay up');
    expect(html).to.contain('Blame: <b>the recipe</b>');
    expect(html.match(/FATAL: wrong ownership/g)).to.have.length(1);
    expect(html).to.contain('expected 502 to be 200');
    expect(html).to.contain('install did not pass');
  });

  it('shows a run that goes on, refreshes itself, and follows it', async () => {
    const request = someRequest();
    await writeRun(stateDir, {
      request,
      finishedAt: undefined,
      stages: {
        install: { state: 'running', finishedAt: undefined },
        upgrade: undefined,
        teardown: undefined,
      },
      logs: { install: '2026-11-21T08:00:01.000Z first\n' },
    });
    builds = [someBuild('running', { request })];
    const cache = createSiteCache();
    const { runningDirs } = await build({ cache, now: () => Date.parse('2026-11-21T08:00:42.000Z') });
    expect(runningDirs).to.deep.equal([runFolder(stateDir, request.run)]);
    expect(await runPage(request))
      .to.contain('<meta http-equiv="refresh" content="2">')
      .and.to.contain('install is running')
      .and.to.contain('<dt>Running for</dt><dd>42 s</dd>')
      .and.to.contain('first');
    await writeFile(join(runFolder(stateDir, request.run), 'logs', 'install.log'), 'second\n', { flag: 'a' });
    await build({ cache });
    expect(await runPage(request))
      .to.contain('id="install-L2"')
      .and.to.contain('second');
    expect(await page('runs', request.run, 'logs', 'install.log')).to.contain('second');
  });

  it('shows builds that have no record as what they are', async () => {
    const queued = someBuild('queued', { position: 2 });
    const lost = someBuild('lost', { reason: 'the engine was restarted' });
    builds = [queued, lost];
    await build({ engine: readerOf(builds, { [lost.id]: ['prepare  fetch', '<b>boom</b>'] }) });
    expect(await runPage(queued.request)).to.contain('waiting in the queue at place 2');
    expect(await runPage(lost.request))
      .to.contain('the engine was restarted')
      .and.to.contain('&lt;b&gt;boom&lt;/b&gt;');
    expect(JSON.parse(await page('api', 'runs', `${queued.id}.json`))).to.include({
      status: 'queued',
      position: 2,
    });
  });

  it('shows broken records as broken, and everything else beside them', async () => {
    const whole = await writeRun(stateDir);
    const copyDamaged = await writeRun(stateDir);
    await writeFile(reportFile(runFolder(stateDir, copyDamaged.run)), '{ "schema": 2, "plan": <script>');
    const damaged = await writeRun(stateDir);
    await rm(reportFile(runFolder(stateDir, damaged.run)));
    await writeFile(join(runFolder(stateDir, damaged.run), 'stage-install.json'), '{ "stage": <script>');
    const renamed = join(stateDir, 'runs', 'copy of a run');
    await mkdir(renamed);
    await writeFile(
      join(renamed, 'plan.json'),
      await readFile(join(runFolder(stateDir, whole.run), 'plan.json')),
    );
    await mkdir(join(stateDir, 'runs', '<img src=x>'));
    const result = await build();
    expect(result).to.include({ runs: 5, broken: 3 });
    expect(result.problems).to.deep.equal([]);
    const overview = await page('index.html');
    expect(overview).to.contain('stage-install.json is not JSON');
    expect(overview).to.contain('&lt;img src=x&gt;').and.not.to.contain('<img src=x>');
    expect(overview).to.contain(`it holds the record of run ${whole.run}`);
    expect(overview).not.to.contain(folder.path);
    expect(await runPage(damaged))
      .to.contain('cannot be read')
      .and.to.contain('custom-html');
    expect(await readdir(join(siteDir, 'runs'))).to.have.members([whole.run, copyDamaged.run, damaged.run]);
  });

  it('escapes everything it was given', async () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>';
    const run = await writeRun(stateDir, {
      request: { src: 'https://forge.example/a\'b"<script>/x.git', origin: undefined },
      stages: {
        install: {
          state: 'failed',
          reason: evil,
          failure: { blame: 'tests', message: evil, evidence: [evil] },
          tests: [someTest({ suite: evil, title: evil, state: 'failed', message: evil })],
          notes: [evil],
          artifacts: [
            { kind: 'screenshot', path: 'screenshots/"><script>.png', title: evil },
            { kind: 'trace', path: 'x.zip', title: evil },
          ],
        },
        upgrade: { state: 'declared-skip', reason: evil },
      },
      plan: { overlays: [{ file: evil, why: evil }], tools: { [evil]: evil } },
      files: { 'screenshots/"><script>.png': 'x' },
      logs: { install: `2026-11-21T08:00:01.000Z ${evil}\n` },
    });
    await build();
    for (const html of [
      await runPage(run),
      await page('index.html'),
      await page('recipes', 'custom-html', 'index.html'),
    ]) {
      // The one script there is, is ours.
      const tags = html.replace(/"[^"]*"/g, '""').replace('<script type="" src=""></script>', '');
      expect(tags).not.to.match(/<script|<img src=x/i);
      expect(tags).not.to.match(/<[a-z][^>]*\s(?:on[a-z]+|style)=/i);
      expect(html).not.to.contain('javascript:');
    }
  });

  it('publishes only files of the run itself', async () => {
    await writeFile(join(folder.path, 'passwd'), 'root');
    const run = await writeRun(stateDir, {
      stages: {
        install: {
          artifacts: ['link.png', 'folder/passwd.txt', 'page.html', 'secrets.json'].map((path) => ({
            kind: 'screenshot',
            path,
            title: path,
          })),
        },
      },
      files: { 'page.html': '<script>', 'secrets.json': '{}' },
    });
    const dir = runFolder(stateDir, run.run);
    await writeFile(join(folder.path, 'passwd.txt'), 'root');
    await symlink(join(folder.path, 'passwd'), join(dir, 'link.png'));
    await symlink(folder.path, join(dir, 'folder'));
    await build();
    expect(existsSync(join(siteDir, 'runs', run.run, 'files'))).to.equal(false);
    expect((await runPage(run)).match(/The file is missing/g)).to.have.length(4);
  });

  it('writes only what changed, and deletes what is gone', async () => {
    const cache = createSiteCache();
    const kept = await writeRun(stateDir, { request: { recipe: 'kept' } });
    const gone = await writeRun(stateDir, { request: { recipe: 'gone' } });
    expect((await build({ cache })).written).to.be.greaterThan(8);
    const before = await stat(join(siteDir, 'runs', kept.run, 'index.html'));
    expect(await build({ cache })).to.include({ written: 0, removed: 0 });
    expect(await build(), 'a generator that remembers nothing').to.include({ written: 0, removed: 0 });
    await rm(runFolder(stateDir, gone.run), { recursive: true });
    expect(await build({ cache })).to.include({ runs: 1, removed: 3 });
    expect(await readdir(join(siteDir, 'runs'))).to.deep.equal([kept.run]);
    expect(await readdir(join(siteDir, 'recipes'))).to.deep.equal(['kept']);
    expect(await page('index.html')).not.to.contain('gone');
    expect((await stat(join(siteDir, 'runs', kept.run, 'index.html'))).mtimeMs).to.equal(before.mtimeMs);
    await rm(join(siteDir, 'runs', kept.run), { recursive: true });
    await build({ cache });
    expect(await runPage(kept), 'a page somebody deleted').to.contain('kept');
  });

  it('shows a run whose record went, or cannot be read any more, as the engine knows it', async () => {
    const cache = createSiteCache(openIndexStore(stateDir, siteDir));
    const [gone, damaged] = [someRequest({ recipe: 'gone' }), someRequest({ recipe: 'damaged' })];
    for (const request of [gone, damaged]) {
      await writeRun(stateDir, { request });
      builds.unshift(someBuild('success', { request }));
    }
    expect(await build({ cache })).to.include({ recipes: 2, broken: 0 });
    await rm(runFolder(stateDir, gone.run), { recursive: true });
    const dir = runFolder(stateDir, damaged.run);
    for (const path of [reportFile(dir), planFile(dir)]) await writeFile(path, '{');
    expect(await build({ cache })).to.include({ recipes: 2, broken: 1 });
    for (const { run, ref } of [gone, damaged]) expect(await page('runs', run, 'index.html')).to.contain(ref);
    expect(await page('recipes', 'gone', 'index.html')).to.contain(gone.run);
    cache.store?.close();
  });

  it('reads records again when another version of the generator has taken over what was remembered', async () => {
    const store = openIndexStore(stateDir, siteDir);
    const cache = createSiteCache(store);
    const old = await writeRun(stateDir, { request: { recipe: 'kept' } });
    await build({ cache });
    const other = openStore(join(stateDir, 'site.sqlite'), ['']);
    other.exec(`UPDATE facts SET facts = 'of another form', version = 'another'`);
    other.close();
    // What was asked for last is remembered; more than that is what this is about.
    for (let number = 0; number < 201; number++) await writeRun(stateDir, { request: { recipe: 'many' } });
    await writeRun(stateDir, { request: { recipe: 'kept' } });
    expect(await build({ cache })).to.include({ recipes: 2, broken: 0 });
    const row = new RegExp(`/runs/${old.run}/".*${old.ref.slice(0, 8)}`);
    expect(await page('recipes', 'kept', 'index.html')).to.match(row);
    store.close();
  });

  it('keeps a complete history of 500 runs', async () => {
    const start = Date.parse('2026-01-01T00:00:00.000Z');
    const runs: string[] = [];
    for (let number = 0; number < 500; number++) {
      const createdAt = new Date(start + number * 3_600_000).toISOString();
      runs.unshift((await writeRun(stateDir, { createdAt, finishedAt: createdAt })).run);
    }
    await build();
    const shownOn = async (...path: string[]) =>
      [...(await page('recipes', 'custom-html', ...path, 'index.html')).matchAll(ROW_LINK)].map(
        ([, id]) => id,
      );
    const older = await readdir(join(siteDir, 'recipes', 'custom-html', 'history'));
    const pages = [await shownOn()];
    for (let number = older.length; number > 0; number--)
      pages.push(await shownOn('history', String(number)));
    expect(pages.map((ids) => ids.length)).to.deep.equal(Array.from({ length: 10 }, () => 50));
    expect(pages.flat()).to.deep.equal(runs);
    expect(await readdir(join(siteDir, 'runs'))).to.have.members(runs);
  });

  it('leaves the old site when the engine does not answer', async () => {
    const run = await writeRun(stateDir);
    await build();
    await rm(runFolder(stateDir, run.run), { recursive: true });
    const engine = { ...readerOf([]), list: () => Promise.reject(new Error('no engine')) };
    const outcome = await build({ engine }).then(
      () => 'built',
      (error: Error) => error.message,
    );
    expect(outcome).to.equal('no engine');
    expect(await page('index.html')).to.contain(run.run);
  });

  it('links below the path of its public URL', async () => {
    const run = await writeRun(stateDir);
    await build({ publicUrl: 'https://example.org/ci/' });
    const html = await page('index.html');
    expect(html).to.contain(`href="/ci/runs/${run.run}/"`).and.to.contain('href="/ci/style.css?v=');
    expect(html).not.to.match(/(?:href|src)="\/(?!ci\/)/);
  });

  it('refuses a folder that holds something else', async () => {
    await mkdir(siteDir);
    await writeFile(join(siteDir, 'thesis.txt'), 'years of work');
    const refusal = await build().catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(InputError);
    expect(await readdir(siteDir)).to.deep.equal(['thesis.txt']);
  });

  it('sweeps what a killed generator left half-written, but not what another one just writes', async () => {
    await build();
    const [old, recent] = ['index.html.0a1b2c3d.tmp', 'index.html.0a1b2c3e.tmp'] as const;
    for (const name of [old, recent]) await writeFile(join(siteDir, name), 'half');
    await utimes(join(siteDir, old), 1_000, 1_000);
    await build();
    expect(await readdir(siteDir))
      .to.include(recent)
      .and.not.to.include(old);
  });
});
