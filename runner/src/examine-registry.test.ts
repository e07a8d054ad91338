import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Diagnosis } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { examineRegistry } from './examine-registry.js';

const PASSWORD = 'hub-password-4711';

/** What the server answers: to the question for a token, and to the one for the image. */
interface Answers {
  token?: { status: number; body: string };
  image?: { status: number; headers: Record<string, string> };
}

describe("a look at Docker Hub's limits", () => {
  let dir: string;
  let server: Server;
  let answers: Answers;
  let asked: IncomingMessage[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-registry-'));
    asked = [];
    answers = {};
    server = createServer((request, response) => {
      asked.push(request);
      const { token = { status: 200, body: '{"token":"t0k"}' }, image = { status: 200, headers: {} } } =
        answers;
      if (request.url?.startsWith('/token?')) return response.writeHead(token.status).end(token.body);
      return response.writeHead(image.status, image.headers).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });

  async function examine(given: Answers = {}): Promise<Diagnosis> {
    answers = given;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const diagnosis = await examineRegistry({ DOCKER_CONFIG: dir }, { auth: url, registry: url });
    expect(JSON.stringify(diagnosis)).not.to.include(PASSWORD);
    return diagnosis;
  }
  const limits = (remaining: number, status = 200): Answers => ({
    image: {
      status,
      headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': `${remaining};w=21600` },
    },
  });
  const logIn = () =>
    writeFile(
      join(dir, 'config.json'),
      JSON.stringify({
        auths: { 'https://index.docker.io/v1/': { auth: Buffer.from(`bob:${PASSWORD}`).toString('base64') } },
      }),
    );

  it('counts without using any up', async () => {
    expect(await examine(limits(87))).to.deep.equal({
      state: 'ok',
      part: 'registry',
      said: 'Docker Hub, without a login: 87 pulls left of 100',
    });
    expect(asked.map(({ method }) => method)).to.deep.equal(['GET', 'HEAD']);
    expect(asked[0]?.headers.authorization).to.equal(undefined);
    expect(asked[1]?.headers.authorization).to.equal('Bearer t0k');
  });

  it('asks as whom docker login knows', async () => {
    await logIn();
    expect((await examine(limits(150))).said).to.equal('Docker Hub, as bob: 150 pulls left of 100');
    expect(asked[0]?.headers.authorization).to.match(/^Basic /);
    expect((await examine()).said).to.equal('Docker Hub sets no limit as bob');
  });

  it('warns when few are left, or none', async () => {
    const few = await examine(limits(3));
    expect(few.state).to.equal('warn');
    expect(few.todo).to.match(/operator's job: docker login/);
    expect((await examine({ image: { status: 429, headers: {} } })).said).to.match(/0 pulls left/);
  });

  it('fails where the login is refused', async () => {
    await logIn();
    const refused = await examine({ token: { status: 401, body: '{}' } });
    expect(refused.state).to.equal('fail');
    expect(refused.said).to.equal('Docker Hub refuses the login as bob');
  });

  it('judges nothing where it cannot be known', async () => {
    expect((await examine({ token: { status: 503, body: 'sorry' } })).said).to.match(/HTTP 503/);
    expect((await examine({ image: { status: 500, headers: {} } })).said).to.match(/HTTP 500/);
    await writeFile(join(dir, 'config.json'), `{"auths": "${PASSWORD}`);
    const damaged = await examine();
    expect(damaged.state).to.equal('unknown');
    expect(damaged.said).to.match(/not what docker login writes/);
    const nobody = await examineRegistry({}, { auth: 'http://127.0.0.1:9', registry: 'http://127.0.0.1:9' });
    expect(nobody.state).to.equal('unknown');
  });
});
