import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { request, WebSocket } from 'undici';
import { z } from 'zod';
import { type EdgeClient, edgeClient } from './client.js';
import { deployEcho, eventually, makeHealthy, removeStack, routerLabels } from './echo-service.js';

/** A running edge, set up by the Co-op Cloud recipe's rules, with a wildcard certificate for `zone`. */
export interface EdgeUnderTest {
  /** IPv4 address it listens on. */
  address: string;
  httpPort: number;
  httpsPort: number;
  zone: string;
  /** PEM of the certificate's authority. */
  ca: string;
  /** The overlay network that it serves. */
  network: string;
  /** Milliseconds within which it must have noticed a change. */
  noticesWithinMs: number;
  close(): Promise<void>;
}

const echoed = z.object({
  name: z.string(),
  task: z.string(),
  method: z.string(),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
});

/** What recipes and the runner may expect of an edge: holds for ours and for Traefik. */
export function edgeContract(name: string, setup: () => Promise<EdgeUnderTest>): void {
  describe(`an edge: ${name}`, () => {
    const id = randomBytes(3).toString('hex');
    const [first, second] = [`edge-${id}-one`, `edge-${id}-two`];
    let edge: EdgeUnderTest;
    let client: EdgeClient;
    const host = (label: string) => `${label}-${id}.${edge.zone}`;
    const url = (label: string, path = '/') => `https://${host(label)}:${edge.httpsPort}${path}`;
    const ask = async (label: string, path = '/') => {
      const answer = await client.ask(url(label, path));
      expect(answer.status, `${label}${path}: ${answer.text}`).to.equal(200);
      return echoed.parse(JSON.parse(answer.text));
    };

    before(async () => {
      edge = await setup();
      client = edgeClient(edge.address, edge.ca);
      const rule = (...labels: string[]) => labels.map((label) => `Host(\`${host(label)}\`)`).join(' || ');
      await Promise.all([
        deployEcho(first, edge.network, {
          app: { labels: routerLabels(first, rule('one', 'alias')), environment: { NAME: 'first app' } },
          api: { labels: routerLabels(`${first}-api`, `${rule('pair')} && PathPrefix(\`/api\`)`) },
          pair: { labels: routerLabels(`${first}-pair`, rule('pair')), replicas: 2 },
          deaf: { labels: routerLabels(`${first}-deaf`, rule('deaf'), 9999) },
          sick: { labels: routerLabels(`${first}-sick`, rule('sick')), checked: true },
          silent: {
            labels: { ...routerLabels(`${first}-silent`, rule('silent')), 'traefik.enable': 'false' },
          },
        }),
        deployEcho(second, edge.network, {
          app: { labels: routerLabels(second, rule('two')), environment: { NAME: 'second app' } },
        }),
      ]);
      await eventually(async () => {
        for (const label of ['one', 'pair', 'two']) await ask(label);
        expect((await ask('pair', '/api')).name).to.equal('api');
        expect((await client.ask(url('deaf'))).status).to.equal(502);
      }, 60_000);
    });
    after(async () => {
      await client?.close();
      await Promise.all([removeStack(first), removeStack(second)]);
      await edge?.close();
    });

    it('gives each stack its own app, although both services are called "app"', async () => {
      expect((await ask('one')).name).to.equal('first app');
      expect((await ask('two')).name).to.equal('second app');
    });

    it('routes every name of a rule, whatever its case', async () => {
      expect((await ask('alias')).name).to.equal('first app');
      const { text } = await client.ask(url('one'), { headers: { host: host('ONE').toUpperCase() } });
      expect(echoed.parse(JSON.parse(text)).name).to.equal('first app');
    });

    it('prefers the rule that says more', async () => {
      expect((await ask('pair', '/api/things?q=1')).name).to.equal('api');
      expect((await ask('pair', '/')).name).to.equal('pair');
    });

    it('answers 404 for a name that nobody has, and for a service that did not ask to be routed', async () => {
      for (const label of ['nobody', 'silent']) {
        const answer = await client.ask(url(label));
        expect(answer.status, label).to.equal(404);
        expect(answer.text.trim(), label).to.equal('404 page not found');
      }
    });

    it('sends plain HTTP to HTTPS, for good, keeping the method where that matters', async () => {
      const plain = `http://${host('one')}:${edge.httpPort}/a/b?c=d`;
      const expected = new URL(url('one', '/a/b?c=d')).href;
      const got = await client.ask(plain);
      expect([got.status, got.headers.location]).to.deep.equal([301, expected]);
      const posted = await client.ask(`POST ${plain}`, { body: 'x' });
      expect([posted.status, posted.headers.location]).to.deep.equal([308, expected]);
    });

    it('refuses the TLS handshake for a name outside its certificate', async () => {
      const careless = edgeClient(edge.address, undefined);
      try {
        expect((await careless.ask(url('one'))).status).to.equal(200);
        const outside = await careless
          .ask(`https://somewhere.else.test:${edge.httpsPort}/`)
          .catch((error) => error);
        expect(outside).to.be.instanceOf(Error);
        const nameless = await careless
          .ask(`https://${edge.address}:${edge.httpsPort}/`)
          .catch((error) => error);
        expect(nameless).to.be.instanceOf(Error);
      } finally {
        await careless.close();
      }
    });

    it('tells the app who asked, and believes no client that says so itself', async () => {
      const { text } = await client.ask(url('one', '/who'), {
        headers: {
          'x-forwarded-for': '203.0.113.9',
          'x-forwarded-proto': 'http',
          'x-real-ip': '203.0.113.9',
        },
      });
      const { headers, path } = echoed.parse(JSON.parse(text));
      const authority = new URL(url('one')).host;
      expect(path).to.equal('/who');
      expect(headers.host).to.equal(authority);
      expect(headers).to.include({
        'x-forwarded-host': authority,
        'x-forwarded-port': String(edge.httpsPort),
        'x-forwarded-proto': 'https',
      });
      expect(headers['x-forwarded-for'])
        .to.match(/^\d+\.\d+\.\d+\.\d+$/)
        .and.not.equal('203.0.113.9');
      expect(headers['x-real-ip']).to.equal(headers['x-forwarded-for']);
    });

    it("keeps a connection's own headers to that connection, and repeated ones apart", async () => {
      const answer = await client.ask(url('one'), {
        headers: { te: 'gzip', 'proxy-authorization': 'Basic eDp5' },
      });
      expect(echoed.parse(JSON.parse(answer.text)).headers).to.not.have.any.keys('te', 'proxy-authorization');
      expect(answer.headers).to.not.have.property('x-inner');
      expect(answer.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
    });

    it('passes methods it has never heard of, and bodies of known and unknown length, both ways', async () => {
      const found = await client.ask(`PROPFIND ${url('one')}`);
      expect(echoed.parse(JSON.parse(found.text)).method).to.equal('PROPFIND');
      const parts = Array.from({ length: 64 }, () => randomBytes(64 * 1024));
      const sha256 = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
      for (const body of [Buffer.concat(parts), Readable.from(parts)]) {
        const { text } = await client.ask(`POST ${url('one')}`, { body, headers: { 'content-type': 'a/b' } });
        expect(JSON.parse(text)).to.deep.equal({ size: 64 * 64 * 1024, sha256, type: 'a/b' });
      }
      const empty = await client.ask(`POST ${url('one')}`);
      expect(JSON.parse(empty.text)).to.include({ size: 0 });
      const head = await client.ask(`HEAD ${url('one')}`);
      expect([head.status, head.text]).to.deep.equal([200, '']);
    });

    it('hands on what an app has said so far, before it has said all', async () => {
      const { body } = await request(url('one', '/stream'), { dispatcher: client.agent });
      const chunks = body[Symbol.asyncIterator]();
      expect(String((await chunks.next()).value)).to.equal('first');
      await client.ask(url('one', '/release'));
      expect(String((await chunks.next()).value)).to.equal('second');
      expect((await chunks.next()).done).to.equal(true);
    });

    it('lets the app know when its client has gone', async () => {
      const { body } = await request(url('one', '/hold'), { dispatcher: client.agent });
      await once(body, 'readable');
      expect((await client.ask(url('one', '/held'))).text).to.equal('false');
      body.on('error', () => {}).destroy();
      await eventually(
        async () => expect((await client.ask(url('one', '/held'))).text).to.equal('true'),
        10_000,
      );
    });

    it('does not make a whole answer of half a one', async () => {
      const answer = await client.ask(url('one', '/cut')).catch((error) => error);
      expect(answer).to.be.instanceOf(Error);
    });

    it('carries a websocket', async () => {
      const socket = new WebSocket(url('one').replace('https:', 'wss:'), { dispatcher: client.agent });
      await once(socket, 'open');
      for (const text of ['hello', 'again, Zoë']) {
        const answered = once(socket, 'message');
        socket.send(text);
        const [message] = await answered;
        expect(message.data).to.equal(text);
      }
      const closed = once(socket, 'close');
      socket.close(1000);
      const [close] = await closed;
      expect(close.code).to.equal(1000);
    });

    it('refuses a websocket to a name that nobody has', async () => {
      const asking = httpsRequest({
        host: edge.address,
        port: edge.httpsPort,
        servername: host('nobody'),
        ca: edge.ca,
        headers: { host: host('nobody'), connection: 'Upgrade', upgrade: 'websocket' },
      });
      const [answer] = (await once(asking.end(), 'response')) as [IncomingMessage];
      expect(answer.statusCode).to.equal(404);
      expect(String(await buffer(answer)).trim()).to.equal('404 page not found');
    });

    it('answers 502 when the app does not listen', async () => {
      const answer = await client.ask(url('deaf'));
      expect([answer.status, answer.text.trim()]).to.deep.equal([502, 'Bad Gateway']);
    });

    it('takes all tasks of a service in turn', async () => {
      await eventually(async () => {
        const tasks = [];
        for (let i = 0; i < 4; i++) tasks.push((await ask('pair')).task);
        expect(new Set(tasks).size).to.equal(2);
        expect(tasks.slice(0, 2)).to.deep.equal(tasks.slice(2));
      }, edge.noticesWithinMs + 10_000);
    });

    it('sends nobody to a task before it is healthy', async () => {
      expect((await client.ask(url('sick'))).status).to.equal(404);
      await makeHealthy(first, 'sick');
      const answer = await eventually(() => ask('sick'), edge.noticesWithinMs + 5_000);
      expect(answer.name).to.equal('sick');
    });

    it('forgets a service when it is removed, and only that one', async () => {
      await run('docker', ['service', 'rm', `${second}_app`]);
      await eventually(
        async () => expect((await client.ask(url('two'))).status).to.equal(404),
        edge.noticesWithinMs,
      );
      expect((await ask('one')).name).to.equal('first app');
    });
  });
}
