import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRedactor } from '@cc-ci/core';
import { expect } from 'chai';
import { unzipSync } from 'fflate';
import { after, before, describe, it } from 'mocha';
import { PNG } from 'pngjs';
import { type AppServer, startServer } from '../testing/app-server.js';
import { browserFolder, factsOf, playwrightTrace, runSpecs } from '../testing/playwright.js';
import { echoWebSockets } from '../testing/web-socket-echo.js';
import { redactTrace } from './trace.js';

const SECRETS = {
  awkward: `tr4ce-"S3cret"/&+ é<x>'\\~`,
  plain: 'Zm9vYmFyMTIzNDU2Nzg5MA',
  lines: '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END KEY-----',
};

/** Types, sends, shows and stores each secret in every way a page can. */
const SPEC = `
import { expect, test } from '@cc-ci/runner/harness/playwright';

test('signs in', async ({ page, app }, testInfo) => {
  await page.goto('/');
  for (const secret of Object.values(app.secrets)) {
    await page.goto('/');
    await page.getByLabel('Password').fill(secret);
    await page.getByLabel('Notes').pressSequentially(secret.replace(/\\n/g, ' '));
    await page.getByRole('button').click();
    await expect(page.locator('#echo')).not.toBeEmpty();
    await page.evaluate(async (value) => {
      const utf8 = String.fromCharCode(...new TextEncoder().encode('admin:' + value));
      await fetch('/json?token=' + encodeURIComponent(value), {
        method: 'POST',
        headers: { authorization: 'Basic ' + btoa(utf8), 'x-token': encodeURIComponent(value) },
        body: JSON.stringify({ password: value, nested: JSON.stringify({ again: JSON.stringify({ value }) }) }),
      }).then((response) => response.json());
      const socket = new WebSocket('ws://' + location.host + '/socket');
      const echo = new Promise((resolve) => { socket.onmessage = resolve; });
      await new Promise((resolve) => { socket.onopen = resolve; });
      socket.send(value.slice(0, 100));
      await echo;
      document.cookie = 'session=' + encodeURIComponent(value);
      localStorage.setItem('token', value);
      console.log('the password is', value);
      document.body.append(value);
      document.body.dataset.json = JSON.stringify({ value });
    }, secret);
    await page.evaluate((text) => fetch('/base64', { method: 'POST', body: text }), btoa('x' + encodeURIComponent(secret)));
    await testInfo.attach('note', { body: 'it is ' + secret, contentType: 'text/plain' });
  }
  await page.goto('/pictures');
  await page.waitForLoadState('networkidle');
});
`;

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

/** A picture with a secret in its bytes, as some programs write what they were called with. */
function pictureWith(secret: string): Buffer {
  return Buffer.concat([somePicture(200), Buffer.from(secret)]);
}

function somePicture(red: number): Buffer {
  const png = new PNG({ width: 4, height: 4 });
  png.data.fill(red);
  return PNG.sync.write(png);
}

/** Not by our own search: the usual ways to write a text, and its base64 wherever it may lie. */
function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const form = new URLSearchParams({ '': secret }).toString().slice(1);
  const texts = [
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret),
    form,
    escapeHtml(secret),
  ];
  const inner = [secret, encodeURIComponent(secret), json].flatMap((text) =>
    ['', 'a', 'ab'].map((before) => {
      const encoded = Buffer.from(`${before}${text}`).toString('base64').replace(/=+$/, '');
      return encoded.slice(before ? 4 : 0, -2);
    }),
  );
  return [...new Set([...texts, ...secret.split('\n'), ...inner])];
}

