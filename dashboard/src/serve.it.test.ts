import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { newRunId } from '@cc-ci/core';
import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { buildDashboardApp, type DashboardAppOptions } from './serve.js';
import { buildSite } from './site.js';
import { readerOf, someBuild, temporaryFolder, writeRun } from './testing/fixtures.js';

describe('the web server of the dashboard', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let stateDir: string;
  let siteDir: string;
  let app: FastifyInstance | undefined;
  beforeEach(() => {
    folder = temporaryFolder('serve');
    stateDir = join(folder.path, 'state');
    siteDir = join(folder.path, 'site');
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
    await folder.remove();
  });

  async function serve(options: Partial<DashboardAppOptions> = {}): Promise<void> {
    app = await buildDashboardApp({ siteDir, ...options });
    await app.listen({ host: '127.0.0.1', port: 0 });
  }

  /** A request whose path is sent exactly as it is written here; fetch would tidy it up. */
  async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const port = (app?.server.address() as AddressInfo | undefined)?.port;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers, method }, resolve).on('error', reject).end();
    });
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  it('serves pages, files and folders with the right types and an ETag', async () => {
    const { run } = await writeRun(stateDir, { logs: { install: 'grün\n' } });
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    await serve();
    const types: [string, string][] = [
      ['/', 'text/html; charset=utf-8'],
      [`/runs/${run}/`, 'text/html; charset=utf-8'],
      [`/runs/${run}`, 'text/html; charset=utf-8'],
      ['/style.css?v=1', 'text/css; charset=utf-8'],
      ['/icon.svg', 'image/svg+xml'],
      ['/robots.txt', 'text/plain; charset=utf-8'],
      ['/api/recipes.json', 'application/json; charset=utf-8'],
      [`/runs/${run}/report.json`, 'application/json; charset=utf-8'],
      [`/runs/${run}/log.txt`, 'text/plain; charset=utf-8'],
      [`/runs/${run}/junit.xml`, 'application/xml'],
      [`/runs/${run}/logs/install.log`, 'text/plain; charset=utf-8'],
    ];
    for (const [path, type] of types) {
      const { status, headers } = await get(path);
      expect([path, status, headers['content-type']]).to.deep.equal([path, 200, type]);
    }
    const { headers } = await get('/');
    expect((await get('/', { 'if-none-match': String(headers.etag) })).status).to.equal(304);
    expect((await get(`/runs/${run}/log.txt`, { range: 'bytes=0-1' })).status).to.equal(206);
    expect(await get('/', {}, 'HEAD')).to.include({ status: 200, body: '' });
  });

  it('still knows the address that the log of a stage had while it ran', async () => {
    const { run } = await writeRun(stateDir, { logs: { install: 'grün\nlast', backup: '' } });
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    await serve();
    expect((await get(`/runs/${run}/logs/install.log`)).body).to.equal('grün\nlast\n');
    expect((await get(`/runs/${run}/logs/backup.log`)).body).to.equal('');
    for (const path of [`${run}/logs/upgrade.log`, `${run}/logs/passwd.log`, '../logs/install.log'])
      expect((await get(`/runs/${path}`)).status, path).to.equal(404);
  });

  it('sends its security headers with every answer', async () => {
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    await serve();
    for (const path of ['/', '/style.css', '/nope', '/healthz', '/%zz', '/..%2f..%2fetc/passwd']) {
      const { headers } = await get(path);
      expect(headers['content-security-policy'], path).to.equal(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(headers, path).to.include({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
  });

  it('answers what is not there with its own page', async () => {
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    await serve();
    for (const path of ['/nope', '/runs/', '/runs/zzz/', '/.cc-ci-site', '/recipes/x/index.html']) {
      const { status, body } = await get(path);
      expect([path, status]).to.deep.equal([path, 404]);
      expect(body).to.contain('There is no such page');
    }
    expect((await get('/', {}, 'POST')).status).to.equal(404);
  });

  it('gives nothing from outside the site, and sends nobody away', async () => {
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    await writeFile(join(folder.path, 'secret.txt'), 'the-secret');
    await serve();
    const paths = [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/runs/../../secret.txt',
      '/..\\secret.txt',
      '/%00/../secret.txt',
      '//example.org/%2e%2e',
      '/runs//..//../secret.txt',
      join('/', folder.path, 'secret.txt'),
    ];
    for (const path of paths) {
      const { status, body, headers } = await get(path);
      if (status === 200) expect(body, path).to.contain('Nothing has been tested yet');
      else expect(status, path).to.be.within(400, 499);
      expect(body, path).not.to.contain('the-secret');
      expect(headers.location, path).to.equal(undefined);
    }
  });

  it('makes the page of a run that was asked for before the next generation', async () => {
    const build = someBuild('queued');
    const engine = readerOf([build]);
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    const asked: string[] = [];
    await serve({
      makeRun: async (id) => {
        asked.push(id);
        await buildSite({ stateDir, siteDir, engine });
      },
    });
    const { status, body } = await get(`/runs/${build.id}/`);
    expect(status).to.equal(200);
    expect(body).to.contain('waiting in the queue');
    const unknown = newRunId();
    expect((await get(`/runs/${unknown}/`)).status).to.equal(404);
    expect((await get('/runs/not-an-id/')).status).to.equal(404);
    expect(asked).to.deep.equal([build.id, unknown]);
  });

  it('says whether its pages are up to date', async () => {
    let ok = true;
    await buildSite({ stateDir, siteDir, engine: readerOf([]) });
    await serve({ health: () => ({ ok, builtAt: '2026-11-21T08:00:00.000Z' }) });
    const { status, body } = await get('/healthz');
    expect(status).to.equal(200);
    expect(JSON.parse(body)).to.deep.equal({ status: 'ok', builtAt: '2026-11-21T08:00:00.000Z' });
    ok = false;
    expect((await get('/healthz')).status).to.equal(503);
  });
});
