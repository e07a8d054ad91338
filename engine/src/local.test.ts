import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CcCiError, killMarked } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Engine } from './engine.js';
import { openEngineReader, openLocalEngine } from './local.js';
import { engineContract, someRequest, until } from './testing/engine-contract.js';
import { optionsFor } from './testing/engine-process.js';

engineContract('LocalEngine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-engine-'));
  const engine = openLocalEngine(optionsFor(folder));
  return {
    engine,
    capacity: 2,
    folder,
    async dispose() {
      await engine.close();
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
    await engine?.close();
    engine = undefined;
    await rm(stateDir, { recursive: true });
  });

  const endOf = async (id: string) => {
    await until(async () => (await engine?.get(id))?.finishedAt !== undefined);
    return engine?.get(id);
  };

  it('refuses to work beside another engine on the same state folder', () => {
    engine = openLocalEngine(optionsFor(stateDir));
    expect(() => openLocalEngine(optionsFor(stateDir))).to.throw(CcCiError, 'another engine is running');
  });

  it('ends a build that takes too long, and everything it started', async () => {
    const script = 'sleep 1000 & echo $! > "$2/grandchild"; wait';
    engine = openLocalEngine({ ...optionsFor(stateDir, script), buildTimeoutMs: 300 });
    const build = await engine.start(someRequest());
    expect(await endOf(build.id)).to.include({
      state: 'error',
      reason: 'the build took longer than 0.3 s and was ended',
    });
    const grandchild = Number(await readFile(join(stateDir, 'grandchild'), 'utf8'));
    await until(() => !alive(grandchild));
  });

  it('after a SIGKILL runs what was queued and says of what ran that it is lost', async () => {
    const [first, second, queued] = [someRequest(), someRequest(), someRequest()];
    const program = fileURLToPath(new URL('./testing/engine-process.js', import.meta.url));
    const victim = spawn(process.execPath, [
      program,
      stateDir,
      ...[first, second, queued].map((it) => JSON.stringify(it)),
    ]);
    await once(victim.stdout, 'data'); // all three are in the database
    await until(
      () =>
        existsSync(join(stateDir, `${first.run}.started`)) &&
        existsSync(join(stateDir, `${second.run}.started`)),
    );
    victim.kill('SIGKILL');
    await once(victim, 'exit');
    for (const request of [first, second, queued])
      await writeFile(join(stateDir, `${request.run}.exit`), '0');
    engine = openLocalEngine(optionsFor(stateDir));
    expect(await endOf(queued.run)).to.include({ state: 'success' });
    for (const request of [first, second]) {
      const build = await endOf(request.run);
      expect(build?.state).to.equal('lost');
      expect(build?.reason).to.include('!testme');
      // A real runner notices that its engine is gone; these were told their exit code, and may have missed it.
      await killMarked('CC_CI_RUN', request.run);
    }
  });

  it('says so when the runner dies or cannot be started', async () => {
    engine = openLocalEngine({
      ...optionsFor(stateDir, 'kill -KILL $$'),
      maxTests: 1,
    });
    const killed = await engine.start(someRequest());
    expect((await endOf(killed.id))?.reason).to.include('was ended by SIGKILL');
    await engine.close();
    engine = openLocalEngine({
      ...optionsFor(stateDir),
      command: () => ({ file: '/no/such/runner', args: [], env: {}, cwd: stateDir }),
    });
    const missing = await engine.start(someRequest());
    expect(await endOf(missing.id)).to.include({ state: 'error' });
    expect((await endOf(missing.id))?.reason).to.include('/no/such/runner');
  });

  it('can be read from another process, also before any engine ran', async () => {
    const reader = openEngineReader(stateDir);
    expect(await reader.list()).to.deep.equal([]);
    engine = openLocalEngine(optionsFor(stateDir, 'exit 0'));
    const build = await engine.start(someRequest());
    await endOf(build.id);
    expect((await reader.get(build.id))?.state).to.equal('success');
    reader.close();
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
