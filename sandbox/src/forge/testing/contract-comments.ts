import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, eachAt, type Identity, numberAt, textAt } from './scene.js';
import { type OpenedPull, openPullFromFork, publish } from './work-tree.js';

/** Comments: what people ask with, and what the bot answers with. */
export function commentContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);
  let pull: OpenedPull;

  const said = (as: Identity, body: unknown, number: number | string = pull.number) =>
    ask(as, 'POST', `/repos/${pull.repository}/issues/${number}/comments`, { body });
  const one = (id: number) => `/repos/${pull.repository}/issues/comments/${id}`;
  const saidId = async (as: Identity, body: string) => numberAt((await said(as, body)).body, 'id');

  describe('comments', () => {
    before(async () => {
      const { repository } = await publish(stage.scene, stage.work);
      pull = await openPullFromFork(stage.scene, stage.work, repository);
    });

    it('are made by anybody who may read, the read-level bot too', async () => {
      const { bot, outsider, url } = stage.scene;
      for (const author of [bot, outsider]) {
        const answer = await said(author, 'A *word* <!-- with a marker -->');
        expect(answer.status).to.equal(201);
        expect(answer.body).to.containSubset({
          body: 'A *word* <!-- with a marker -->',
          user: { login: author.login },
          pull_request_url: `${url}/${pull.repository}/pulls/1`,
          issue_url: '',
        });
        const id = numberAt(answer.body, 'id');
        expect(at(answer.body, 'html_url')).to.equal(`${url}/${pull.repository}/pulls/1#issuecomment-${id}`);
        expect(textAt(answer.body, 'created_at')).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(at(answer.body, 'updated_at')).to.equal(at(answer.body, 'created_at'));
        expect((await ask(undefined, 'GET', one(id))).body).to.deep.equal(answer.body);
      }
    });

    it('keep every character', async () => {
      const text = ` !testme \r\n\n\tümläute 🎉 ${'x'.repeat(20_000)} `;
      const id = await saidId(stage.scene.outsider, text);
      expect(at((await ask(undefined, 'GET', one(id))).body, 'body')).to.equal(text);
    });

    it('are refused without words, without a name, or where there is nothing to comment on', async () => {
      const { bot, outsider } = stage.scene;
      expect(await said(bot, '')).to.include({ status: 422 });
      expect(await said(bot, undefined)).to.include({ status: 422 });
      expect(await said(undefined, 'Hello')).to.include({ status: 401 });
      // Not 404: who retries on 500 must not do so for ever.
      for (const number of [99, 'abc']) {
        expect(await said(bot, 'Hello', number)).to.include({ status: 500 });
        const list = `/repos/${pull.repository}/issues/${number}/comments`;
        expect(await ask(bot, 'GET', list)).to.include({ status: 500 });
      }
      const hidden = await stage.scene.repository({ private: true });
      const there = await ask(outsider, 'POST', `/repos/${hidden}/issues/1/comments`, { body: 'Hello' });
      expect(there.status).to.equal(404);
    });

    it('are listed for one pull request all at once, the oldest first', async () => {
      const { bot } = stage.scene;
      const ids = [await saidId(bot, 'one'), await saidId(bot, 'two')];
      const list = `/repos/${pull.repository}/issues/${pull.number}/comments`;
      const answer = await ask(undefined, 'GET', `${list}?limit=1`);
      expect(answer.status).to.equal(200);
      expect(eachAt(answer.body, 'id').slice(-2)).to.deep.equal(ids);
      expect(answer.headers.get('x-total-count')).to.equal(`${eachAt(answer.body, 'id').length}`);
    });

    it('are listed for a repository page by page, and by when they were last changed', async () => {
      const { bot } = stage.scene;
      const list = `/repos/${pull.repository}/issues/comments`;
      const last = await saidId(bot, 'the last one');
      const all = eachAt((await ask(bot, 'GET', `${list}?limit=50`)).body, 'id');
      expect(all.at(-1)).to.equal(last);
      const page = await ask(bot, 'GET', `${list}?limit=1&page=2`);
      expect(eachAt(page.body, 'id')).to.deep.equal([all[1]]);
      expect(page.headers.get('x-total-count')).to.equal(`${all.length}`);
      const changed = textAt((await ask(bot, 'GET', one(last))).body, 'updated_at');
      const ids = async (query: string) =>
        eachAt((await ask(bot, 'GET', `${list}?limit=50&${query}`)).body, 'id');
      expect(await ids(`since=${changed}`)).to.include(last);
      expect(await ids(`before=${changed}`)).to.include(last);
      expect(await ids('since=2999-01-01T00:00:00Z')).to.deep.equal([]);
      expect(await ids('before=2001-01-01T00:00:00%2B01:00')).to.deep.equal([]);
      expect(await ask(bot, 'GET', `${list}?since=tomorrow`)).to.include({ status: 422 });
    });

    it('are changed by their authors and by writers, and tell when', async () => {
      const { bot, outsider, writer } = stage.scene;
      const id = await saidId(bot, 'running');
      const made = textAt((await ask(bot, 'GET', one(id))).body, 'created_at');
      let text = '';
      // The forge's clock counts whole seconds: change it until the next one.
      await until(async () => {
        text = `${text}.`;
        const edited = await ask(bot, 'PATCH', one(id), { body: text });
        expect(edited.status).to.equal(200);
        return at(edited.body, 'updated_at') !== made;
      });
      const edited = await ask(undefined, 'GET', one(id));
      expect(edited.body).to.include({ body: text, created_at: made });
      expect(Date.parse(textAt(edited.body, 'updated_at'))).to.be.greaterThan(Date.parse(made));
      expect(await ask(writer, 'PATCH', one(id), { body: 'changed' })).to.include({ status: 200 });
      expect(await ask(outsider, 'PATCH', one(id), { body: 'mine' })).to.include({
        status: 403,
        body: undefined,
      });
      expect(await ask(undefined, 'PATCH', one(id), { body: 'mine' })).to.include({ status: 401 });
      expect(await ask(bot, 'PATCH', one(id), { body: '' })).to.include({ status: 422 });
      expect(at((await ask(bot, 'GET', one(id))).body, 'body')).to.equal('changed');
      expect(at((await ask(bot, 'GET', one(id))).body, 'user.login')).to.equal(bot.login);
    });

    it('are deleted by their authors and by writers', async () => {
      const { bot, outsider, writer } = stage.scene;
      const [mine, other] = [await saidId(bot, 'mine'), await saidId(bot, 'other')];
      expect(await ask(outsider, 'DELETE', one(mine))).to.include({ status: 403 });
      expect(await ask(undefined, 'DELETE', one(mine))).to.include({ status: 401 });
      expect(await ask(bot, 'DELETE', one(mine))).to.include({ status: 204 });
      expect(await ask(writer, 'DELETE', one(other))).to.include({ status: 204 });
      for (const [method, body] of [['GET'], ['PATCH', { body: 'x' }], ['DELETE']] as const) {
        expect(await ask(bot, method, one(mine), body)).to.include({ status: 404 });
      }
    });

    it('are found in their own repository only', async () => {
      const { bot, outsider } = stage.scene;
      const id = await saidId(outsider, 'here');
      const elsewhere = `/repos/${pull.fork}/issues/comments/${id}`;
      expect(await ask(bot, 'GET', elsewhere)).to.include({ status: 404 });
      expect(await ask(outsider, 'PATCH', elsewhere, { body: 'there' })).to.include({ status: 404 });
      expect(await ask(outsider, 'DELETE', elsewhere)).to.include({ status: 404 });
      expect(await ask(bot, 'GET', one(99_999_999))).to.include({ status: 404 });
    });
  });
}
