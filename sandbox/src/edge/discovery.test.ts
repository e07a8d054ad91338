import { connectDocker, createLogger, type Docker, disconnectDocker, InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Watch, watchBackends } from './discovery.js';
import type { Backend } from './routes.js';
import { eventually } from './testing/echo-service.js';
import { type FakeEngine, startFakeEngine } from './testing/fake-engine.js';

describe('watching the swarm for backends', () => {
  let engine: FakeEngine;
  let docker: Docker;
  let watch: Watch | undefined;
  let seen: Backend[][];

  beforeEach(async () => {
    engine = await startFakeEngine();
    docker = connectDocker(engine.host);
    seen = [];
    engine.services = [{ id: 'app', labels: { 'traefik.enable': 'true' } }];
    engine.containers = [{ id: 'c1', task: 't1', service: 'app', address: '172.18.0.3' }];
    engine.wantedTasks = ['t1'];
  });
  afterEach(async () => {
    await watch?.close();
    watch = undefined;
    await disconnectDocker(docker);
    await engine.close();
  });

  const start = async () => {
    watch = await watchBackends(
      docker,
      'proxy',
      (backends) => seen.push(backends),
      createLogger('edge', 'silent'),
    );
    await eventually(async () => expect(engine.subscriptions).to.not.have.length(0));
  };
  const addresses = () => seen.at(-1)?.map((backend) => backend.addresses);
  const eventuallyAt = (...expected: string[]) =>
    eventually(async () => expect(addresses()).to.deep.equal([expected]), 5_000);

  it('knows what is there before it says it is ready', async () => {
    await start();
    expect(seen[0]).to.deep.equal([
      { service: 'app', labels: { 'traefik.enable': 'true' }, addresses: ['172.18.0.3'] },
    ]);
  });

  it('notices a new task by its event', async () => {
    await start();
    engine.containers.push({ id: 'c2', task: 't2', service: 'app', address: '172.18.0.4' });
    engine.wantedTasks.push('t2');
    engine.emit('health_status: healthy');
    await eventuallyAt('172.18.0.3', '172.18.0.4');
  });

  it('lets go of a task that was told to stop, while its container still runs', async () => {
    await start();
    engine.wantedTasks = [];
    engine.emit('kill');
    await eventuallyAt();
  });

  it('says nothing when an event has changed nothing', async () => {
    await start();
    engine.emit('start');
    engine.containers = [];
    engine.emit('die');
    await eventuallyAt();
    expect(seen).to.have.length(2);
  });

  it('subscribes again when the engine cut it off, and catches up with what it missed', async () => {
    await start();
    engine.cutEvents();
    engine.containers = [];
    await eventuallyAt();
    expect(engine.subscriptions).to.have.length(2);
    expect(Number(engine.subscriptions[1])).to.be.closeTo(Date.now() / 1000, 10);
  });

  it('keeps what it knows while the engine fails, and asks again', async () => {
    await start();
    engine.failing = true;
    engine.containers = [];
    engine.emit('die');
    await eventually(async () => expect(engine.failures).to.be.greaterThan(0));
    expect(addresses()).to.deep.equal([['172.18.0.3']]);
    engine.failing = false;
    await eventuallyAt();
  });

  it('says what is missing when there is no such network, or no swarm', async () => {
    const refusal = async () => {
      const error = await start().catch((thrown) => thrown);
      expect(error).to.be.instanceOf(InputError);
      return `${error.message} (${error.hint})`;
    };
    engine.networks = ['proxy2'];
    expect(await refusal()).to.equal(
      'the network proxy is missing (docker network create --driver overlay proxy, or run ./setup)',
    );
    engine.networks = ['proxy'];
    engine.inSwarm = false;
    expect(await refusal()).to.include(
      'the network docker_gwbridge is missing: this engine is not in swarm mode',
    );
  });
});
