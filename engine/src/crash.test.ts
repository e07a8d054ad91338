import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, type TestRequest } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { endLog } from './build-log.js';
import { cancelBuild, ENGINE_MIGRATIONS, insertBuild, takeNextBuild } from './builds.js';
import { type Engine, isFinal } from './engine.js';
import { buildFiles, buildsFolder, takeClaim } from './job.js';
import { openLocalEngine } from './local.js';
import { noneMarked, someRequest } from './testing/engine-contract.js';
import { type CrashPoint, optionsFor, startEngineProcess } from './testing/engine-process.js';

/** Says that it was started, each time it is, and lasts long enough to be met by a crash. */
const COUNTED = 'echo "$1 began"; echo started >> "$2/$1.starts"; sleep 0.1; echo "$1 ends"';
const RANDOM_KILLS = 30;

describe('an engine that is killed', () => {
  let stateDir: string;
  let engine: Engine | undefined;
  let requests: TestRequest[];

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-engine-'));
    await mkdir(buildsFolder(stateDir));
    requests = [];
  });
  afterEach(async () => {
    await engine?.close({ running: 'cancel' });
    engine = undefined;
    for (const { run } of requests) await noneMarked('CC_CI_RUN', run);
    await rm(stateDir, { recursive: true });
  });

  const some = (count: number) => {
    const made = Array.from({ length: count }, () => someRequest());
    requests.push(...made);
    return made;
  };
  const one = () => {
    const request = someRequest();
    requests.push(request);
    return request;
  };
  const reopen = (script = COUNTED) => {
    engine = openLocalEngine(optionsFor(stateDir, script));
  };
  const endOf = async (run: string) => {
    await until(async () => isFinal((await engine?.get(run))?.state ?? 'queued'));
    return engine?.get(run);
  };
  const starts = (run: string) => {
    const file = join(stateDir, `${run}.starts`);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
  const logOf = (run: string) => readFileSync(buildFiles(stateDir, run).log, 'utf8');

  async function expectEachRunOnce(): Promise<void> {
    for (const { run } of requests) {
      expect(await endOf(run)).to.include({ state: 'success', reason: undefined });
      expect(starts(run), run).to.equal(1);
      expect(logOf(run)).to.equal(`${run} began\n${run} ends\n`);
    }
  }

  /** Leaves the database as an engine does that was killed at some moment. */
  function leave(change: (store: Store) => void): void {
    const store = openStore(join(stateDir, 'engine.sqlite'), ENGINE_MIGRATIONS);
    change(store);
    store.close();
  }

  for (const crashAt of ['taken', 'build started', 'build ended'] as CrashPoint[]) {
    it(`at "${crashAt}" has its builds run once by the next one`, async () => {
      const victim = startEngineProcess({ stateDir, script: COUNTED, requests: some(3), crashAt });
      await victim.gone;
      // Not every request was taken in before it died: the bridge asks again.
      reopen();
      for (const request of requests) await engine?.start(request);
      await expectEachRunOnce();
    });
  }

  it('while builds run, has them go on and end as if nothing had happened', async () => {
    const [first, second, queued] = [one(), one(), one()];
    const script = `echo started >> "$2/$1.starts"; until [ -s "$2/$1.exit" ]; do sleep 0.02; done; exit "$(cat "$2/$1.exit")"`;
    const victim = startEngineProcess({ stateDir, script, requests: [...requests] });
    await victim.asked;
    await until(() => starts(first.run) + starts(second.run) === 2);
    victim.kill();
    await victim.gone;
    // One ends while there is no engine.
    await writeFile(join(stateDir, `${first.run}.exit`), '1');
    await until(() => existsSync(buildFiles(stateDir, first.run).end));
    const endedAt = Date.now();
    reopen(script);
    expect((await engine?.get(second.run))?.state).to.equal('running');
    const end = await endOf(first.run);
    expect(end?.state).to.equal('failure');
    expect(Date.parse(end?.finishedAt ?? '')).to.be.at.most(endedAt);
    await until(() => starts(queued.run) === 1);
    for (const { run } of [second, queued]) await writeFile(join(stateDir, `${run}.exit`), '0');
    expect((await endOf(second.run))?.state).to.equal('success');
    expect((await endOf(queued.run))?.state).to.equal('success');
    expect(requests.map(({ run }) => starts(run))).to.deep.equal([1, 1, 1]);
  });

  it('before it told a supervisor of a wish, has the next one tell it', async () => {
    const request = one();
    const script = 'echo started >> "$2/$1.starts"; trap "exit 2" TERM; while :; do sleep 0.02; done';
    const victim = startEngineProcess({ stateDir, script, requests: [request] });
    await until(() => starts(request.run) === 1);
    victim.kill();
    await victim.gone;
    leave((store) => cancelBuild(store, request.run, 'stopped by alice'));
    reopen(script);
    expect(await endOf(request.run)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
  });

  it('between taking a build and starting it, starts none that is not wanted any more', async () => {
    const [plain, taken] = [one(), one()];
    leave((store) => {
      for (const { run } of [insert(store, plain), insert(store, taken)]) {
        takeNextBuild(store);
        cancelBuild(store, run, 'stopped by alice');
      }
    });
    // The engine died once more, after it had taken this one so that nobody starts it.
    takeClaim(buildFiles(stateDir, taken.run).claim, {});
    reopen();
    for (const { run } of [plain, taken]) {
      expect(await endOf(run)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
      expect(starts(run)).to.equal(0);
    }
  });

  it('between starting a supervisor and its claim, has one of two run the build', async () => {
    for (let round = 0; round < 5; round++) {
      const victim = startEngineProcess({
        stateDir,
        script: COUNTED,
        requests: [one()],
        crashAt: 'build started',
      });
      await victim.gone;
      reopen();
      await expectEachRunOnce();
      await engine?.close();
    }
  });

  it('after it completed a log, completes it once', async () => {
    const request = one();
    const { log, claim } = buildFiles(stateDir, request.run);
    leave((store) => {
      insert(store, request);
      takeNextBuild(store);
    });
    takeClaim(claim, { supervisor: { pid: 4_000_000, startTime: '1', boot: 'another' } });
    await writeFile(log, 'half a li');
    const sentence = "the build's supervisor was killed; comment !testme to run it again";
    endLog(log, sentence);
    reopen();
    expect(await endOf(request.run)).to.include({ state: 'lost', reason: sentence });
    expect(logOf(request.run)).to.equal(`half a li\n${sentence}\n`);
  });

  it(`at ${RANDOM_KILLS} random moments runs each build once and says how each ended`, async () => {
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      const request = one();
      const victim = startEngineProcess({ stateDir, script: COUNTED, requests: [request] });
      // From before its database is opened to after its build has ended.
      const timer = setTimeout(victim.kill, 500 * Math.random() + (kill % 2 === 0 ? 200 : 0));
      if (kill % 3 === 0) await Promise.race([victim.asked, victim.gone]).then(victim.kill);
      await victim.gone;
      clearTimeout(timer);
    }
    reopen();
    for (const request of requests) await engine?.start(request);
    await expectEachRunOnce();
  });

  it('takes its builds with it where it was told to, and the next one says so', async () => {
    const request = one();
    const script =
      'trap "echo torn down; exit 2" TERM; echo started >> "$2/$1.starts"; while :; do sleep 0.02; done';
    const victim = startEngineProcess({ stateDir, script, requests: [request], withParent: true });
    await until(() => starts(request.run) === 1);
    victim.kill();
    await until(() => existsSync(buildFiles(stateDir, request.run).end));
    expect(logOf(request.run)).to.include('torn down\n');
    reopen(script);
    const end = await endOf(request.run);
    expect(end?.state).to.equal('lost');
    expect(end?.reason).to.include('the engine was gone').and.include('!testme');
  });
});

function insert(store: Store, request: TestRequest): TestRequest {
  insertBuild(store, request);
  return request;
}
