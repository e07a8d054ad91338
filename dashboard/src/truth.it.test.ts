import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  judge,
  junitFile,
  junitXml,
  type RunRecord,
  readRun,
  runFolder,
  STAGES,
  stageLogFile,
  writeFileAtomic,
  writeJson,
  writeReport,
} from '@cc-ci/core';
import type { Build, BuildState } from '@cc-ci/engine';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createSiteCache } from './generation.js';
import { openIndexStore } from './index-store.js';
import { buildSite } from './site.js';
import { readerOf, someBuild, someRequest, temporaryFolder, writeRun } from './testing/fixtures.js';

/** The same numbers from 0 to 1 every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

describe('the site, compared with records and engine', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let stateDir: string;
  let siteDir: string;
  beforeEach(() => {
    folder = temporaryFolder('truth');
    stateDir = join(folder.path, 'state');
    siteDir = join(folder.path, 'site');
  });
  afterEach(() => folder.remove());
  const page = (...path: string[]) => readFile(join(siteDir, ...path), 'utf8');
  const api = async (run: string) =>
    JSON.parse(await page('api', 'runs', `${run}.json`)) as Record<string, unknown>;

  it('says the same after 100 random runs, in one process and in the next', async () => {
    const random = dice(7);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const builds: Build[] = [];
    const cache = createSiteCache(openIndexStore(stateDir, siteDir));
    const update = () => buildSite({ stateDir, siteDir, engine: readerOf(builds), cache });
    for (let number = 0; number < 100; number++) {
      const request = someRequest({ recipe: pick(['gitea', 'hedgedoc', 'keycloak']) });
      const state = pick<BuildState | undefined>([
        'queued',
        'running',
        'success',
        'failure',
        'error',
        'cancelled',
        'lost',
        undefined,
      ]);
      if (state) builds.unshift(someBuild(state, { request }));
      const recorded = state !== 'queued' && random() < 0.8;
      if (recorded) {
        const isOver = state !== 'running' && random() < 0.7;
        const broken = random() < 0.3;
        const failure = {
          blame: pick(['recipe', 'tests', 'ci'] as const),
          message: `it broke in run ${number}`,
          evidence: [],
        };
        await writeRun(stateDir, {
          request,
          ...(isOver ? {} : { finishedAt: undefined }),
          stages: broken ? { install: { state: 'failed', failure } } : {},
        });
      }
      if (random() < 0.2) await update();
      // What was queued or running when it was looked at goes on.
      const open = builds.find((build) => build.state === 'queued' || build.state === 'running');
      if (open && random() < 0.3)
        Object.assign(open, {
          state: pick(['success', 'cancelled', 'lost']),
          finishedAt: '2026-11-21T09:00:00.000Z',
          position: undefined,
        });
    }
    await update();
    cache.store?.close();
    const first = await Promise.all(builds.map((build) => api(build.id)));
    for (const [index, build] of builds.entries()) {
      const record = await readRun(runFolder(stateDir, build.id));
      expect(first[index]?.status, `run ${build.id}, ${build.state}`).to.satisfy((status: string) =>
        agrees(status, build, record),
      );
      expect(await page('runs', build.id, 'index.html')).to.contain(build.request.ref);
    }
    // The next process, told nothing but what is on the disk, has nothing to add.
    expect(await buildSite({ stateDir, siteDir, engine: readerOf(builds) })).to.include({ removed: 0 });
    expect(await Promise.all(builds.map((build) => api(build.id)))).to.deep.equal(first);
  });

  /** What may be said of a run: never better than the engine or the record does. */
  function agrees(status: string, { state }: Build, record: RunRecord | undefined): boolean {
    if (record?.summary) return status === record.summary.outcome.verdict;
    if (state === 'queued' || state === 'running')
      return status === state || (record !== undefined && status === 'running');
    if (state === 'lost' || state === 'cancelled') return status === state;
    if (state === 'success' && record) return status === 'green' || status === 'red' || status === 'error';
    return status === 'red' || status === 'error';
  }

  it('makes nothing again that is there, across processes, and everything that changed', async () => {
    const runs: string[] = [];
    for (let number = 0; number < 5; number++) runs.push((await writeRun(stateDir)).run);
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    const times = () =>
      Promise.all(runs.map(async (run) => (await stat(join(siteDir, 'runs', run, 'index.html'))).mtimeMs));
    const before = await times();
    expect(await buildSite({ stateDir, siteDir, engine: readerOf([]) })).to.include({
      written: 0,
      removed: 0,
    });
    const [changed = ''] = runs;
    const plan = join(runFolder(stateDir, changed), 'plan.json');
    await writeFile(
      plan,
      (await readFile(plan, 'utf8')).replace('"tools": {}', '"tools": { "abra": "9.9" }'),
    );
    const record = (await readRun(runFolder(stateDir, changed))) ?? expect.fail('no record');
    await writeReport({ ...record, summary: record.summary ?? expect.fail('no end') });
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    expect(await page('runs', changed, 'index.html')).to.contain('9.9');
    expect((await times()).slice(1)).to.deep.equal(before.slice(1));
  });

  it('makes the lists first and old pages later, when many are to be made', async () => {
    const runs: string[] = [];
    for (let number = 0; number < 12; number++) {
      const createdAt = new Date(Date.parse('2026-11-01T00:00:00Z') + number * 3_600_000).toISOString();
      runs.unshift((await writeRun(stateDir, { createdAt, finishedAt: createdAt })).run);
    }
    const cache = createSiteCache();
    // Later, for what was written a moment ago is looked at again.
    const now = () => Date.now() + 60_000;
    const update = (archiveMs: number) =>
      buildSite({ stateDir, siteDir, engine: readerOf([]), cache, archiveMs, now });
    expect(await update(0)).to.include({ runs: 12, backlog: 10 });
    expect((await page('recipes', 'custom-html', 'index.html')).match(/role="rowheader"/g)).to.have.length(
      12,
    );
    const [newest = '', , wanted = '', other = ''] = runs;
    expect(await page('runs', newest, 'index.html')).to.contain(newest);
    cache.wanted.add(wanted);
    expect(await update(0)).to.include({ backlog: 9 });
    expect(await page('runs', wanted, 'index.html')).to.contain(wanted);
    expect(await page('runs', other, 'index.html').catch(() => 'none')).to.equal('none');
    expect(await update(Number.POSITIVE_INFINITY)).to.include({ backlog: 0 });
    expect(await page('runs', other, 'index.html')).to.contain(other);
  });

  it('shows no secret: not of the app, not one that is known by its form, in no file', async () => {
    const secret = 'Zf9-kQ27+wVx/81';
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const text = `login with ${secret} at https://bot:${'hunter2hunter2'}@git.example.org, token ${token}`;
    const request = await writeRun(stateDir, {
      finishedAt: undefined,
      stages: {
        install: {
          state: 'failed',
          reason: text,
          notes: [text],
          failure: { blame: 'recipe', message: text, evidence: [text, encodeURIComponent(secret)] },
          artifacts: [
            { kind: 'log', path: 'console/a.txt', title: text },
            { kind: 'screenshot', path: 'screenshots/a.png', title: 'picture' },
            { kind: 'screenshot', path: 'screenshots/b.png', title: 'harmless' },
          ],
        },
      },
      logs: Object.fromEntries(
        STAGES.map((stage) => [
          stage,
          `${text}\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n`,
        ]),
      ),
      files: { 'console/a.txt': text, 'screenshots/a.png': `PNG ${secret}`, 'screenshots/b.png': 'PNG' },
    });
    const dir = runFolder(stateDir, request.run);
    await writeJson(join(dir, 'secrets.json'), { db: secret });
    const builds = [someBuild('running', { request, reason: text })];
    const cache = createSiteCache();
    const look = async (when: string, logs = ['logs/install.log']) => {
      await buildSite({ stateDir, siteDir, engine: readerOf(builds), cache });
      for (const path of [
        'index.html',
        `recipes/custom-html/index.html`,
        'feed.xml',
        'api/recipes.json',
        `runs/${request.run}/index.html`,
        `runs/${request.run}/report.json`,
        ...logs.map((name) => `runs/${request.run}/${name}`),
        `runs/${request.run}/files/console/a.txt`,
      ]) {
        const content = await page(path);
        for (const bad of [secret, encodeURIComponent(secret), token, 'hunter2hunter2', 'MIIEvQ'])
          expect(content, `${path} ${when}`).not.to.contain(bad);
      }
      expect(await page(`runs/${request.run}/files/screenshots/b.png`)).to.equal('PNG');
      expect(await page(`runs/${request.run}/files/screenshots/a.png`).catch(() => 'withheld')).to.equal(
        'withheld',
      );
    };
    await look('while it runs');
    await writeFileAtomic(stageLogFile(dir, 'install'), `${text}\n`.repeat(40_000));
    await look('with a log that was replaced by a long one');
    builds[0] = someBuild('failure', { request, reason: text });
    await look('when it has ended');
    await writeFileAtomic(stageLogFile(dir, 'install'), text);
    const record = (await readRun(dir)) ?? expect.fail('no record');
    const times = { startedAt: record.plan.createdAt, finishedAt: record.plan.createdAt };
    const ended = { ...record, summary: { run: request.run, ...times, outcome: judge(record.stages) } };
    await writeFileAtomic(junitFile(dir), junitXml(ended));
    await writeReport(ended);
    await look('when its runner has left a report', ['log.txt', 'junit.xml']);
  });
});
