import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, loadConfig, runFolder, stageLogFile } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import type { Build, EngineReader } from '@cc-ci/engine';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Dashboard, oneAtATime, startDashboard } from './start.js';
import { readerOf, someBuild, someRequest, temporaryFolder, writeRun } from './testing/fixtures.js';

/** Milliseconds in which only the watch can have told: everything is looked at every 5,000 ms. */
const FROM_THE_WATCH_MS = 2_000;

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

describe('the dashboard', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let stateDir: string;
  let builds: Build[];
  let dashboard: Dashboard | undefined;
  beforeEach(() => {
    folder = temporaryFolder('dashboard');
    stateDir = join(folder.path, 'state');
    builds = [];
  });
  afterEach(async () => {
    await dashboard?.stop();
    dashboard = undefined;
    await folder.remove();
  });

  async function start(engine: EngineReader = readerOf(builds)): Promise<Dashboard> {
    const env = { CC_CI_STATE_DIR: stateDir, CC_CI_DASHBOARD_LISTEN: '127.0.0.1:0' };
    dashboard = await startDashboard(
      loadConfig(['common', 'dashboard', 'reports'], env),
      engine,
      createLogger('test', 'fatal'),
    );
    return dashboard;
  }
  const get = async (path: string) => {
    const response = await fetch(`${dashboard?.url}${path}`);
    return response.ok ? await response.text() : '';
  };
  const shows = (path: string, words: string) => until(async () => (await get(path)).includes(words));

  /** Milliseconds until a page has these words. */
  async function delayUntil(path: string, words: string): Promise<number> {
    const start = performance.now();
    await shows(path, words);
    return performance.now() - start;
  }

  it('shows runs that appear, go on, end and go, by itself', async () => {
    await start();
    expect(await get('/')).to.contain('Nothing has been tested yet');

    const request = someRequest();
    builds.push(someBuild('running', { request }));
    const stages = { install: { state: 'running', finishedAt: undefined }, teardown: undefined } as const;
    await writeRun(stateDir, { request, finishedAt: undefined, stages, logs: { prepare: 'one\n' } });
    const page = `/runs/${request.run}/`;
    await shows('/', 'install is running');
    const log = stageLogFile(runFolder(stateDir, request.run), 'install');
    const delays: number[] = [];
    for (const word of ['first words', 'second words', 'third words']) {
      await appendFile(log, `${word}\n`);
      delays.push(await delayUntil(page, word));
    }
    expect(median(delays)).to.be.lessThan(FROM_THE_WATCH_MS);
    await writeRun(stateDir, { request });
    await shows(page, 'install passed with 1 test');
    expect(await get(page)).not.to.contain('http-equiv="refresh"');

    builds.length = 0;
    await rm(runFolder(stateDir, request.run), { recursive: true });
    await until(async () => (await get(page)) === '');
    expect(await get('/')).to.contain('Nothing has been tested yet');
  });

  it('sees a record that is replaced again and again', async () => {
    const request = someRequest();
    builds.push(someBuild('running', { request }));
    const running = (step: string) =>
      writeRun(stateDir, {
        request,
        finishedAt: undefined,
        stages: { install: { state: 'running', finishedAt: undefined, notes: [step] }, teardown: undefined },
      });
    await running('step 0');
    await start();
    const delays: number[] = [];
    for (const step of ['step 1', 'step 2', 'step 3', 'step 4', 'step 5']) {
      await running(step);
      delays.push(await delayUntil(`/runs/${request.run}/`, step));
    }
    expect(median(delays)).to.be.lessThan(FROM_THE_WATCH_MS);
  });

  it('has the page of a queued run as soon as somebody asks for it', async () => {
    await start();
    const build = someBuild('queued');
    builds.push(build);
    expect(await get(`/runs/${build.id}/`)).to.contain('waiting in the queue');
  });

  it('keeps the old pages and says so when a generation fails, and recovers', async () => {
    const run = await writeRun(stateDir);
    let broken = false;
    const engine: EngineReader = {
      ...readerOf(builds),
      list: () => (broken ? Promise.reject(new Error('no engine')) : Promise.resolve(builds)),
    };
    const { rebuild, url } = await start(engine);
    const health = async () => (await fetch(`${url}/healthz`)).status;
    expect(await health()).to.equal(200);
    broken = true;
    expect(await rebuild().catch((error: Error) => error.message)).to.equal('no engine');
    expect(await health()).to.equal(503);
    expect(await get(`/runs/${run.run}/`)).to.contain('custom-html');
    broken = false;
    await rebuild();
    expect(await health()).to.equal(200);
  });
});

describe('work that runs one at a time', () => {
  it('never overlaps, and answers every call with a run begun after it', async () => {
    let active = 0;
    let most = 0;
    let begun = 0;
    const work = oneAtATime(async () => {
      begun += 1;
      const mine = begun;
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
      return mine;
    });
    const first = work();
    await Promise.resolve();
    await Promise.resolve();
    const later = [work(), work(), work()];
    expect(await first).to.equal(1);
    expect(await Promise.all(later)).to.deep.equal([2, 2, 2]);
    expect(most).to.equal(1);
  });

  it('goes on after a failure', async () => {
    let calls = 0;
    const work = oneAtATime(async () => {
      calls += 1;
      if (calls === 1) throw new Error('once');
      return calls;
    });
    expect(await work().catch((error: Error) => error.message)).to.equal('once');
    expect(await work()).to.equal(2);
    await work.idle();
  });
});