describe('a Playwright trace', function () {
  this.timeout(240_000);
  let folder: Awaited<ReturnType<typeof browserFolder>>;
  let server: AppServer;
  let source: string;
  let target: string;
  let original: Record<string, Uint8Array>;
  let redacted: Record<string, Uint8Array>;
  const forms = Object.values(SECRETS).flatMap(formsOf);
  const text = (content: Uint8Array | undefined) => Buffer.from(content ?? []).toString('utf8');

  before(async () => {
    folder = await browserFolder();
    server = await startServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      if (request.url?.startsWith('/json'))
        return void response.setHeader('content-type', 'application/json').end(JSON.stringify({ you: body }));
      if (request.url === '/base64') return void response.end(Buffer.from(body).toString('base64'));
      if (request.url === '/harmless.png')
        return void response.setHeader('content-type', 'image/png').end(somePicture(1));
      if (request.url === '/leaky.png')
        return void response.setHeader('content-type', 'image/png').end(pictureWith(SECRETS.awkward));
      if (request.url === '/pictures')
        return void response
          .setHeader('content-type', 'text/html')
          .end('<img src=/harmless.png><img src=/leaky.png>pictures');
      const said = new URLSearchParams(body).get('password') ?? '';
      response.setHeader('content-type', 'text/html; charset=utf-8').setHeader('set-cookie', 'a=b');
      response.end(`<form method=post action=/login><label>Password <input type=password name=password></label>
        <label>Notes <textarea name=notes></textarea></label><button>Go</button></form>
        <p id=echo>${escapeHtml(said)}</p><script>const said = ${JSON.stringify(said)};</script>`);
    });
    echoWebSockets(server.server);
    const { tests, output } = await runSpecs(folder.dir, factsOf(server.port, { secrets: SECRETS }), SPEC);
    const test = tests.find(({ title }) => title === 'signs in');
    expect(test?.state, `${test?.message ?? output}`).to.equal('passed');
    source = test?.attachments.find(({ name }) => name === 'trace')?.path ?? '';
    target = join(folder.dir, 'redacted.zip');
    await redactTrace(source, target, createRedactor(Object.values(SECRETS)));
    original = unzipSync(await readFile(source));
    redacted = unzipSync(await readFile(target));
  });
  after(async () => {
    await server.close();
    await folder.dispose();
  });

  it('is full of secrets before', () => {
    const all = Object.values(original).map(text).join('\n');
    const found = forms.filter((form) => all.includes(form));
    // Most ways a secret can be written are there; without that, not finding them proves nothing.
    expect(found.length).to.be.greaterThan(forms.length / 2);
    for (const secret of Object.values(SECRETS)) {
      expect(all).to.include(JSON.stringify(secret).slice(1, -1));
      expect(all).to.include(encodeURIComponent(secret));
    }
    expect(all).to.include(Buffer.from(`admin:${SECRETS.plain}`).toString('base64').slice(0, -4));
  });

  it('holds none in any form afterwards', () => {
    for (const [name, content] of Object.entries(redacted)) {
      for (const encoding of ['utf8', 'latin1'] as const) {
        const read = Buffer.from(content).toString(encoding);
        for (const form of forms) expect(read.includes(form), `${name} holds ${form}`).to.equal(false);
      }
    }
  });

  it('keeps every entry by its name, and what is no secret', () => {
    expect(Object.keys(redacted)).to.have.members(Object.keys(original));
    for (const [name, content] of Object.entries(original)) {
      const isHarmless = Buffer.from(somePicture(1)).equals(content) || name.endsWith('.jpeg');
      if (isHarmless) expect(Buffer.from(redacted[name] ?? []).equals(content), name).to.equal(true);
    }
    const emptied = Object.keys(redacted).filter(
      (name) => redacted[name]?.length === 0 && original[name]?.length,
    );
    expect(
      emptied.map((name) => Buffer.from(original[name] ?? []).equals(pictureWith(SECRETS.awkward))),
    ).to.deep.equal([true]);
  });

  it('is JSON in every line still, and finds what it names', () => {
    const names = new Set(Object.keys(redacted));
    let references = 0;
    for (const [name, content] of Object.entries(redacted)) {
      if (!/\.(trace|network|stacks)$/.test(name)) continue;
      for (const line of text(content)
        .split('\n')
        .filter((it) => it)) {
        JSON.parse(line);
        for (const [, file = ''] of line.matchAll(
          /"(?:_file|file)":"((?:resources|screencast|src)\/[^"]*)"/g,
        )) {
          expect(names.has(file), file).to.equal(true);
          references++;
        }
      }
    }
    expect(references).to.be.greaterThan(10);
  });

  it("is read by Playwright's own reader", async () => {
    await playwrightTrace(folder.dir, 'open', target);
    try {
      const actions = await playwrightTrace(folder.dir, 'actions');
      expect(actions.stdout).to.include('[redacted]').and.match(/fill/i);
      const requests = await playwrightTrace(folder.dir, 'requests');
      expect(requests.stdout).to.include('json?token=[redacted]');
      const said = await playwrightTrace(folder.dir, 'console');
      expect(said.stdout).to.include('the password is [redacted]');
    } finally {
      await playwrightTrace(folder.dir, 'close');
    }
  });
});
