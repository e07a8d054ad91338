import { mkdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { request } from 'undici';
import { type BridgeProcess, startBridgeProcess } from './testing/bridge-process.js';
import { type Conversation, converse } from './testing/conversation.js';
import { type PullScene, setPullScene } from './testing/pull-scene.js';

/** Room of the state folder's own file system, in megabytes: much more than the runs of a test need. */
const ROOM_MB = 16;

describe('a state folder that cannot be written', function () {
  this.timeout(240_000);
  let scene: PullScene;
  let talk: Conversation;
  let bridge: BridgeProcess | undefined;
  let env: NodeJS.ProcessEnv;
  let disk: string;
  let stateDir: string;
  let isMounted = false;

  beforeEach(async function () {
    scene = await setPullScene(3);
    talk = converse(scene);
    disk = join(scene.dir, 'disk');
    stateDir = join(disk, 'state');
    mkdirSync(disk);
    // A disk of its own is for root alone.
    if (process.getuid?.() !== 0) return this.skip();
    await run('mount', ['-t', 'tmpfs', '-o', `size=${ROOM_MB}m`, 'tmpfs', disk]);
    isMounted = true;
    env = {
      ...scene.env,
      CC_CI_STATE_DIR: stateDir,
      CC_CI_POLL_INTERVAL: '0.3',
      CC_CI_MENTION: 'always',
      CC_CI_LOG_LEVEL: 'warn',
      MAX_TESTS: '3',
    };
    bridge = await start();
  });
  afterEach(async () => {
    bridge?.kill('SIGKILL');
    await bridge?.gone;
    bridge = undefined;
    if (isMounted) await run('umount', [disk]);
    isMounted = false;
    await scene.close();
  });

  async function start(): Promise<BridgeProcess> {
    const started = startBridgeProcess(env, scene.dir);
    await started.ready;
    return started;
  }

  const filler = () => join(disk, 'filler');
  /** Fills what is left, to the last byte. */
  async function fill(): Promise<void> {
    const all = Buffer.alloc(ROOM_MB * 1024 * 1024);
    const failure = await writeFile(filler(), all).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(failure).to.equal('ENOSPC');
  }
  const free = () => rm(filler());

  async function databaseIs(state: 'well' | 'ill'): Promise<void> {
    await until(async () => {
      const answer = await request(`http://${env.CC_CI_BRIDGE_LISTEN}/readyz`);
      const { checks } = (await answer.body.json()) as { checks: { database: { ok: boolean } } };
      return checks.database.ok === (state === 'well');
    });
  }

  for (const killed of [false, true]) {
    it(`because it is full loses nothing and doubles nothing${killed ? ', though the bridge is killed' : ''}`, async () => {
      // Filled at several moments of the runs that are under way.
      for (let round = 0; round < 4; round++) {
        await Promise.all([talk.ask(), talk.ask()]);
        if (round % 2 === 0) await until(async () => (await talk.comments()).length > 0);
        await fill();
        await databaseIs('ill');
        await talk.ask();
        if (killed) {
          bridge?.kill('SIGKILL');
          await bridge?.gone;
          await free();
          bridge = await start();
        } else await free();
        await databaseIs('well');
      }
      await talk.settled();
      // A run whose own files found no room has failed of that, and its author was told.
      await talk.expectAllOnce(stateDir, ['green', 'error']);
    });
  }

  it('because it is read-only keeps the bridge from starting, with the reason, and loses nothing', async () => {
    await Promise.all([talk.ask(), talk.ask()]);
    bridge?.kill('SIGTERM');
    await bridge?.gone;
    // Builds outlive the bridge.
    await until(() =>
      run('mount', ['-o', 'remount,ro', disk]).then(
        () => true,
        () => undefined,
      ),
    );
    const vain = startBridgeProcess(env, scene.dir);
    expect(await vain.gone).to.equal(1);
    const log = await readFile(join(scene.dir, 'bridge.log'), 'utf8');
    expect(log).to.include(`${join(stateDir, 'engine.sqlite')} cannot be written`);
    await talk.ask();
    await run('mount', ['-o', 'remount,rw', disk]);
    bridge = await start();
    await talk.settled();
    await talk.expectAllOnce(stateDir, ['green']);
  });
});
