import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CcCiError, type Config, createLogger, InputError, loadConfig } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { request } from 'undici';
import { type StartedBridge, startBridge } from './start.js';
import { createFakeEngine, type FakeEngine } from './testing/fake-engine.js';
import { FAKE_TOKEN, type FakeForge, ORG, startFakeForge } from './testing/fake-forge.js';

const SHA = 'a'.repeat(40);

describe('the bridge as a service', () => {
  let folder: string;
  let forge: FakeForge;
  let engine: FakeEngine;
  let bridge: StartedBridge | undefined;
  let logged: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-bridge-'));
    await writeFile(join(folder, 'token'), `${FAKE_TOKEN}\n`);
    forge = await startFakeForge();
    engine = createFakeEngine();
    logged = [];
  });
  afterEach(async () => {
    await bridge?.stop();
    bridge = undefined;
    await forge.close();
    await rm(folder, { recursive: true });
    expect(logged.join()).to.not.include(FAKE_TOKEN);
  });

  const logger = () => createLogger('bridge', 'trace', { write: (line) => void logged.push(line) });
  const config = (env: Record<string, string> = {}): Config<'common' | 'bridge'> =>
    loadConfig(['common', 'bridge'], {
      CC_CI_STATE_DIR: join(folder, 'state'),
      CC_CI_PUBLIC_URL: 'https://ci.test/',
      CC_CI_FORGE_URL: forge.url,
      CC_CI_FORGE_TOKEN_FILE: join(folder, 'token'),
      CC_CI_ORG: ORG,
      CC_CI_POLL_INTERVAL: '0.1',
      CC_CI_BRIDGE_LISTEN: '127.0.0.1:0',
      ...env,
    });
  const start = async (env?: Record<string, string>) => {
    bridge = await startBridge(config(env), engine, logger());
    return bridge;
  };
  async function readyz(url: string) {
    const response = await request(`${url}/readyz`);
    const body = (await response.body.json()) as {
      checks: Record<'forge' | 'database' | 'engine', { ok: boolean; detail: string }>;
    };
    return { status: response.statusCode, ...body.checks };
  }
  async function readyWith(url: string, status: number) {
    for (;;) {
      const ready = await readyz(url);
      if (ready.status === status) return ready;
    }
  }

  it('starts from its configuration, works, says that it is ready, and stops', async () => {
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    const { url, stop } = await start();
    const ready = await readyz(url);
    expect(ready.status).to.equal(200);
    expect(ready.forge.detail).to.match(/^looked at 20\d\d-/);
    forge.comment(pull, 'alice', '!testme');
    const { run } = await engine.started.next();
    expect((await forge.messages.next()).body).to.include(`(https://ci.test/runs/${run}/)`);
    await stop();
    expect(await request(`${url}/healthz`).catch((error: Error) => error.message)).to.include('ECONNREFUSED');
    const asked = forge.requests.length;
    await start();
    expect(forge.requests.length).to.be.above(asked);
  });

  it('reads run records from its state folder', async () => {
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    await start();
    forge.comment(pull, 'alice', '!testme');
    const { run } = await engine.started.next();
    await forge.messages.next();
    await mkdir(join(folder, 'state', 'runs', run), { recursive: true });
    await writeFile(join(folder, 'state', 'runs', run, 'plan.json'), '{"torn');
    engine.change(run, { state: 'success' });
    const { body } = await forge.messages.next();
    expect(body).to.match(/^! \*\*error\*\*: `the run ended, but its record cannot be read`/);
    expect(body).to.include(`/runs/${run}/plan.json is not JSON`);
  });

  it('starts without a forge, says so, and finds it when it is there', async () => {
    forge.goDown();
    const { url } = await start();
    const ready = await readyz(url);
    expect(ready.status).to.equal(503);
    expect(ready.forge.ok).to.equal(false);
    expect(ready.forge.detail).to.include(`GET ${forge.url}/api/v1/user: `);
    expect([ready.database.ok, ready.engine.ok]).to.deep.equal([true, true]);
    forge.comeBack();
    expect((await readyWith(url, 200)).forge.ok).to.equal(true);
    expect(logged.join()).to.include('the forge answers again');
  });

  it('says what is wrong with a token the forge does not take', async () => {
    await writeFile(join(folder, 'token'), 'another-token');
    const { url } = await start();
    expect((await readyz(url)).forge.detail).to.match(/HTTP 401: .* \(is the access token still valid\?\)$/);
    expect(logged.join()).to.not.include('another-token');
  });

  it('tells where the bot may not set statuses', async () => {
    forge.readOnly.add('coop-cloud/custom-html');
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    const { url } = await start();
    forge.comment(pull, 'alice', '!testme');
    await engine.started.next();
    const ready = await readyz(url);
    expect(ready.status).to.equal(200);
    expect(ready.forge.detail).to.match(
      /; the bot may not set commit statuses in coop-cloud\/custom-html \(needs write\)$/,
    );
    const told = logged.filter((line) => line.includes('the bot may not set commit statuses here'));
    expect(told.map((line) => JSON.parse(line).level)).to.deep.equal([30]);
  });

  it('warns of a bot that is no member of the organisation', async () => {
    forge.members.delete('cc-ci-bot');
    await start();
    expect(logged.join()).to.include('the bot is no member of the organisation');
  });

  it('refuses to work beside another bridge on the same state folder, and leaves it alone', async () => {
    const { url } = await start();
    const second = await startBridge(config(), engine, logger()).catch((error: unknown) => error);
    expect(second).to.be.instanceOf(CcCiError);
    expect((second as CcCiError).message).to.include('another bridge is running on');
    expect((await readyz(url)).status).to.equal(200);
  });

  it('names what it cannot start with, and leaves nothing behind', async () => {
    const missing = { CC_CI_FORGE_TOKEN_FILE: join(folder, 'nowhere') };
    const failure = await start(missing).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(InputError);
    expect((failure as InputError).message).to.include('CC_CI_FORGE_TOKEN_FILE=');
    const { port } = new URL(forge.url);
    const taken = await start({ CC_CI_BRIDGE_LISTEN: `127.0.0.1:${port}` }).catch((error: Error) => error);
    expect((taken as Error).message).to.include('EADDRINUSE');
    await start();
  });
});
