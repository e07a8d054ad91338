import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import {
  connectDocker,
  type Docker,
  disconnectDocker,
  dockerInfo,
  events,
  listSecrets,
  listVolumes,
  removeVolume,
} from './docker.js';
import { HttpStatusError, InputError, ToolMissingError } from './errors.js';
import { newRunId } from './names.js';
import { run } from './process.js';

describe('docker', () => {
  let docker: Docker;
  before(() => {
    docker = connectDocker();
  });
  after(() => disconnectDocker(docker));

  it('is a swarm manager here', async () => {
    const info = await dockerInfo(docker);
    expect(info.Swarm).to.deep.equal({ LocalNodeState: 'active', ControlAvailable: true });
  });

  it('hears what happens, and removes what it is told, twice if need be', async () => {
    const name = `cc-ci-test-${newRunId()}`;
    const listening = new AbortController();
    let heard = false;
    const hearing = (async () => {
      for await (const event of events(docker, { type: ['volume'] }, listening.signal)) {
        if (event.Actor.ID === name && event.Action === 'destroy') heard = true;
      }
    })();
    // Nothing says when the subscription has begun: go on until it has heard one.
    while (!heard) {
      await run('docker', ['volume', 'create', name]);
      expect(await listVolumes(docker, name)).to.deep.equal([name]);
      await removeVolume(docker, name);
      await removeVolume(docker, name);
      expect(await listVolumes(docker, name)).to.deep.equal([]);
    }
    listening.abort();
    await hearing;
  });

  it('says that an engine is not there, and what to do', async () => {
    const error = await caught(dockerInfo(connectDocker('unix:///nowhere/docker.sock')));
    expect(error).to.be.instanceOf(ToolMissingError);
    expect((error as ToolMissingError).hint).to.include('./setup');
    expect(() => connectDocker('ssh://host')).to.throw(InputError, 'not supported');
  });

  it("passes on an engine's own error", async () => {
    const server = createServer((_, response) =>
      response.writeHead(503).end('{"message":"This node is not a swarm manager."}'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const error = await caught(listSecrets(connectDocker(`tcp://127.0.0.1:${port}`), ''));
    server.close();
    expect(error).to.be.instanceOf(HttpStatusError);
    expect((error as Error).message).to.include('not a swarm manager');
  });
});

async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );
}
