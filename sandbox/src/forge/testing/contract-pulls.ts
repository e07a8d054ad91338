import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, eachAt, type Identity, numberAt, textAt } from './scene.js';
import { openPull, openPullFromFork, publish } from './work-tree.js';

/** Pull requests: what the bridge reads to know which commit to test. */
export function pullContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);
  const path = (pull: { repository: string; number: number }) =>
    `/repos/${pull.repository}/pulls/${pull.number}`;

  async function opened() {
    const { repository } = await publish(stage.scene, stage.work);
    return openPullFromFork(stage.scene, stage.work, repository);
  }

  describe('pull requests', () => {
    it('say what is to be merged from where into what', async () => {
      const { bot, outsider, url } = stage.scene;
      const { repository, main } = await publish(stage.scene, stage.work);
      const pull = await openPullFromFork(stage.scene, stage.work, repository);
      expect(pull.number).to.equal(1);
      const answer = await ask(bot, 'GET', path(pull));
      expect(answer.status).to.equal(200);
      expect(answer.body).to.containSubset({
        number: 1,
        state: 'open',
        merged: false,
        title: 'A change',
        body: 'Please.',
        draft: false,
        user: { login: outsider.login },
        html_url: `${url}/${repository}/pulls/1`,
        head: { label: 'change', ref: 'change', sha: pull.sha, repo: { full_name: pull.fork } },
        base: { label: 'main', ref: 'main', sha: main, repo: { full_name: repository } },
        merge_base: main,
        closed_at: null,
      });
      expect(at(answer.body, 'head.repo_id')).to.equal(at(answer.body, 'head.repo.id'));
      expect(at(answer.body, 'head.repo.clone_url')).to.equal(`${url}/${pull.fork}.git`);
    });

    it('can come from a branch of the same repository', async () => {
      const { writer } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work);
      const sha = await stage.work.commit('inside');
      await stage.work.push(writer, repository, 'inside');
      const answer = await openPull(stage.scene, writer, repository, {
        head: 'inside',
        title: 'From inside',
      });
      expect(answer.status).to.equal(201);
      expect(answer.body).to.containSubset({ head: { sha, repo: { full_name: repository } } });
    });

    it('are refused where there is nothing to merge, or no right to ask', async () => {
      const { outsider, writer } = stage.scene;
      const pull = await opened();
      const right = { head: `${outsider.login}:change`, base: 'main', title: 'Again' };
      const open = (as: Identity, change = {}) =>
        ask(as, 'POST', `/repos/${pull.repository}/pulls`, { ...right, ...change });
      expect(await open(outsider)).to.include({ status: 409 });
      expect(await open(undefined)).to.include({ status: 401 });
      expect(await open(outsider, { head: 'main' })).to.include({ status: 422 });
      for (const missing of ['head', 'base', 'title']) {
        expect(await open(outsider, { [missing]: undefined }), missing).to.include({ status: 422 });
      }
      const heads = [`${outsider.login}:nothing`, 'nobody-here:change', `${writer.login}:change`];
      const odd = [`${outsider.login}:--upload-pack=x`, `${outsider.login}:a..b`, `${outsider.login}:a:b`];
      for (const head of [...heads, ...odd])
        expect(await open(outsider, { head }), head).to.include({ status: 404 });
      expect(await open(outsider, { base: 'nothing' })).to.include({ status: 404 });
    });

    it('are unknown by a wrong number, and to who may not read the repository', async () => {
      const { bot, outsider, owner } = stage.scene;
      const hidden = await publish(stage.scene, stage.work, { private: true });
      await stage.work.commit('inside');
      await stage.work.push(owner, hidden.repository, 'inside');
      await openPull(stage.scene, owner, hidden.repository, { head: 'inside', title: 'Secret' });
      const one = `/repos/${hidden.repository}/pulls/1`;
      expect(await ask(bot, 'GET', one)).to.include({ status: 200 });
      for (const asking of [outsider, undefined])
        expect(await ask(asking, 'GET', one)).to.include({ status: 404 });
      for (const number of ['2', 'abc', '0', '-1']) {
        const answer = await ask(bot, 'GET', `/repos/${hidden.repository}/pulls/${number}`);
        expect(answer, number).to.include({ status: 404 });
      }
    });

    it('follow their branch: a push moves the head and the ref that is kept of it', async () => {
      const { bot, outsider } = stage.scene;
      const pull = await opened();
      const kept = async () => (await stage.work.remoteRefs(undefined, pull.repository))['refs/pull/1/head'];
      expect(await kept()).to.equal(pull.sha);
      const sha = await stage.work.commit('change');
      await stage.work.push(outsider, pull.fork, 'change');
      expect(at((await ask(bot, 'GET', path(pull))).body, 'head.sha')).to.equal(sha);
      await until(async () => (await kept()) === sha);
    });

    it('are listed by state, the newest first, page by page', async () => {
      const { outsider, url } = stage.scene;
      const pull = await opened();
      for (const branch of ['second', 'third']) {
        await stage.work.push(outsider, pull.fork, `change:${branch}`);
        const head = `${outsider.login}:${branch}`;
        await openPull(stage.scene, outsider, pull.repository, { head, title: branch });
      }
      await ask(outsider, 'PATCH', `/repos/${pull.repository}/pulls/2`, { state: 'closed' });
      const list = (query: string) => ask(undefined, 'GET', `/repos/${pull.repository}/pulls${query}`);
      expect(eachAt((await list('?state=open')).body, 'number')).to.deep.equal([3, 1]);
      expect(eachAt((await list('?state=closed')).body, 'number')).to.deep.equal([2]);
      expect(eachAt((await list('')).body, 'number')).to.deep.equal([3, 2, 1]);
      const all = await list('?state=all&limit=2');
      expect(eachAt(all.body, 'number')).to.have.length(2);
      expect(all.headers.get('x-total-count')).to.equal('3');
      const next = `<${url}/api/v1/repos/${pull.repository}/pulls?limit=2&page=2&state=all>`;
      expect(all.headers.get('link')).to.include(`${next}; rel="next"`);
      expect(eachAt((await list('?state=all')).body, 'head.sha')).to.deep.equal([
        pull.sha,
        pull.sha,
        pull.sha,
      ]);
    });

    it('are closed, reopened and renamed by their authors and writers', async () => {
      const { bot, outsider, writer } = stage.scene;
      const pull = await opened();
      const change = (as: Identity, wanted: object) => ask(as, 'PATCH', path(pull), wanted);
      const closed = await change(outsider, { state: 'closed' });
      expect(closed.status).to.equal(201);
      expect(closed.body).to.include({ state: 'closed', merged: false });
      expect(textAt(closed.body, 'closed_at')).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const reopened = await change(writer, { state: 'open', title: 'Renamed' });
      expect(reopened.body).to.include({ state: 'open', title: 'Renamed', closed_at: null });
      expect(await change(undefined, { state: 'closed' })).to.include({ status: 401 });
      expect(await change(bot, { state: 'closed' })).to.include({ status: 403 });
      expect(await change(outsider, { state: 'odd' })).to.include({ status: 412 });
      const none = await ask(writer, 'PATCH', `/repos/${pull.repository}/pulls/99`, { state: 'closed' });
      expect(none).to.include({ status: 404 });
      expect(at((await ask(bot, 'GET', path(pull))).body, 'state')).to.equal('open');
    });

    it('are closed when their branch is deleted, and keep the commit', async () => {
      const { bot, outsider } = stage.scene;
      const pull = await opened();
      await stage.work.push(outsider, pull.fork, ':change');
      await until(async () => at((await ask(bot, 'GET', path(pull))).body, 'state') === 'closed');
      const answer = await ask(bot, 'GET', path(pull));
      expect(answer.body).to.containSubset({
        head: { label: 'change', ref: 'refs/pull/1/head', sha: pull.sha, repo: { full_name: pull.fork } },
      });
    });

    it('are closed when the branch they lead to is deleted', async () => {
      const { bot, outsider, owner } = stage.scene;
      const pull = await opened();
      await stage.work.push(owner, pull.repository, 'main:old');
      await stage.work.push(outsider, pull.fork, 'change:second');
      const head = `${outsider.login}:second`;
      const second = await openPull(stage.scene, outsider, pull.repository, {
        head,
        base: 'old',
        title: 'Old',
      });
      expect(second.status).to.equal(201);
      await stage.work.push(owner, pull.repository, ':old');
      const number = numberAt(second.body, 'number');
      const state = async () => at((await ask(bot, 'GET', path({ ...pull, number }))).body, 'state');
      await until(async () => (await state()) === 'closed');
    });

    it('leave alone, while closed, the ref that is kept of them', async () => {
      const { outsider } = stage.scene;
      const pull = await opened();
      await ask(outsider, 'PATCH', path(pull), { state: 'closed' });
      const sha = await stage.work.commit('change');
      await stage.work.push(outsider, pull.fork, 'change');
      expect(at((await ask(outsider, 'GET', path(pull))).body, 'head.sha')).to.equal(sha);
      const refs = await stage.work.remoteRefs(undefined, pull.repository);
      expect(refs['refs/pull/1/head']).to.equal(pull.sha);
    });

    it('are closed when their fork is deleted, and keep the commit', async () => {
      const { bot, outsider } = stage.scene;
      const pull = await opened();
      expect(await ask(outsider, 'DELETE', `/repos/${pull.fork}`)).to.include({ status: 204 });
      await until(async () => at((await ask(bot, 'GET', path(pull))).body, 'state') === 'closed');
      const answer = await ask(bot, 'GET', path(pull));
      expect(answer.body).to.containSubset({
        head: { label: 'change', ref: 'refs/pull/1/head', sha: pull.sha, repo_id: -1, repo: null },
      });
      const refs = await stage.work.remoteRefs(undefined, pull.repository);
      expect(refs['refs/pull/1/head']).to.equal(pull.sha);
    });
  });
}
