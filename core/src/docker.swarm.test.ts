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
  ImagePullError,
  imageExists,
  listSecrets,
  listVolumes,
  pullImage,
  removeImage,
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

  it('pulls an image as the engine tells it, line by line, up to an error in the middle', async () => {
    const asked: { url: string | undefined; auth: unknown }[] = [];
    const engine = createServer(({ method, url, headers }, response) => {
      asked.push({ url: `${method} ${url}`, auth: headers['x-registry-auth'] });
      if (url?.includes('gone')) return void response.writeHead(404).end('{"message":"no such thing"}');
      response.write('{"status":"Pulling from x"}\r\n{"status":"Downl');
      response.write('oading","id":"a1","progressDetail":{"current":1,"total":2}}\r\n');
      response.end(
        url?.includes('bad') ? '{"errorDetail":{"message":"no"},"error":"no"}' : '{"status":"Done"}',
      );
    });
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    const there = connectDocker(`tcp://127.0.0.1:${(engine.address() as AddressInfo).port}`);
    const pull = async (name: string, version: string, auth?: string) => {
      const lines: (string | undefined)[] = [];
      for await (const line of pullImage(there, { name, version }, { auth })) lines.push(line.status);
      return lines;
    };
    expect(await pull('r.test:5000/x', '1')).to.deep.equal(['Pulling from x', 'Downloading', 'Done']);
    expect(await pull('y', 'sha256:ab', 'c2VjcmV0')).to.have.length(3);
    const bad = await caught(pull('bad', '1'));
    const gone = await caught(pull('gone', 'sha256:ab'));
    await disconnectDocker(there);
    engine.close();
    expect(asked.slice(0, 2)).to.deep.equal([
      { url: 'POST /images/create?fromImage=r.test%3A5000%2Fx&tag=1', auth: undefined },
      { url: 'POST /images/create?fromImage=y&tag=sha256%3Aab', auth: 'c2VjcmV0' },
    ]);
    expect(bad).to.be.instanceOf(ImagePullError);
    expect(bad).to.include({ reason: 'no', message: 'bad:1 could not be pulled: no' });
    expect(gone).to.include({ message: 'gone@sha256:ab could not be pulled: no such thing' });
  });

  it('knows which images are there', async () => {
    expect(await imageExists(docker, 'cc-ci.test:1/no/such-image:0')).to.equal(false);
    await removeImage(docker, 'cc-ci.test:1/no/such-image:0');
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
