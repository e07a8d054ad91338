import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { hmacSha256 } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { request } from 'undici';
import { selfCommand } from '../runner-process.js';
import { type NotifySocket, openNotifySocket } from '../testing/notify-socket.js';
import { type WatchedForge, watchForge } from '../testing/watched-forge.js';
import { examineAll } from './doctor.js';
import { runnerEnvironment } from './services.js';

describe('cc-ci bridge as a unit of systemd', () => {
  let forge: WatchedForge;
  let socket: NotifySocket;
  let bridge: ChildProcess | undefined;
  let log = '';
  beforeEach(async () => {
    forge = await watchForge();
    socket = await openNotifySocket();
    log = '';
  });
  afterEach(async () => {
    if (bridge?.exitCode === null) {
      bridge.kill('SIGKILL');
      await once(bridge, 'exit');
    }
    await socket.close();
    await forge.close();
  });

  it('says when it is up, lives while it does, takes deliveries, and says when it ends', async () => {
    const [file = '', ...args] = selfCommand('bridge');
    const env = { ...forge.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '400000' };
    bridge = spawn(file, args, { env, stdio: ['ignore', 'inherit', 'pipe'] });
    bridge.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log += chunk;
    });
    await socket.heard('READY=1');
    await socket.heard('WATCHDOG=1', 2);
    const url = `http://${forge.env.CC_CI_BRIDGE_LISTEN}`;
    expect((await request(`${url}/readyz`)).statusCode).to.equal(200);

    const user = { id: 77, login: 'alice' };
    const now = new Date().toISOString();
    const body = JSON.stringify({
      action: 'created',
      is_pull: true,
      issue: { number: 1 },
      comment: { id: 9_001, body: 'looks good', user, created_at: now, updated_at: now },
      repository: { full_name: 'coop-cloud/custom-html' },
    });
    const headers = {
      'content-type': 'application/json',
      'x-gitea-event-type': 'pull_request_comment',
      'x-gitea-signature': hmacSha256(body, forge.hookSecret),
    };
    const answer = await request(`${url}/hook`, { method: 'POST', headers, body });
    expect([answer.statusCode, await answer.body.json()]).to.deep.equal([202, { kept: 9_001 }]);
    const metrics = await (await request(`${url}/metrics`)).body.text();
    expect(metrics).to.include('cc_ci_comments_total{decision="no-command",via="webhook"} 1\n');
    expect(metrics).to.include('cc_ci_builds{state="queued"} 0\n');
    const said = (await examineAll(forge.env)).filter(({ part }) => part === 'bridge' || part === 'database');
    expect(said.map(({ state, part }) => [state, part])).to.deep.equal([
      ['ok', 'database'],
      ['ok', 'bridge'],
    ]);

    bridge.kill('SIGTERM');
    const [code] = await once(bridge, 'exit');
    expect(code).to.equal(0);
    expect(socket.messages.at(-1)).to.equal('STOPPING=1');
    expect(log).to.not.include(forge.hookSecret).and.not.include(forge.org.bot.token);
  });

  it('gives its runs neither its secrets nor its voice', () => {
    const env = {
      ...forge.env,
      NOTIFY_SOCKET: socket.path,
      WATCHDOG_USEC: '1',
      WATCHDOG_PID: '1',
    };
    expect(Object.keys(runnerEnvironment(env))).to.deep.equal([
      'PATH',
      'HOME',
      'CC_CI_STATE_DIR',
      'CC_CI_FORGE_URL',
      'CC_CI_ORG',
      'CC_CI_BRIDGE_LISTEN',
    ]);
  });
});
