import { createLogger, type Store } from '@cc-ci/core';
import { expect } from 'chai';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { buildBridgeApp } from './app.js';
import type { ForgeUser } from './forge/schemas.js';
import { createIntake } from './intake.js';
import { NO_OBSERVER } from './observer.js';
import { openBridgeStore } from './store.js';
import { commentPayload, deliveryHeaders, type PayloadChange } from './testing/deliveries.js';
import { PLAIN_RULES } from './testing/rules.js';
import { listTriggers } from './triggers.js';

const SECRET = 'hook-secret-93ab';
const NOW = Date.parse('2026-11-21T08:30:46Z');
const fine = () => ({ ok: true, detail: '' });

describe('the webhook', () => {
  let store: Store;
  let app: FastifyInstance;
  let rings: number;
  let bot: ForgeUser | undefined;
  let now: number;
  let delivered: number[];
  let logged: string[];

  beforeEach(() => {
    store = openBridgeStore(':memory:');
    rings = 0;
    bot = { id: 2, login: 'bot' };
    now = NOW;
    delivered = [];
    logged = [];
    const logger = createLogger('bridge', 'trace', { write: (line) => void logged.push(line) });
    const observer = { ...NO_OBSERVER, delivered: (status: number) => void delivered.push(status) };
    const intake = createIntake({ store, logger, observer, rules: PLAIN_RULES }, () => void rings++);
    app = buildBridgeApp({
      checks: { forge: fine, database: fine, engine: fine },
      hook: { secret: SECRET, org: 'coop-cloud', intake, bot: () => bot, now: () => now, observer },
      logger,
    });
  });
  afterEach(async () => {
    await app.close();
    store.close();
    expect(logged.join()).to.not.include(SECRET);
  });

  async function post(body: string | Uint8Array, headers: Record<string, string | undefined> = {}) {
    const payload = typeof body === 'string' ? body : Buffer.from(body);
    const given = Object.entries({ ...deliveryHeaders(body, SECRET), ...headers });
    const sent = Object.fromEntries(given.filter((it): it is [string, string] => it[1] !== undefined));
    const response = await app.inject({ method: 'POST', url: '/hook', payload, headers: sent });
    return { status: response.statusCode, body: response.json() as Record<string, unknown> };
  }
  const send = (change?: PayloadChange, headers?: Record<string, string | undefined>) =>
    post(JSON.stringify(commentPayload(change)), headers);
  const inbox = () => store.prepare('SELECT comment_id AS id, decision FROM inbox ORDER BY 1').all();

  it('takes a command, keeps it before it answers, and rings', async () => {
    expect(await send()).to.deep.equal({ status: 202, body: { kept: 2 } });
    expect(rings).to.equal(1);
    const [trigger] = listTriggers(store);
    expect(trigger).to.include({
      commentId: 2,
      repo: 'coop-cloud/custom-html',
      pr: 1,
      author: 'alice',
      state: 'seen',
    });
    expect(delivered).to.deep.equal([202]);
  });

  it('decides as polling does, and keeps what is no command, too', async () => {
    await send({ comment: { id: 10, body: 'please !testme' } });
    await send({ comment: { id: 11, updated_at: '2026-11-21T08:31:45Z' } });
    await send({ comment: { id: 12, user: { id: 2, login: 'bot' } } });
    expect(inbox()).to.deep.equal([
      { id: 10, decision: 'no-command' },
      { id: 11, decision: 'edited' },
      { id: 12, decision: 'own-comment' },
    ]);
    expect(listTriggers(store)).to.deep.equal([]);
  });

  it('takes the same comment once, one after the other and at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => send({ comment: { id: 5 + (i % 2) } })));
    await send({ comment: { id: 5 } });
    await send({ comment: { id: 6 } }, { 'x-gitea-delivery': 'another' });
    expect(listTriggers(store).map(({ commentId }) => commentId)).to.deep.equal([5, 6]);
  });

  const signature = (headers: Record<string, string | undefined>) => ({
    'x-gitea-signature': undefined,
    'x-hub-signature-256': undefined,
    ...headers,
  });
  it('reads nothing that is not signed with its secret', async () => {
    const body = JSON.stringify(commentPayload());
    const other = deliveryHeaders(body, 'another secret');
    const { 'x-gitea-signature': right = '' } = deliveryHeaders(body, SECRET);
    for (const headers of [
      signature({}),
      other,
      signature({ 'x-gitea-signature': '' }),
      signature({ 'x-gitea-signature': right.slice(1) }),
      signature({ 'x-gitea-signature': `sha256=${right}` }),
      signature({ 'x-hub-signature-256': right }),
      signature({ 'x-hub-signature-256': `sha1=${right}` }),
    ]) {
      expect((await post(body, headers)).status, JSON.stringify(headers)).to.equal(401);
    }
    expect((await post(`${body} `, deliveryHeaders(body, SECRET))).status).to.equal(401);
    expect(inbox()).to.deep.equal([]);
    expect(logged.filter((line) => line.includes('webhook delivery refused'))).to.have.length(8);
  });

  it('takes the signature as GitHub writes it', async () => {
    const body = JSON.stringify(commentPayload());
    const { 'x-hub-signature-256': hub } = deliveryHeaders(body, SECRET);
    expect((await post(body, signature({ 'x-hub-signature-256': hub }))).status).to.equal(202);
    expect(inbox()).to.have.length(1);
  });

  it('checks the signature of the bytes as they came', async () => {
    const body = JSON.stringify(commentPayload({ comment: { body: '!testme', extra: 'ü €' } }), null, 3);
    expect((await post(`\n${body}\r\n`)).status).to.equal(202);
    expect(listTriggers(store)).to.have.length(1);
  });

  it('refuses what is too large, of another kind, or no JSON, and says which', async () => {
    const large = JSON.stringify(commentPayload({ comment: { body: 'x'.repeat(1024 * 1024) } }));
    expect((await post(large)).status).to.equal(413);
    const form = await post('payload=%7B%7D', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(form.status).to.equal(415);
    const reasons = [
      ['', /^the body is not JSON: /],
      ['{"action":', /^the body is not JSON: /],
      [Buffer.from([0x22, 0xff, 0x22]), /^the body is not JSON: /],
      ['null', /^the body is no comment event of Gitea: /],
      ['[]', /^the body is no comment event of Gitea: /],
      ['{"action":"created"}', /: issue: .*; comment: .*; repository: /],
      [JSON.stringify(commentPayload({ comment: { id: '5' } })), /: comment\.id: /],
      [JSON.stringify(commentPayload({ comment: { created_at: 'yesterday' } })), /: comment\.created_at: /],
      [
        JSON.stringify(commentPayload({ repo: 'coop-cloud' })),
        /: repository\.full_name: expected owner\/name$/,
      ],
    ] as const;
    for (const [body, reason] of reasons) {
      const { status, body: answer } = await post(body);
      expect(status, String(body)).to.equal(400);
      expect(answer.error).to.match(reason);
    }
    expect(inbox()).to.deep.equal([]);
  });

  it('ignores what is no new comment on a pull request of the organisation, and says why', async () => {
    const onIssue = { id: 1, number: 1, pull_request: null };
    const ignored: [PayloadChange, Record<string, string | undefined>, string][] = [
      [
        {},
        { 'x-gitea-event': 'push', 'x-gitea-event-type': 'push' },
        'no comment on an issue or a pull request',
      ],
      [
        {},
        { 'x-gitea-event': undefined, 'x-gitea-event-type': undefined },
        'no comment on an issue or a pull request',
      ],
      [
        {},
        { 'x-gitea-event': 'pull_request_comment', 'x-gitea-event-type': 'pull_request_review_comment' },
        'no comment on an issue or a pull request',
      ],
      [{ action: 'edited' }, {}, 'the comment was not created'],
      [{ action: 'deleted' }, {}, 'the comment was not created'],
      [{ is_pull: false }, {}, 'the comment is not on a pull request'],
      [{ is_pull: undefined, issue: onIssue }, {}, 'the comment is not on a pull request'],
      [{ repo: 'alice/custom-html' }, {}, 'the repository is not in the organisation'],
      [{ repo: 'coop-cloud-2/custom-html' }, {}, 'the repository is not in the organisation'],
    ];
    for (const [change, headers, why] of ignored) {
      expect(await send(change, headers)).to.deep.equal({ status: 202, body: { ignored: why } });
    }
    expect(inbox()).to.deep.equal([]);
  });

  it('knows the event by either of its headers', async () => {
    await send({ comment: { id: 5 } }, { 'x-gitea-event-type': undefined });
    await send({ comment: { id: 6 } }, { 'x-gitea-event': undefined });
    await send({ comment: { id: 7 }, is_pull: undefined }, { 'x-gitea-event-type': 'issue_comment' });
    expect(listTriggers(store)).to.have.length(3);
  });

  it('leaves old comments to polling, by the clock of the forge', async () => {
    now = NOW + 11 * 60_000;
    const old = { ignored: 'the comment is old; polling has seen it, or will' };
    expect(await send()).to.deep.equal({ status: 202, body: old });
    // Not even kept: polling must still be able to take it.
    expect(inbox()).to.deep.equal([]);
    now = NOW + 9 * 60_000;
    expect((await send()).body).to.deep.equal({ kept: 2 });
    now = NOW - 3_600_000;
    expect((await send({ comment: { id: 3 } })).body).to.deep.equal({ kept: 3 });
  });

  it('takes nothing before it knows who the bot is', async () => {
    bot = undefined;
    expect((await send()).status).to.equal(503);
    expect(inbox()).to.deep.equal([]);
  });

  it('does not say that it took what it could not keep', async () => {
    store.pragma('query_only = 1');
    const answers = await Promise.all([send(), send({ comment: { id: 3 } })]);
    expect(answers.map(({ status }) => status)).to.deep.equal([503, 503]);
    store.pragma('query_only = 0');
    expect(inbox()).to.deep.equal([]);
    expect((await send()).status).to.equal(202);
    expect(logged.filter((line) => line.includes('could not be kept'))).to.have.length(2);
  });

  it('is there with POST only, and not at all without a secret', async () => {
    expect((await app.inject({ method: 'GET', url: '/hook' })).statusCode).to.equal(404);
    const without = buildBridgeApp({ checks: { forge: fine, database: fine, engine: fine } });
    const body = JSON.stringify(commentPayload());
    const headers = deliveryHeaders(body, '');
    const { statusCode } = await without.inject({ method: 'POST', url: '/hook', payload: body, headers });
    expect(statusCode).to.equal(404);
    await without.close();
  });

  it('gives each request an id that its log lines and its answer have, with the comment', async () => {
    const body = JSON.stringify(commentPayload());
    const headers = { ...deliveryHeaders(body, SECRET), 'request-id': 'theirs', 'x-request-id': 'theirs' };
    const response = await app.inject({ method: 'POST', url: '/hook', payload: body, headers });
    const id = response.headers['x-request-id'];
    expect(id).to.match(/^[0-9a-f-]{36}$/);
    const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.find(({ msg }) => msg === 'webhook delivery kept')).to.include({ reqId: id, comment: 2 });
    expect(lines.find(({ msg }) => msg === 'request')).to.include({ reqId: id, url: '/hook', status: 202 });
    expect(lines.find(({ msg }) => msg === 'comment seen')).to.include({ comment: 2, via: 'webhook' });
  });
});
