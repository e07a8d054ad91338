import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CcCiError, isRunning, openStore } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ENGINE_MIGRATIONS, insertBuild, takeNextBuild } from './builds.js';
import { type Engine, type EngineReader, isFinal } from './engine.js';
import { buildFiles } from './job.js';
import { openEngineReader, openLocalEngine } from './local.js';
import { readClaim } from './supervision.js';
import { engineContract, noneMarked, someRequest } from './testing/engine-contract.js';
import { optionsFor } from './testing/engine-process.js';

engineContract('LocalEngine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-engine-'));
  let engine = openLocalEngine(optionsFor(folder));
  return {
    engine,
    async reopen(change) {
      await engine.close();
      engine = openLocalEngine({ ...optionsFor(folder), ...change });
      return engine;
    },
    capacity: 2,
    folder,
    async dispose() {
      await engine.close({ running: 'cancel' });
      await rm(folder, { recursive: true });
    },
  };
});

describe('LocalEngine', () => {
  let stateDir: string;
  let engine: Engine | undefined;

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-engine-'));
  });
  afterEach(async () => {
    await engine?.close({ running: 'cancel' });
    engine = undefined;
    await rm(stateDir, { recursive: true });
  });

  const endOf = async (id: string) => {
    await until(async () => isFinal((await engine?.get(id))?.state ?? 'queued'));
    return engine?.get(id);
  };
  const started = (id: string) => until(() => existsSync(join(stateDir, `${id}.started`)));
  const logOf = (id: string) => readFileSync(join(stateDir, 'builds', `${id}.log`), 'utf8');

  it('refuses to work beside another engine on the same state folder', () => {
    engine = openLocalEngine(optionsFor(stateDir));
    expect(() => openLocalEngine(optionsFor(stateDir))).to.throw(CcCiError, 'another engine is running');
  });

  it('ends a build that takes too long, and everything it started', async () => {
    const script = 'sleep 1000 & echo $! > "$2/grandchild"; wait';
    engine = openLocalEngine({ ...optionsFor(stateDir, script), buildTimeoutMs: 300 });
    const build = await engine.start(someRequest());
    const reason = 'the build took longer than 0.3 s and was ended';
    expect(await endOf(build.id)).to.include({ state: 'error', reason });
    expect(logOf(build.id)).to.equal(`${reason}\n`);
    const grandchild = Number(await readFile(join(stateDir, 'grandchild'), 'utf8'));
    await until(() => !alive(grandchild));
  });

  it('lets a build that is cancelled tear down, but not for ever', async () => {
    const stubborn = 'trap "" TERM; : > "$2/$1.started"; while :; do sleep 1; done';
    engine = openLocalEngine(optionsFor(stateDir));
    const polite = await engine.start(someRequest());
    await started(polite.id);
    await engine.cancel(polite.id, 'stopped by alice');
    expect((await engine.get(polite.id))?.state).to.equal('running');
    await endOf(polite.id);
    const log = logOf(polite.id);
    expect(log.startsWith(`${polite.id} began\n`), log).to.equal(true);
    expect(log.endsWith(`\n${polite.id} torn down\nstopped by alice\n`), log).to.equal(true);
    await engine.close();
    engine = openLocalEngine({ ...optionsFor(stateDir, stubborn), graceMs: 100 });
    const impolite = await engine.start(someRequest());
    await started(impolite.id);
    await engine.cancel(impolite.id, 'stopped by alice');
    expect((await endOf(impolite.id))?.state).to.equal('cancelled');
    await noneMarked('CC_CI_RUN', impolite.id);
  });

  it('cancels a build at any moment of its start, and starts it no more', async () => {
    engine = openLocalEngine(optionsFor(stateDir));
    for (const delayMs of [0, 10, 20, 30, 40, 50, 60, 70, 80]) {
      const build = await engine.start(someRequest());
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      await engine.cancel(build.id, 'changed my mind');
      expect(await endOf(build.id)).to.include({ state: 'cancelled', reason: 'changed my mind' });
      await noneMarked('CC_CI_RUN', build.id);
    }
  });

  it('says so when the runner dies or cannot be started', async () => {
    engine = openLocalEngine({ ...optionsFor(stateDir, 'kill -KILL $$'), maxTests: 1 });
    const killed = await engine.start(someRequest());
    expect((await endOf(killed.id))?.reason).to.include('was ended by SIGKILL');
    await engine.close();
    const strange = { file: '/no/such/runner', args: [], env: {}, cwd: stateDir };
    const commands = [
      [() => strange, '/no/such/runner'],
      [() => ({ ...strange, file: 'sh', cwd: '/no/such/folder' }), 'could not be started'],
      [() => ({ ...strange, args: ['x'.repeat(3_000_000)] }), 'E2BIG'],
      [
        () => {
          throw new Error('no such recipe');
        },
        'no such recipe',
      ],
    ] as const;
    for (const [command, words] of commands) {
      engine = openLocalEngine({ ...optionsFor(stateDir), command });
      const missing = await engine.start(someRequest());
      expect(await endOf(missing.id)).to.include({ state: 'error' });
      expect((await endOf(missing.id))?.reason).to.include(words);
      await engine.close();
    }
  });

  it('calls a build lost whose supervisor was killed, once its runner has torn down', async () => {
    engine = openLocalEngine(optionsFor(stateDir));
    const build = await engine.start(someRequest());
    await started(build.id);
    const claim = () => readClaim(buildFiles(stateDir, build.id).claim);
    await until(() => claim()?.runner !== undefined);
    const { supervisor, runner } = claim() ?? {};
    if (!supervisor || !runner) return expect.fail('nobody has claimed it');
    process.kill(supervisor.pid, 'SIGKILL');
    const end = await endOf(build.id);
    expect(isRunning(runner)).to.equal(false);
    expect(end?.state).to.equal('lost');
    expect(end?.reason).to.include('supervisor was killed').and.include('!testme');
    expect(logOf(build.id)).to.include(`${build.id} torn down\n`);
  });

  it('tells when a build has ended that was stopped by somebody else', async () => {
    engine = openLocalEngine(optionsFor(stateDir));
    const build = await engine.start(someRequest());
    await started(build.id);
    const { supervisor } = readClaim(buildFiles(stateDir, build.id).claim) ?? {};
    if (!supervisor) return expect.fail('nobody has claimed it');
    process.kill(supervisor.pid, 'SIGTERM');
    expect(await endOf(build.id)).to.include({
      state: 'cancelled',
      reason: 'the build was stopped by a signal to its supervisor',
    });
  });

  it('ends what runs when it is closed so, and keeps what waits', async () => {
    engine = openLocalEngine(optionsFor(stateDir));
    const [first, second, queued] = [someRequest(), someRequest(), someRequest()];
    for (const request of [first, second, queued]) await engine.start(request);
    await started(first.run);
    await engine.close({ running: 'cancel' });
    const reader = openEngineReader(stateDir);
    for (const { run } of [first, second]) {
      expect(await reader.get(run)).to.include({ state: 'cancelled', reason: 'the engine was shut down' });
      await noneMarked('CC_CI_RUN', run);
    }
    expect((await reader.get(queued.run))?.state).to.equal('queued');
    reader.close();
  });

  it('runs a build whose log cannot be written for a full disk', async () => {
    engine = openLocalEngine(optionsFor(stateDir, 'echo began; echo more || exit 1; exit 0'));
    const request = someRequest();
    symlinkSync('/dev/full', join(stateDir, 'builds', `${request.run}.log`));
    await engine.start(request);
    expect((await endOf(request.run))?.state).to.equal('failure');
  });

  it('tells how a build ended as soon as its database can be written again', async () => {
    engine = openLocalEngine(optionsFor(stateDir));
    const build = await engine.start(someRequest());
    const store = openStore(join(stateDir, 'engine.sqlite'), ENGINE_MIGRATIONS);
    store.exec(`CREATE TRIGGER disk_is_full BEFORE UPDATE ON builds BEGIN
      SELECT RAISE(ABORT, 'database or disk is full'); END`);
    await writeFile(join(stateDir, `${build.id}.exit`), '1');
    await until(() => existsSync(join(stateDir, 'builds', `${build.id}.end.json`)));
    const next = await engine.start(someRequest());
    expect((await engine.get(build.id))?.state).to.equal('running');
    store.exec('DROP TRIGGER disk_is_full');
    store.close();
    expect((await endOf(build.id))?.state).to.equal('failure');
    expect(logOf(build.id)).to.equal(`${build.id} began\n${build.id} ends\n`);
    await started(next.id);
  });

  it('starts every queued build even when each fails at once', async () => {
    const store = openStore(join(stateDir, 'engine.sqlite'), ENGINE_MIGRATIONS);
    const requests = Array.from({ length: 60 }, () => someRequest());
    store.transaction(() => {
      for (const request of requests) insertBuild(store, request);
    })();
    store.close();
    engine = openLocalEngine({
      ...optionsFor(stateDir),
      command: () => {
        throw new Error('no runner');
      },
    });
    const builds = await engine.list();
    expect(builds.map(({ state }) => state)).to.deep.equal(requests.map(() => 'error'));
  });

  it('can be read from another process, also before any engine ran and while one is replaced', async () => {
    const reader = openEngineReader(stateDir);
    expect(await reader.list()).to.deep.equal([]);
    engine = openLocalEngine(optionsFor(stateDir));
    const build = await engine.start(someRequest());
    const follow = async (whose: EngineReader, lines: string[]) => {
      for await (const { text } of whose.logs(build.id, { follow: true })) lines.push(text);
    };
    const seen: string[] = [];
    const seenByEngine: string[] = [];
    const following = follow(reader, seen);
    const followingEngine = follow(engine, seenByEngine);
    await until(() => seen.length === 1 && seenByEngine.length === 1);
    await engine.close();
    await followingEngine;
    await writeFile(join(stateDir, `${build.id}.exit`), '0');
    await until(() => seen.length === 2);
    expect((await reader.get(build.id))?.state).to.equal('running');
    engine = openLocalEngine(optionsFor(stateDir));
    await following;
    expect(seen).to.deep.equal([`${build.id} began`, `${build.id} ends`]);
    expect((await reader.get(build.id))?.state).to.equal('success');
    reader.close();
  });

  it('calls what ran under an engine without supervisors lost', async () => {
    const store = openStore(join(stateDir, 'engine.sqlite'), ENGINE_MIGRATIONS.slice(0, 1));
    const request = someRequest();
    insertBuild(store, request);
    takeNextBuild(store);
    store.close();
    engine = openLocalEngine(optionsFor(stateDir));
    const build = await engine.get(request.run);
    expect(build?.state).to.equal('lost');
    expect(build?.reason).to.include('!testme');
    expect(Date.parse(build?.finishedAt ?? '')).to.be.closeTo(Date.now(), 60_000);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
