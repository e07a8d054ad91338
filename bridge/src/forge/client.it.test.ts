import { expect } from 'chai';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ALICE, BOT, COMMENT, FORBIDDEN, ISSUE, NOT_FOUND, PULL, STATUS } from '../testing/gitea-answers.js';
import {
  connectForge,
  createComment,
  editComment,
  type ForgeClient,
  getPullRequest,
  isOrgMember,
  listIssueComments,
  setCommitStatus,
  whoAmI,
} from './client.js';
import { ForgeError, parseRetryAfter } from './errors.js';
import { searchPulls } from './lists.js';

const TOKEN = 'secret-token-5c1e';
const REPO = 'coop-cloud/custom-html';
const SHA = PULL.head.sha;

/** What the server is asked, and what it answers with next. */
interface Given {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Sent instead of everything else. */
  raw?: (request: FastifyRequest) => void;
}

describe('the forge client', () => {
  let server: FastifyInstance;
  let forge: ForgeClient;
  let asked: { what: string; authorization: string | undefined; body: unknown }[];
  let answer: (request: FastifyRequest) => Given;

  beforeEach(async () => {
    asked = [];
    server = Fastify({ logger: false, forceCloseConnections: true });
    server.all('/*', (request, reply) => {
      const { authorization } = request.headers;
      asked.push({ what: `${request.method} ${request.url}`, authorization, body: request.body });
      const given = answer(request);
      if (given.raw) {
        reply.hijack();
        return given.raw(request);
      }
      const { status = 200, headers = {}, body } = given;
      return reply
        .code(status)
        .headers({ 'content-type': 'application/json', ...headers })
        .send(text(body));
    });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    forge = connectForge({ url: `${url}/`, token: TOKEN, timeoutMs: 300 });
  });
  afterEach(async () => {
    await forge.close();
    await server.close();
  });

  const answers = (given: Given) => {
    answer = () => given;
  };

  it('asks each thing at its own place, with the token in its header', async () => {
    answers({ body: BOT });
    expect(await whoAmI(forge)).to.deep.equal({ id: 2, login: 'bot' });
    answers({ body: PULL });
    expect(await getPullRequest(forge, REPO, 1)).to.deep.equal({
      number: 1,
      state: 'open',
      merged: false,
      base: { repo: { full_name: REPO, clone_url: PULL.base.repo.clone_url } },
      head: { sha: SHA, repo: { full_name: 'alice/custom-html', clone_url: PULL.head.repo.clone_url } },
    });
    answers({ status: 204 });
    expect(await isOrgMember(forge, 'coop-cloud', 'alice')).to.equal(true);
    answers({ status: 201, body: COMMENT });
    expect((await createComment(forge, REPO, 1, 'hello')).id).to.equal(2);
    answers({ body: COMMENT });
    await editComment(forge, REPO, 2, 'hello again');
    answers({ status: 201, body: STATUS });
    const status = {
      state: 'pending',
      context: 'c',
      description: 'd',
      target_url: 'http://ci.test/',
    } as const;
    expect(await setCommitStatus(forge, REPO, SHA, status)).to.equal('set');

    expect(asked.map(({ what }) => what)).to.deep.equal([
      'GET /api/v1/user',
      'GET /api/v1/repos/coop-cloud/custom-html/pulls/1',
      'GET /api/v1/orgs/coop-cloud/members/alice',
      'POST /api/v1/repos/coop-cloud/custom-html/issues/1/comments',
      'PATCH /api/v1/repos/coop-cloud/custom-html/issues/comments/2',
      `POST /api/v1/repos/coop-cloud/custom-html/statuses/${SHA}`,
    ]);
    expect(new Set(asked.map(({ authorization }) => authorization))).to.deep.equal(
      new Set([`token ${TOKEN}`]),
    );
    expect(asked.map(({ body }) => body).filter(Boolean)).to.deep.equal([
      { body: 'hello' },
      { body: 'hello again' },
      status,
    ]);
  });

  it('lets no name lead to another place', async () => {
    answers({ status: 204 });
    await isOrgMember(forge, '../../x', 'a/b?c#d');
    expect(asked[0]?.what).to.equal('GET /api/v1/orgs/..%2F..%2Fx/members/a%2Fb%3Fc%23d');
  });

  it('knows members from others, and both from not knowing', async () => {
    answers({ status: 404, body: NOT_FOUND });
    expect(await isOrgMember(forge, 'coop-cloud', 'mallory')).to.equal(false);
    for (const given of [
      { status: 200, body: {} },
      { status: 303, headers: { location: '/api/v1/orgs/coop-cloud/public_members/alice' } },
      { status: 401, body: { message: 'token expired' } },
      { status: 500, body: { message: '' } },
      { status: 404, body: '404 page not found\n', headers: { 'content-type': 'text/plain' } },
    ]) {
      answers(given);
      await failure(isOrgMember(forge, 'coop-cloud', 'alice'));
    }
    expect(asked.length).to.equal(6);
  });

  it('says why members are hidden from a bot that is none', async () => {
    answers({ status: 303, headers: { location: '/api/v1/orgs/coop-cloud/public_members/alice' } });
    const error = await failure(isOrgMember(forge, 'coop-cloud', 'alice'));
    expect(error).to.include({ kind: 'refused', hint: 'make the bot a member of a team of coop-cloud' });
  });

  it('takes it for an answer that the bot may not set a status', async () => {
    answers({ status: 403, body: FORBIDDEN });
    const status = { state: 'error', context: 'c', description: 'd', target_url: 'http://ci.test/' } as const;
    expect(await setCommitStatus(forge, REPO, SHA, status)).to.equal('forbidden');
  });

  it('reads comments to the end, from a forge with pages and from one without', async () => {
    const all = Array.from({ length: 120 }, (_, i) => ({ ...COMMENT, id: i + 1 }));
    const ids = all.map(({ id }) => id);
    const pageOf = (request: FastifyRequest) => {
      const page = Number((request.query as { page: string }).page);
      return all.slice((page - 1) * 50, page * 50);
    };
    answer = (request) => ({ body: pageOf(request) });
    expect((await listIssueComments(forge, REPO, 1)).map(({ id }) => id)).to.deep.equal(ids);
    expect(asked.length).to.equal(4);

    answer = (request) => ({ body: pageOf(request), headers: { 'x-total-count': '120' } });
    expect((await listIssueComments(forge, REPO, 1)).map(({ id }) => id)).to.deep.equal(ids);
    expect(asked.length).to.equal(4 + 3);

    answer = () => ({ body: all, headers: { 'x-total-count': '120' } });
    expect((await listIssueComments(forge, REPO, 1)).map(({ id }) => id)).to.deep.equal(ids);
    expect(asked.length).to.equal(4 + 3 + 1);

    answer = () => ({ body: all });
    expect((await listIssueComments(forge, REPO, 1)).map(({ id }) => id)).to.deep.equal(ids);
    expect(asked.length).to.equal(4 + 3 + 1 + 2);
  });

  const failures: [string, Given, Partial<ForgeError>][] = [
    ['a server error', { status: 500, body: { message: 'oh no' } }, { kind: 'unavailable', status: 500 }],
    [
      'a server that is busy until later',
      { status: 503, headers: { 'retry-after': '7' }, body: '' },
      { kind: 'unavailable', retryAfterMs: 7_000 },
    ],
    [
      'too many requests',
      { status: 429, headers: { 'retry-after': '30' }, body: { message: 'slow down' } },
      { kind: 'rate-limited', retryAfterMs: 30_000 },
    ],
    ['too many requests, for how long is not said', { status: 429 }, { kind: 'rate-limited' }],
    ['a token that is not valid', { status: 401, body: { message: 'no' } }, { kind: 'refused', status: 401 }],
    ['a token that may not', { status: 403, body: FORBIDDEN }, { kind: 'refused', status: 403 }],
    ['nothing there', { status: 404, body: NOT_FOUND }, { kind: 'not-found', status: 404 }],
    [
      "a proxy's page",
      { status: 404, body: '404 page not found\n', headers: { 'content-type': 'text/plain' } },
      { kind: 'unavailable', status: 404 },
    ],
    ['a body that is refused', { status: 422, body: { message: 'x' } }, { kind: 'unexpected', status: 422 }],
    [
      'a repository that moved',
      { status: 307, headers: { location: '/api/v1/user' } },
      { kind: 'unexpected', status: 307 },
    ],
    ['a page of HTML', { body: '<html>', headers: { 'content-type': 'text/html' } }, { kind: 'unexpected' }],
    ['half an answer', { body: '{"number": 1, "sta' }, { kind: 'unexpected' }],
    ['nothing', { body: '' }, { kind: 'unexpected' }],
    ['null', { body: 'null' }, { kind: 'unexpected' }],
    ['another thing', { body: { ...PULL, state: 'ajar' } }, { kind: 'unexpected' }],
    ['no answer in time', { raw: () => undefined }, { kind: 'unavailable' }],
    ['a cut connection', { raw: (request) => request.raw.socket.destroy() }, { kind: 'unavailable' }],
    [
      'a connection cut in the middle of the answer',
      {
        raw: ({ raw }) => {
          raw.socket.end(
            'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"num',
          );
        },
      },
      { kind: 'unavailable' },
    ],
    [
      'an answer that trickles',
      {
        raw: ({ raw }) => {
          raw.socket.write('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"num');
        },
      },
      { kind: 'unavailable' },
    ],
  ];
  for (const [name, given, expected] of failures) {
    it(`tells ${name} from the other failures`, async () => {
      answers(given);
      const error = await failure(getPullRequest(forge, REPO, 1));
      expect(error).to.include(expected);
      expect(error.message).to.include('/repos/coop-cloud/custom-html/pulls/1');
    });
  }

  it('names what is wrong in an answer of another form', async () => {
    answers({ body: [ISSUE, { ...ISSUE, number: 'x', updated_at: 'now' }] });
    const error = await failure(searchPulls(forge, 'coop-cloud', { since: 0, page: 1 }));
    expect(error.message).to.match(/search answered in another form: 1\.number: .*; 1\.updated_at/);
  });

  it('knows for how long it was asked to leave the forge alone, by whichever answer', async () => {
    expect(forge.quietMs()).to.equal(0);
    answers({ status: 503, headers: { 'retry-after': '20' }, body: '' });
    await failure(createComment(forge, REPO, 1, 'hello'));
    answers({ status: 429, headers: { 'retry-after': '5' }, body: '' });
    await failure(whoAmI(forge));
    answers({ body: BOT });
    await whoAmI(forge);
    expect(forge.quietMs()).to.be.within(15_000, 20_000);
    answers({ status: 429, headers: { 'retry-after': '999999999' }, body: '' });
    await failure(whoAmI(forge));
    expect(forge.quietMs()).to.be.within(3_000_000, 3_600_000);
  });

  it('says why where nobody listens', async () => {
    await server.close();
    const error = await failure(whoAmI(forge));
    expect(error.kind).to.equal('unavailable');
    expect(error.message).to.match(/^GET http:\/\/127\.0\.0\.1:\d+\/api\/v1\/user: .*ECONNREFUSED/);
  });

  it('keeps the token out of every error', async () => {
    for (const [, given] of failures) {
      answers(given);
      const error = await failure(getPullRequest(forge, REPO, 1));
      expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).to.not.include(TOKEN);
    }
  });

  it('keeps ghosts: the comment of a user who was deleted', async () => {
    answers({ body: [{ ...COMMENT, user: { ...ALICE, id: -1, login: 'Ghost' } }] });
    expect((await listIssueComments(forge, REPO, 1))[0]?.user).to.deep.equal({ id: -1, login: 'Ghost' });
  });
});

describe('a Retry-After header', () => {
  it('is seconds, a date, or nothing to understand', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(parseRetryAfter('120', now)).to.equal(120_000);
    expect(parseRetryAfter('Sat, 21 Nov 2026 12:00:30 GMT', now)).to.equal(30_000);
    expect(parseRetryAfter('Sat, 21 Nov 2026 11:00:00 GMT', now)).to.equal(0);
    expect(parseRetryAfter('soon', now)).to.equal(undefined);
    expect(parseRetryAfter(undefined, now)).to.equal(undefined);
  });
});

function text(body: unknown): string {
  return typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
}

async function failure(promise: Promise<unknown>): Promise<ForgeError> {
  const error = await promise.then(
    () => expect.fail('it went well'),
    (reason: unknown) => reason,
  );
  return error instanceof ForgeError ? error : expect.fail(`not a ForgeError: ${error}`);
}
