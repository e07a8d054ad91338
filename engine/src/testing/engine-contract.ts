import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findMarked, newRunId, type TestRequest } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Build, type BuildState, type Engine, isFinal } from '../engine.js';

/** What a test tells the runner of its build to do; files in a folder that both can see. */
export interface Rig {
  engine: Engine;
  /** Closes the engine, which leaves its builds, and gives another one on the same state, changed in this. */
  reopen(change?: { buildTimeoutMs?: number }): Promise<Engine>;
  /** How many builds this engine runs at once. */
  capacity: number;
  /**
   * Folder in which a build's runner says `<run>.started`, with what it is to test in it, and ends when it sees
   * `<run>.exit` with an exit code.
   */
  folder: string;
  /** Lines that the engine itself writes into a log before the runner's first. Default: 0. */
  linesBefore?: number;
  dispose(): Promise<void>;
}

/**
 * The shell text of a runner that obeys a rig: one line of log, then waits to be told its exit code. Its arguments are
 * the run, the rig's folder, and the request's recipe, commit and source.
 */
export const OBEDIENT_RUNNER = `
trap 'echo "$1 torn down"; exit 2' TERM
echo "$1 began"; echo "$3 $4 $5" > "$2/$1.started.new"; mv "$2/$1.started.new" "$2/$1.started"
until [ -s "$2/$1.exit" ]; do sleep 0.02; done
echo "$1 ends"; exit "$(cat "$2/$1.exit")"`;

/** A request that names no real recipe. */
export function someRequest(recipe = 'custom-html'): TestRequest {
  return { run: newRunId(), recipe, ref: 'a'.repeat(40), src: 'http://forge.test/org/custom-html.git' };
}

