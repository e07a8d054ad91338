import { createLogger } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { systemdUnit } from './systemd.js';
import { type NotifySocket, openNotifySocket } from './testing/notify-socket.js';

// With the real systemd-notify and a real socket; that systemd understands it is systemd's side.
describe('what systemd is told', () => {
  let socket: NotifySocket;
  let logged: string[];
  beforeEach(async () => {
    socket = await openNotifySocket();
    logged = [];
  });
  afterEach(() => socket.close());
  const logger = createLogger('test', 'info', { write: (line) => void logged.push(line) });
  const unit = (late: () => string[], env: NodeJS.ProcessEnv = {}) =>
    systemdUnit({ late, logger, env: { PATH: process.env.PATH, NOTIFY_SOCKET: socket.path, ...env } });

  it('is that the service is up, that it lives, and that it ends', async () => {
    const service = unit(() => [], { WATCHDOG_USEC: '100000', WATCHDOG_PID: String(process.pid) });
    await service.ready();
    await socket.heard('WATCHDOG=1', 3);
    await service.stopping();
    const { length } = socket.messages;
    expect(socket.messages[0]).to.equal('READY=1');
    expect(socket.messages.at(-1)).to.equal('STOPPING=1');
    expect(new Set(socket.messages.slice(1, -1))).to.deep.equal(new Set(['WATCHDOG=1']));
    await unit(() => []).stopping();
    expect(socket.messages.slice(length)).to.deep.equal(['STOPPING=1']);
    expect(logged).to.deep.equal([]);
  });

  it('is not that it lives while something hangs, and again when that is over', async () => {
    let late = ['the next look at the forge is overdue'];
    const service = unit(() => late, { WATCHDOG_USEC: '50000' });
    await service.ready();
    await until(() => logged.length >= 4);
    expect(socket.messages).to.deep.equal(['READY=1']);
    expect(JSON.parse(logged[0] ?? ''))
      .to.include({ level: 50 })
      .and.deep.include({ late });
    late = [];
    await socket.heard('WATCHDOG=1');
    await service.stopping();
  });

  it('is nothing where it did not ask, or asked another process', async () => {
    await systemdUnit({ late: () => [], logger, env: {} }).ready();
    expect(socket.messages).to.deep.equal([]);
    for (const env of [{}, { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, { WATCHDOG_USEC: 'soon' }]) {
      const service = unit(() => expect.fail('the watchdog is fed'), env);
      await service.ready();
      await service.stopping();
    }
    expect(socket.messages).to.deep.equal(Array(3).fill(['READY=1', 'STOPPING=1']).flat());
  });

  it('cannot be told without systemd-notify, which is said, and keeps nobody from working', async () => {
    await unit(() => [], { PATH: '/nowhere' }).ready();
    expect(logged.join()).to.include('systemd could not be told').and.include('systemd-notify cannot be run');
  });
});
