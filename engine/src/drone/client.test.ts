import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { EngineError } from '../engine-error.js';
import { type DroneClient, openDroneClient } from './client.js';

const TOKEN = 'a-token-nobody-may-see';

describe('openDroneClient', () => {
  let dir: string;
  let server: Server;
  let client: DroneClient;
  let answer: RequestListener;
  let asked: { method: string; url: string; authorization: string }[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-drone-client-'));
    asked = [];
    server = createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, authorization: headers.authorization ?? '' });
      answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const tokenFile = join(dir, 'token');
    await writeFile(tokenFile, TOKEN);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = openDroneClient({ url, tokenFile, repository: 'org/cc-ci', timeoutMs: 300 });
  });
  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  });

  const json =
    (value: unknown, status = 200): RequestListener =>
    (_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const refusal = async (work: Promise<unknown>): Promise<EngineError> => {
    const error = await work.then(
      () => expect.fail('it did not fail'),
      (it: unknown) => it,
    );
    if (!(error instanceof EngineError)) throw error;
    expect(`${error.message} ${error.hint} ${JSON.stringify(error)} ${error.cause}`).to.not.include(TOKEN);
    return error;
  };
  /** A read by drone-node and the write by undici: both must fail alike. */
  const both = () => [client.builds(1, 10), client.start('main', { RUN: 'abcdefgh' })];

  const build = { number: 7, status: 'pending', created: 1, started: 0, finished: 0, params: { RUN: 'x' } };

  it('starts a build with its parameters in the query, where Drone reads them', async () => {
    answer = json(build);
    const params = { RUN: 'abcdefgh', SRC: 'https://forge.test/a b&c=d.git' };
    expect((await client.start('main', params)).number).to.equal(7);
    const [request] = asked;
    expect(request).to.include({ method: 'POST', authorization: `Bearer ${TOKEN}` });
    const url = new URL(request?.url ?? '', 'http://drone.test');
    expect(url.pathname).to.equal('/api/repos/org/cc-ci/builds');
    expect(Object.fromEntries(url.searchParams)).to.deep.equal({ ...params, branch: 'main' });
  });

  it('knows what is not there from what went wrong', async () => {
    answer = json({ message: 'Not Found' }, 404);
    expect(await client.build(7)).to.equal(undefined);
    expect(await client.stepLog(7, 1, 1)).to.equal(undefined);
    expect(await client.repo()).to.equal(undefined);
    expect(await client.cancel(7)).to.equal(false);
    for (const work of both()) expect((await refusal(work)).message).to.include('does not know');
  });

  it('takes an empty log and an empty list for what they are, also as Go writes them', async () => {
    answer = json(null);
    expect(await client.stepLog(7, 1, 1)).to.deep.equal([]);
    expect(await client.builds(1, 10)).to.deep.equal([]);
  });

  const faults: [string, RequestListener, RegExp][] = [
    ['an answer of another form', json([{ number: 'seven' }]), /not what Drone answers/],
    [
      'JSON that is cut off',
      (_, it) => it.writeHead(200).end('[{"number": 7, "sta'),
      /not what Drone answers/,
    ],
    ["a proxy's page", (_, it) => it.writeHead(502).end('<html>bad gateway</html>'), /HTTP 502/],
    ['no answer', () => undefined, /./],
    ['a connection that is closed', (request) => request.socket.destroy(), /./],
    ['an answer that stops in the middle', (_, it) => it.writeHead(200).write('['), /./],
  ];
  for (const [name, listener, message] of faults) {
    it(`says that ${name} is worth another try, and that a build may have been started`, async () => {
      answer = listener;
      for (const work of both()) {
        const error = await refusal(work);
        expect(error).to.include({ retry: true, nothingStarted: false });
        expect(error.message).to.match(message);
      }
    });
  }

  it('says that nothing was started where nobody listens', async () => {
    server.close();
    server.closeAllConnections();
    for (const work of both()) expect(await refusal(work)).to.include({ retry: true, nothingStarted: true });
  });

  it('ends a live log with the step, and passes on what went wrong in between', async () => {
    const line = (pos: number) => `data: ${JSON.stringify({ pos, out: `${pos}\n`, time: 0 })}\n\n\n`;
    const tail = async () => {
      const seen: number[] = [];
      for await (const { pos } of client.tail(7, 1, 2, new AbortController().signal)) seen.push(pos);
      return seen;
    };
    answer = (_, it) =>
      it.end(`: ping\n\n${line(0)}data: rubbish\n\n${line(1)}event: error\ndata: eof\n\n${line(2)}`);
    expect(await tail()).to.deep.equal([0, 1]);
    expect(asked[0]?.url).to.equal('/api/stream/org/cc-ci/7/1/2');
    answer = (request, it) => it.writeHead(200).write(line(0), () => request.socket.destroy());
    await refusal(tail());
    answer = json({ message: 'Unauthorized' }, 401);
    expect((await refusal(tail())).hint).to.include('CC_CI_DRONE_TOKEN_FILE');
  });
});
