import { appendFile, writeFile } from 'node:fs/promises';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { runFolder, stageLogFile, writeJson } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { buildDashboardApp } from './serve.js';
import { buildSite } from './site.js';
import { readerOf, someRequest, temporaryFolder, writeRun } from './testing/fixtures.js';

/** Somebody who follows a log, and what has come. */
interface Follower {
  /** Numbers of the lines that came, by stage, in the order they came. */
  numbers: string[];
  text: () => string;
  lastId: () => string;
  ended: () => boolean;
  status: () => number | undefined;
  pause(): void;
  leave(): void;
}

function portOf(app: FastifyInstance | undefined): number {
  if (!app) throw new Error('nothing is being served');
  return (app.server.address() as AddressInfo).port;
}

describe('following a log', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let stateDir: string;
  let app: FastifyInstance | undefined;
  let over: Set<string>;
  beforeEach(() => {
    folder = temporaryFolder('live');
    stateDir = join(folder.path, 'state');
    over = new Set();
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await folder.remove();
  });

  async function serve(): Promise<void> {
    await buildSite({ stateDir, siteDir: join(folder.path, 'site'), engine: readerOf([]) });
    const known = (id: string) => runFolder(stateDir, id);
    app = await buildDashboardApp({
      siteDir: join(folder.path, 'site'),
      live: {
        dirOf: (id) => (id === 'zzzzzzzz' ? undefined : known(id)),
        isOver: async (id) => over.has(id),
      },
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
  }

  function follow(path: string, headers: Record<string, string> = {}): Follower {
    const port = portOf(app);
    const numbers: string[] = [];
    let text = '';
    let ended = false;
    let taken = 0;
    let response: IncomingMessage | undefined;
    const request: ClientRequest = get({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      response = answer;
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n', taken); end !== -1; end = text.indexOf('\n\n', taken)) {
          const event = text.slice(taken, end);
          taken = end + 2;
          const data = /^data: (\{.*\})$/m.exec(event)?.[1];
          if (!event.includes('event: lines') || data === undefined) continue;
          const { stage, first, html } = JSON.parse(data) as { stage: string; first: number; html: string[] };
          numbers.push(...html.map((_, index) => `${stage}:${first + index}`));
        }
      });
      answer.on('end', () => {
        ended = true;
      });
    });
    request.on('error', () => {
      ended = true;
    });
    return {
      numbers,
      text: () => text,
      lastId: () => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '',
      ended: () => ended,
      status: () => response?.statusCode,
      pause: () => void response?.pause(),
      leave: () => void request.destroy(),
    };
  }

  const range = (stage: string, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, n) => `${stage}:${from + n}`);
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, n) => `2026-11-21T08:00:00.000Z line ${from + n}\n`).join('');

  async function runningRun(logs: Record<string, string>): Promise<string> {
    const request = someRequest();
    const stages = { install: { state: 'running', finishedAt: undefined }, teardown: undefined } as const;
    await writeRun(stateDir, { request, finishedAt: undefined, stages, logs });
    return request.run;
  }

  it('gives what is there, then each line as it comes, then says that it is over', async () => {
    const run = await runningRun({ prepare: lines(1, 3), install: lines(1, 2) });
    await serve();
    const reader = follow(`/runs/${run}/log/stream`);
    await until(() => reader.numbers.length === 5);
    await appendFile(
      stageLogFile(runFolder(stateDir, run), 'install'),
      '2026-11-21T08:00:00.000Z <b>\u001b[31mred\u001b[0m\nhalf a li',
    );
    await until(() => reader.numbers.length === 6);
    expect(reader.text()).to.contain('&lt;b&gt;').and.not.to.contain('half a li');
    await appendFile(stageLogFile(runFolder(stateDir, run), 'install'), 'ne\n');
    await until(() => reader.numbers.length === 7);
    await writeFile(stageLogFile(runFolder(stateDir, run), 'teardown'), 'no newline at the end');
    over.add(run);
    await until(reader.ended);
    expect(reader.numbers).to.deep.equal([
      ...range('prepare', 1, 3),
      ...range('install', 1, 4),
      'teardown:1',
    ]);
    expect(reader.text()).to.contain('event: end');
  });

  it('goes on behind the line it is told, also after a disconnect', async () => {
    const run = await runningRun({ prepare: lines(1, 3), install: lines(1, 10) });
    await serve();
    const reader = follow(`/runs/${run}/log/stream?from=install:7`);
    await until(() => reader.numbers.length === 3);
    expect(reader.numbers).to.deep.equal(range('install', 8, 10));
    const last = reader.lastId();
    reader.leave();
    await appendFile(stageLogFile(runFolder(stateDir, run), 'install'), lines(11, 14));
    const again = follow(`/runs/${run}/log/stream?from=install:7`, { 'last-event-id': last });
    await until(() => again.numbers.length === 4);
    expect(again.numbers).to.deep.equal(range('install', 11, 14));
    const byNumber = follow(`/runs/${run}/log/stream?stage=install&from=12`);
    await until(() => byNumber.numbers.length === 2);
    expect(byNumber.numbers).to.deep.equal(range('install', 13, 14));
    for (const it of [again, byNumber]) it.leave();
  });

  it('misses nothing of a log that is too long to be held, and a slow reader slows nobody', async () => {
    const run = await runningRun({ install: lines(1, 60_000) });
    await serve();
    const slow = follow(`/runs/${run}/log/stream`);
    await until(() => slow.numbers.length > 0);
    slow.pause();
    const quick = follow(`/runs/${run}/log/stream?from=install:59999`);
    await until(() => quick.numbers.length === 1);
    const start = performance.now();
    await appendFile(stageLogFile(runFolder(stateDir, run), 'install'), lines(60_001, 60_002));
    await until(() => quick.numbers.length === 3);
    expect(performance.now() - start, 'milliseconds until a line came').to.be.lessThan(3_000);
    quick.leave();
    slow.leave();
    const whole = follow(`/runs/${run}/log/stream`);
    over.add(run);
    await until(whole.ended);
    expect(whole.numbers).to.deep.equal(range('install', 1, 60_002));
  });

  it('hides the secrets of the app, and private keys over many lines', async () => {
    const run = await runningRun({ install: 'the password is hunter2hunter2\n' });
    await writeJson(join(runFolder(stateDir, run), 'secrets.json'), { db: 'hunter2hunter2' });
    await serve();
    const reader = follow(`/runs/${run}/log/stream`);
    await until(() => reader.numbers.length === 1);
    await appendFile(
      stageLogFile(runFolder(stateDir, run), 'install'),
      '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----\nafter\n',
    );
    await until(() => reader.numbers.length === 5);
    expect(reader.text()).to.contain('[redacted]').and.to.contain('after');
    expect(reader.text()).not.to.match(/hunter2hunter2|MIIEvQ/);
    reader.leave();
  });

  it('is refused for what is no run', async () => {
    await serve();
    for (const id of ['zzzzzzzz', 'no-id', '..%2f..']) {
      const reader = follow(`/runs/${id}/log/stream`);
      await until(reader.ended);
      expect(reader.status(), id).to.equal(404);
    }
  });

  it('reaches 100 readers at once', async () => {
    const run = await runningRun({ install: lines(1, 5) });
    await serve();
    const readers = Array.from({ length: 100 }, () => follow(`/runs/${run}/log/stream?from=install:5`));
    await until(() => readers.every((it) => it.status() === 200));
    await appendFile(stageLogFile(runFolder(stateDir, run), 'install'), lines(6, 20));
    await until(() => readers.every((it) => it.numbers.length === 15));
    for (const reader of readers) {
      expect(reader.numbers).to.deep.equal(range('install', 6, 20));
      reader.leave();
    }
  });

  it('has pages of long logs, those that are files and those that are made when asked for', async () => {
    const { run } = await writeRun(stateDir, { logs: { install: lines(1, 42_500) } });
    await serve();
    const page = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${portOf(app)}${path}`);
      return { status: response.status, text: await response.text() };
    };
    const own = await page(`/runs/${run}/`);
    expect(own.text.length, 'bytes of the page').to.be.lessThan(600_000);
    expect(own.text).to.contain(`href="/runs/${run}/logs/install/42/"`).and.to.contain('id="install-L42500"');
    for (const [number, first, last] of [
      [1, 1, 1_000],
      [20, 19_001, 20_000],
      [43, 42_001, 42_500],
    ] as const) {
      const { status, text } = await page(`/runs/${run}/logs/install/${number}/`);
      expect(status, `page ${number}`).to.equal(200);
      expect(text).to.contain(`id="L${first}"`).and.to.contain(`id="L${last}"`);
      expect(text)
        .not.to.contain(`id="L${last + 1}"`)
        .and.not.to.contain(`id="L${first - 1}"`);
    }
    for (const path of ['install/44/', 'install/0/', 'upgrade/1/', 'install/x/'])
      expect((await page(`/runs/${run}/logs/${path}`)).status, path).to.equal(404);
  });

  it('packs pages for browsers that want it, and sends parts as they are', async () => {
    const { run } = await writeRun(stateDir, { logs: { install: lines(1, 400) } });
    await serve();
    const ask = (path: string, headers: Record<string, string>) =>
      new Promise<{ headers: IncomingMessage['headers']; status: number | undefined; body: Buffer }>(
        (resolve, reject) => {
          const port = portOf(app);
          get({ host: '127.0.0.1', port, path, headers }, (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () =>
              resolve({
                headers: response.headers,
                status: response.statusCode,
                body: Buffer.concat(chunks),
              }),
            );
          }).on('error', reject);
        },
      );
    const path = `/runs/${run}/`;
    const plain = await ask(path, {});
    for (const round of [1, 2]) {
      const packed = await ask(path, { 'accept-encoding': 'gzip, br' });
      expect(packed.headers, `round ${round}`).to.include({
        'content-encoding': 'br',
        vary: 'accept-encoding',
      });
      expect(brotliDecompressSync(packed.body).equals(plain.body)).to.equal(true);
      expect(packed.headers.etag).to.equal(plain.headers.etag);
    }
    expect(gunzipSync((await ask(path, { 'accept-encoding': 'gzip' })).body).equals(plain.body)).to.equal(
      true,
    );
    const known = { 'accept-encoding': 'br', 'if-none-match': String(plain.headers.etag) };
    expect((await ask(path, known)).status).to.equal(304);
    const part = await ask(`/runs/${run}/log.txt`, { 'accept-encoding': 'br', range: 'bytes=0-9' });
    expect(part.status).to.equal(206);
    expect(part.headers['content-encoding']).to.equal(undefined);
    const refused = await ask(path, { 'accept-encoding': 'br;q=0' });
    expect(refused.headers['content-encoding']).to.equal(undefined);
    const badge = await ask('/badges/custom-html.svg', {});
    expect(badge.headers).to.include({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    });
    const feed = await ask('/feed.xml', {});
    expect(feed.headers['content-type']).to.equal('application/atom+xml; charset=utf-8');
  });
});