/** What every engine must do, whatever runs its builds. */
export function engineContract(name: string, setup: () => Promise<Rig>): void {
  describe(`engine contract: ${name}`, () => {
    let rig: Rig;
    let engine: Engine;
    let linesBefore: number;

    beforeEach(async () => {
      rig = await setup();
      engine = rig.engine;
      linesBefore = rig.linesBefore ?? 0;
    });
    afterEach(() => rig.dispose());

    const finish = (build: { id: string }, code: number) =>
      writeFile(join(rig.folder, `${build.id}.exit`), `${code}`);
    const started = (build: { id: string }) => until(() => exists(join(rig.folder, `${build.id}.started`)));
    const ended = async (build: { id: string }): Promise<Build> => {
      await until(async () => isFinal((await engine.get(build.id))?.state ?? 'queued'));
      return (await engine.get(build.id)) ?? expect.fail('the build is gone');
    };
    const outcomes: [number, BuildState][] = [
      [0, 'success'],
      [1, 'failure'],
      [2, 'error'],
    ];

    for (const [code, state] of outcomes) {
      it(`calls exit code ${code} ${state}`, async () => {
        const build = await engine.start(someRequest());
        await finish(build, code);
        const end = await ended(build);
        expect(end.state).to.equal(state);
        expect(end.startedAt).to.be.a('string');
        expect(end.finishedAt).to.be.a('string');
      });
    }

    it('hands the request on to its runner', async () => {
      const request = someRequest('radicale');
      const build = await engine.start(request);
      await started(build);
      const told = await readFile(join(rig.folder, `${build.id}.started`), 'utf8');
      expect(told.trim().split(' ')).to.deep.equal([request.recipe, request.ref, request.src]);
      expect(build.request).to.deep.equal(request);
      await finish(build, 0);
      await ended(build);
    });

    it('ends a build that takes too long, and takes the next', async () => {
      engine = await rig.reopen({ buildTimeoutMs: 1_500 });
      const end = await ended(await engine.start(someRequest()));
      expect([end.state, end.reason]).to.deep.equal([
        'error',
        'the build took longer than 1.5 s and was ended',
      ]);
      engine = await rig.reopen();
      const next = await engine.start(someRequest());
      await finish(next, 0);
      expect((await ended(next)).state).to.equal('success');
    });

    it('is ready for work', () => engine.ready());

    it('starts a request once, however often it is asked', async () => {
      const request = someRequest();
      const first = await engine.start(request);
      await started(first);
      await engine.start(request);
      await finish(first, 0);
      await ended(first);
      await engine.start(request);
      expect((await engine.list()).map((build) => [build.id, build.state])).to.deep.equal([
        [request.run, 'success'],
      ]);
    });

    it('runs no more than its capacity and tells the place in the queue', async () => {
      const builds: Build[] = [];
      for (let i = 0; i < rig.capacity + 2; i++) builds.push(await engine.start(someRequest()));
      const active = builds.slice(0, rig.capacity);
      const waiting = builds.slice(rig.capacity);
      await Promise.all(active.map(started));
      const positions = await Promise.all(
        waiting.map(async (build) => (await engine.get(build.id))?.position),
      );
      expect(positions).to.deep.equal([1, 2]);
      await Promise.all(builds.map((build) => finish(build, 0)));
      for (const build of builds) expect((await ended(build)).state).to.equal('success');
    });

    it('cancels what is queued without starting it, and what runs', async () => {
      const running: Build[] = [];
      for (let i = 0; i < rig.capacity; i++) running.push(await engine.start(someRequest()));
      const queued = await engine.start(someRequest());
      const [first] = running;
      if (!first) throw new Error('capacity is 0');
      await started(first);
      await engine.cancel(queued.id, 'not wanted');
      expect(await ended(queued)).to.include({
        state: 'cancelled',
        reason: 'not wanted',
        startedAt: undefined,
      });
      await engine.cancel(first.id, 'stopped by alice');
      await engine.cancel(first.id, 'stopped by bob');
      expect(await ended(first)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
      await Promise.all(running.map((build) => finish(build, 0)));
      await Promise.all(running.map(ended));
      await engine.cancel(first.id, 'again');
      expect(await engine.get(first.id)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
    });

    it('leaves a build that has ended as it is, whoever wants it cancelled', async () => {
      const build = await engine.start(someRequest());
      await finish(build, 0);
      const end = await ended(build);
      await engine.cancel(build.id, 'too late');
      expect(await engine.get(build.id)).to.deep.equal(end);
    });

    it('goes on after a restart where it stood: what runs is followed, what waits waits for its turn', async () => {
      const running: Build[] = [];
      for (let i = 0; i < rig.capacity; i++) running.push(await engine.start(someRequest()));
      const queued = await engine.start(someRequest());
      await Promise.all(running.map(started));
      engine = await rig.reopen();
      expect((await engine.get(queued.id))?.state).to.equal('queued');
      for (const { id } of running) expect((await engine.get(id))?.state).to.equal('running');
      await Promise.all(running.map((build, i) => finish(build, i === 0 ? 1 : 0)));
      const ends = await Promise.all(running.map(ended));
      expect(ends.map(({ state }) => state)).to.deep.equal(
        running.map((_, i) => (i === 0 ? 'failure' : 'success')),
      );
      await finish(queued, 0);
      expect((await ended(queued)).state).to.equal('success');
      for (const { id } of [...running, queued]) {
        expect(await logOf(engine, id, linesBefore + 1)).to.deep.equal([`${id} began`, `${id} ends`]);
      }
    });

    it('keeps a wish to cancel over a restart', async () => {
      const build = await engine.start(someRequest());
      await started(build);
      await engine.cancel(build.id, 'stopped by alice');
      engine = await rig.reopen();
      expect(await ended(build)).to.include({ state: 'cancelled', reason: 'stopped by alice' });
    });

    it('gives the log live, from any line, to its end', async () => {
      const build = await engine.start(someRequest());
      const seen: string[] = [];
      let sawFirst: () => void = () => undefined;
      const first = new Promise<void>((resolve) => {
        sawFirst = resolve;
      });
      const following = (async () => {
        for await (const line of engine.logs(build.id, { follow: true })) {
          if (line.seq <= linesBefore) continue;
          seen.push(`${line.seq - linesBefore} ${line.text}`);
          sawFirst();
        }
      })();
      await first;
      expect(seen).to.deep.equal([`1 ${build.id} began`]);
      await finish(build, 0);
      await following;
      expect(seen).to.deep.equal([`1 ${build.id} began`, `2 ${build.id} ends`]);
      expect(await logOf(engine, build.id, linesBefore + 2)).to.deep.equal([`${build.id} ends`]);
    });

    it('knows nothing of a build it never had', async () => {
      expect(await engine.get('zzzzzzzz')).to.equal(undefined);
      expect(await logOf(engine, 'zzzzzzzz')).to.deep.equal([]);
      await engine.cancel('zzzzzzzz', 'no such build');
    });

    it('lists builds of one recipe, the newest first', async () => {
      const first = await engine.start(someRequest('radicale'));
      const other = await engine.start(someRequest('custom-html'));
      const second = await engine.start(someRequest('radicale'));
      const ids = (await engine.list({ recipe: 'radicale' })).map((build) => build.id);
      expect(ids).to.deep.equal([second.id, first.id]);
      expect((await engine.list({ limit: 1 })).map((build) => build.id)).to.deep.equal([second.id]);
      await Promise.all([first, other, second].map((build) => finish(build, 0)));
      await Promise.all([first, other, second].map(ended));
    });
  });
}

async function logOf(engine: Engine, id: string, from = 1): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of engine.logs(id, { from })) lines.push(line.text);
  return lines;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Waits until no process carries `name=value` in its environment. A supervisor writes down how a build ended before it
 * ends itself: it can be there for a moment after.
 */
export async function noneMarked(name: string, value: string): Promise<void> {
  await until(() => findMarked(name, value).length === 0);
}
