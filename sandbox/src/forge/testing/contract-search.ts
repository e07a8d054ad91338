import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, eachAt, fresh, type Identity, listOf, numberAt, person, textAt } from './scene.js';
import { type OpenedPull, openPull, openPullFromFork, publish } from './work-tree.js';

/** The search over all repositories of an organisation: how one request tells which pull requests changed. */
export function searchContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);
  let pull: OpenedPull;

  const search = (as: Identity, query = '', owner = stage.scene.org) =>
    ask(as, 'GET', `/repos/issues/search?owner=${owner}&type=pulls&limit=50${query && `&${query}`}`);
  const comments = (repository: string) => `/repos/${repository}/issues/comments`;
  const say = async (as: Identity, body: string) => {
    const said = await ask(as, 'POST', `/repos/${pull.repository}/issues/${pull.number}/comments`, { body });
    expect(said.status).to.equal(201);
    return { id: numberAt(said.body, 'id'), at: textAt(said.body, 'updated_at') };
  };
  /** The entry of the pull request; undefined where it is not listed. */
  const found = async (as: Identity, query = 'state=all') =>
    listOf((await search(as, query)).body).find(
      (entry) => at(entry, 'repository.full_name') === pull.repository,
    );

  describe('the search', () => {
    before(async () => {
      const { repository } = await publish(stage.scene, stage.work);
      pull = await openPullFromFork(stage.scene, stage.work, repository);
    });

    it('shows a pull request with its repository, its state and when it was changed', async () => {
      const { bot, org, outsider, url } = stage.scene;
      const entry = await found(bot);
      const page = `${url}/${pull.repository}/pulls/${pull.number}`;
      expect(entry).to.containSubset({
        number: pull.number,
        title: 'A change',
        body: 'Please.',
        state: 'open',
        comments: 0,
        user: { login: outsider.login },
        url: `${url}/api/v1/repos/${pull.repository}/issues/${pull.number}`,
        html_url: page,
        closed_at: null,
        pull_request: { merged: false, merged_at: null, draft: false, html_url: page },
        repository: { name: pull.repository.split('/')[1], owner: org, full_name: pull.repository },
      });
      expect(numberAt(entry, 'id')).to.be.greaterThan(0);
      for (const time of ['created_at', 'updated_at']) {
        expect(textAt(entry, time)).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      }
    });

    it('tells of a new comment: the pull request was changed then, and has one more', async () => {
      const { bot, outsider } = stage.scene;
      const before = numberAt(await found(bot), 'comments');
      const said = await say(outsider, '!testme');
      const entry = await found(bot, `since=${said.at}`);
      expect(numberAt(entry, 'comments')).to.equal(before + 1);
      expect(Date.parse(textAt(entry, 'updated_at'))).to.be.at.least(Date.parse(said.at));
    });

    it('tells of comments by users who hide their activity', async () => {
      const { admin, bot } = stage.scene;
      const shy = await person(ask, admin, 'shy');
      expect(await ask(shy, 'PATCH', '/user/settings', { hide_activity: true })).to.include({ status: 200 });
      const said = await say(shy, '!testme');
      expect(await found(bot, `since=${said.at}`)).to.not.equal(undefined);
      const listed = await ask(bot, 'GET', `${comments(pull.repository)}?since=${said.at}&limit=50`);
      const comment = listOf(listed.body).find((it) => at(it, 'id') === said.id);
      expect(comment).to.containSubset({ body: '!testme', user: { login: shy.login } });
    });

    it('counts seconds, the first and the last included', async () => {
      const { bot } = stage.scene;
      const updated = textAt(await found(bot), 'updated_at');
      const second = (shift: number) => new Date(Date.parse(updated) + shift * 1_000).toISOString();
      const has = async (query: string) => (await found(bot, `state=all&${query}`)) !== undefined;
      expect(await has(`since=${updated}`)).to.equal(true);
      expect(await has(`since=${second(-1)}`)).to.equal(true);
      expect(await has(`since=${second(1)}`)).to.equal(false);
      expect(await has(`before=${updated}`)).to.equal(true);
      expect(await has(`before=${second(-1)}`)).to.equal(false);
      expect(await has(`since=${updated.replace('Z', '%2B00:00')}`)).to.equal(true);
      for (const time of ['since', 'before']) {
        expect(await search(bot, `${time}=yesterday`)).to.include({ status: 422 });
      }
    });

    it('does not tell of edits; of a deleted comment only that there is one less', async () => {
      const { bot, outsider } = stage.scene;
      const said = await say(outsider, 'hello');
      const before = await found(bot);
      // In a later second, or nothing could be told from it.
      let text = '';
      await until(async () => {
        text = `${text}.`;
        const edited = await ask(outsider, 'PATCH', `${comments(pull.repository)}/${said.id}`, {
          body: text,
        });
        return at(edited.body, 'updated_at') !== said.at;
      });
      expect(at(await found(bot), 'updated_at')).to.equal(at(before, 'updated_at'));
      const deleted = await ask(outsider, 'DELETE', `${comments(pull.repository)}/${said.id}`);
      expect(deleted.status).to.equal(204);
      const after = await found(bot);
      expect(at(after, 'updated_at')).to.equal(at(before, 'updated_at'));
      expect(numberAt(after, 'comments')).to.equal(numberAt(before, 'comments') - 1);
    });

    it('lists what is open unless asked otherwise', async () => {
      const { bot, outsider } = stage.scene;
      const here = `/repos/${pull.repository}/pulls/${pull.number}`;
      const states = async () => {
        const listed = [];
        for (const state of ['', 'state=open', 'state=closed', 'state=all', 'state=odd']) {
          listed.push((await found(bot, state)) !== undefined);
        }
        return listed;
      };
      expect(await states()).to.deep.equal([true, true, false, true, true]);
      expect(await ask(outsider, 'PATCH', here, { state: 'closed' })).to.include({ status: 201 });
      expect(await states()).to.deep.equal([false, false, true, true, false]);
      const closed = await found(bot);
      expect(at(closed, 'state')).to.equal('closed');
      expect(textAt(closed, 'closed_at')).to.match(/Z$/);
      expect(await ask(outsider, 'PATCH', here, { state: 'open' })).to.include({ status: 201 });
    });

    it('tells pull requests from issues', async () => {
      const { bot, org } = stage.scene;
      const typed = async (type: string) =>
        eachAt((await ask(bot, 'GET', `/repos/issues/search?owner=${org}&limit=50${type}`)).body, 'number');
      expect(await typed('&type=issues')).to.deep.equal([]);
      expect((await typed('')).length).to.equal((await typed('&type=pulls')).length);
    });

    it('keeps to one owner, whatever the case of the name, and knows who is none', async () => {
      const { bot, org, outsider } = stage.scene;
      const owners = new Set(eachAt((await search(bot, 'state=all')).body, 'repository.owner'));
      expect([...owners]).to.deep.equal([org]);
      const upper = await search(bot, 'state=all', org.toUpperCase());
      expect(upper.body).to.deep.equal((await search(bot, 'state=all')).body);
      // A fork's pull request belongs to where it wants to go.
      expect((await search(bot, 'state=all', outsider.login)).body).to.deep.equal([]);
      const nobody = await search(bot, '', fresh('nobody'));
      expect(nobody.status).to.equal(400);
      expect(nobody.body).to.have.property('message');
    });

    it('tells of private repositories to those who may read them', async () => {
      const { bot, owner, writer, outsider } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work, { private: true });
      await stage.work.commit('hidden');
      await stage.work.push(owner, repository, 'hidden');
      expect(
        (await openPull(stage.scene, owner, repository, { head: 'hidden', title: 'x' })).status,
      ).to.equal(201);
      const lists = async (as: Identity) =>
        eachAt((await search(as)).body, 'repository.full_name').includes(repository);
      for (const reader of [bot, owner, writer]) expect(await lists(reader)).to.equal(true);
      for (const stranger of [outsider, undefined]) expect(await lists(stranger)).to.equal(false);
    });

    it('asks for the scope of issues, and for a token that is valid', async () => {
      const { admin } = stage.scene;
      const narrow = await person(ask, admin, 'narrow', ['read:repository', 'read:organization']);
      expect(await search({ token: narrow.token })).to.include({ status: 403 });
      const wide = await person(ask, admin, 'wide', ['read:issue']);
      expect(await search({ token: wide.token })).to.include({ status: 200 });
      expect(await search({ token: 'f'.repeat(40) })).to.include({ status: 401 });
    });

    it('lists page by page, what was opened last first, whenever it was changed', async () => {
      const { owner, bot } = stage.scene;
      const org = fresh('coop');
      expect(await ask(owner, 'POST', '/orgs', { username: org })).to.include({ status: 201 });
      const name = fresh('recipe');
      const made = { name, default_branch: 'main' };
      expect(await ask(owner, 'POST', `/orgs/${org}/repos`, made)).to.include({ status: 201 });
      const repository = `${org}/${name}`;
      await stage.work.commit('main');
      await stage.work.push(owner, repository, 'main');
      await until(async () => at((await ask(owner, 'GET', `/repos/${repository}`)).body, 'empty') === false);
      for (const head of ['one', 'two', 'three']) {
        await stage.work.commit(head);
        await stage.work.push(owner, repository, head);
        const opened = await openPull(stage.scene, owner, repository, { head, title: head });
        expect(opened.status).to.equal(201);
      }
      await ask(owner, 'POST', `/repos/${repository}/issues/1/comments`, { body: 'still here' });
      const page = (query: string) => ask(bot, 'GET', `/repos/issues/search?owner=${org}&${query}`);
      const [first, second, third] = [
        await page('limit=2'),
        await page('limit=2&page=2'),
        await page('limit=2&page=3'),
      ];
      expect(eachAt(first.body, 'title')).to.deep.equal(['three', 'two']);
      expect(eachAt(second.body, 'title')).to.deep.equal(['one']);
      expect(third.body).to.deep.equal([]);
      for (const { headers } of [first, second, third]) expect(headers.get('x-total-count')).to.equal('3');
      expect(first.headers.get('link')).to.match(/page=2[^>]*>; rel="next"/);
      expect(eachAt((await page('')).body, 'title')).to.deep.equal(['three', 'two', 'one']);
    });
  });
}
