import { expect } from 'chai';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { COMMENT, ISSUE, REPOSITORY } from '../testing/gitea-answers.js';
import { connectForge, type ForgeClient } from './client.js';
import { listOrgRepos, listRepoComments, type Page, readAll, searchPulls } from './lists.js';

const AT = Date.parse('2026-11-21T08:30:45Z');

describe('lists of the forge', () => {
  let server: FastifyInstance;
  let forge: ForgeClient;
  let asked: string[];
  let answer: { body: unknown; headers: Record<string, string> };

  beforeEach(async () => {
    asked = [];
    server = Fastify({ logger: false, forceCloseConnections: true });
    server.get('/*', (request, reply) => {
      asked.push(request.url);
      return reply.headers(answer.headers).send(answer.body);
    });
    forge = connectForge({ url: await server.listen({ host: '127.0.0.1', port: 0 }), token: 't' });
  });
  afterEach(async () => {
    await forge.close();
    await server.close();
  });

  it('asks for what changed, one page at a time, and reads what the bridge needs', async () => {
    const date = 'Sat, 21 Nov 2026 08:30:46 GMT';
    answer = {
      body: [ISSUE],
      headers: { 'x-total-count': '3', link: '<http://x/?page=3>; rel="next"', date },
    };
    expect(await searchPulls(forge, 'coop-cloud', { since: AT + 999, page: 2 })).to.deep.equal({
      items: [
        {
          id: 1,
          number: 1,
          state: 'open',
          updated_at: AT,
          comments: 1,
          repository: { full_name: 'coop-cloud/custom-html' },
        },
      ],
      total: 3,
      hasNext: true,
      date: AT + 1_000,
    });
    answer = { body: [COMMENT], headers: { link: '<http://x/?page=1>; rel="prev"', date: 'soon' } };
    const { items, ...page } = await listRepoComments(forge, 'coop-cloud/custom-html', {
      since: AT,
      page: 1,
    });
    expect(items[0]).to.deep.include({ id: 2, user: { id: 3, login: 'alice' }, created_at: AT });
    expect(page).to.deep.equal({ total: undefined, hasNext: false, date: undefined });
    answer = { body: [REPOSITORY], headers: {} };
    const repos = await listOrgRepos(forge, 'coop-cloud', 1);
    expect(repos.items).to.deep.equal([
      {
        id: 1,
        full_name: 'coop-cloud/custom-html',
        archived: false,
        permissions: { push: false },
        updated_at: AT - 1_000,
      },
    ]);
    expect(repos.hasNext).to.equal(undefined);
    expect(asked).to.deep.equal([
      '/api/v1/repos/issues/search?owner=coop-cloud&type=pulls&state=all&since=2026-11-21T08:30:45Z&limit=50&page=2',
      '/api/v1/repos/coop-cloud/custom-html/issues/comments?since=2026-11-21T08:30:45Z&limit=50&page=1',
      '/api/v1/orgs/coop-cloud/repos?limit=50&page=1',
    ]);
  });

  it('asks for everything where nothing is known, and lets no name lead elsewhere', async () => {
    answer = { body: [], headers: {} };
    await searchPulls(forge, 'a&type=issues', { since: -5, page: 1 });
    await listRepoComments(forge, 'a?b/c#d', { since: 0, page: 1 });
    expect(asked).to.deep.equal([
      '/api/v1/repos/issues/search?owner=a%26type%3Dissues&type=pulls&state=all&limit=50&page=1',
      '/api/v1/repos/a%3Fb/c%23d/issues/comments?limit=50&page=1',
    ]);
  });

  it('drops what Gitea could not fill', async () => {
    const empty = { ...ISSUE, id: 0, number: 0, updated_at: '0001-01-01T00:00:00Z', repository: null };
    answer = { body: [empty], headers: {} };
    expect((await searchPulls(forge, 'coop-cloud', { since: 0, page: 1 })).items[0]?.repository).to.equal(
      null,
    );
  });
});

describe('reading a list to its end', () => {
  type Item = { id: number };
  const ids = (from: number, to: number): Item[] =>
    Array.from({ length: to - from + 1 }, (_, index) => ({ id: from + index }));
  const page = (items: Item[], total?: number, date?: number): Page<Item> => ({
    items,
    total,
    hasNext: undefined,
    date,
  });
  /** Reads pages from a script, one answer after another. */
  async function reading(...answers: Page<Item>[]) {
    const pages: number[] = [];
    const result = await readAll('the list', async (number) => {
      pages.push(number);
      return answers[pages.length - 1] ?? expect.fail('asked too often');
    });
    return { pages, ids: result.items.map(({ id }) => id), date: result.date };
  }
  const numbers = (from: number, to: number) => ids(from, to).map(({ id }) => id);

  it('takes one request for one page', async () => {
    expect((await reading(page(ids(1, 3), 3, 7))).pages).to.deep.equal([1]);
    expect((await reading(page([], 0))).pages).to.deep.equal([1]);
    expect((await reading(page([]))).pages).to.deep.equal([1]);
  });

  it('follows pages of any length, and dates the list by the first', async () => {
    const read = await reading(page(ids(1, 3), 7, 70), page(ids(4, 6), 7, 80), page(ids(7, 7), 7, 90));
    expect(read).to.deep.equal({ pages: [1, 2, 3], ids: numbers(1, 7), date: 70 });
  });

  it('ends where nothing new comes, if the forge does not say how many there are', async () => {
    expect((await reading(page(ids(1, 3)), page(ids(4, 5)), page([]))).ids).to.deep.equal(numbers(1, 5));
    expect((await reading(page(ids(1, 3)), page(ids(1, 3)))).pages).to.deep.equal([1, 2]);
  });

  it('begins again when an entry left meanwhile, and another one slipped past', async () => {
    // 1 left after the first page: 4 has moved onto it, unseen.
    const read = await reading(
      page(ids(1, 3), 6),
      page(ids(5, 6), 5),
      page(ids(2, 4), 5),
      page(ids(5, 6), 5),
    );
    expect(read).to.deep.include({ pages: [1, 2, 1, 2], ids: numbers(2, 6) });
  });

  it('begins again when an entry came meanwhile, or fewer are there than were told', async () => {
    const came = await reading(page(ids(1, 3), 4), page([{ id: 3 }, { id: 4 }], 5), page(ids(0, 4), 5));
    expect(came.ids).to.deep.equal(numbers(0, 4));
    const fewer = await reading(page(ids(1, 3), 5), page(ids(4, 4), 5), page([], 5), page(ids(1, 5), 5));
    expect(fewer.ids).to.deep.equal(numbers(1, 5));
  });

  it('gives up on a list that never stands still', async () => {
    const unsteady = [page(ids(1, 3), 6), page(ids(5, 6), 5)];
    const error = await reading(...unsteady, ...unsteady, ...unsteady).catch((reason: Error) => reason);
    expect((error as Error).message).to.equal('the list changed 3 times while its pages were read');
  });
});
