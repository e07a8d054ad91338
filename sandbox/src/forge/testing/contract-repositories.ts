import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, eachAt, fresh, listOf, textAt } from './scene.js';
import { publish } from './work-tree.js';

/** Repositories, who sees them, forks. */
export function repositoryContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);

  describe('repositories', () => {
    it('are made by who may', async () => {
      const { org, owner, writer, outsider } = stage.scene;
      const wanted = { name: fresh('recipe'), description: 'A recipe', default_branch: 'main' };
      for (const asking of [writer, outsider]) {
        expect(await ask(asking, 'POST', `/orgs/${org}/repos`, wanted)).to.include({ status: 403 });
      }
      expect(await ask(undefined, 'POST', `/orgs/${org}/repos`, wanted)).to.include({ status: 401 });
      expect(await ask(owner, 'POST', '/orgs/nobody-here/repos', wanted)).to.include({ status: 404 });
      const made = await ask(owner, 'POST', `/orgs/${org}/repos`, wanted);
      expect(made.status).to.equal(201);
      expect(made.body).to.containSubset({
        ...wanted,
        full_name: `${org}/${wanted.name}`,
        private: false,
        fork: false,
        empty: true,
        parent: null,
        owner: { login: org },
        permissions: { admin: true, push: true, pull: true },
      });
      expect(await ask(owner, 'POST', `/orgs/${org}/repos`, wanted)).to.include({ status: 409 });
      expect(await ask(outsider, 'POST', '/user/repos', wanted)).to.include({ status: 201 });
    });

    it('have names that stay in their place', async () => {
      const { org, owner } = stage.scene;
      for (const name of ['', '.', '..', '../x', 'a/b', 'a b', 'x.git', 'x'.repeat(101)]) {
        const answer = await ask(owner, 'POST', `/orgs/${org}/repos`, { name });
        expect(answer, name).to.include({ status: 422 });
      }
      const odd = { name: fresh('recipe'), default_branch: 'a..b' };
      expect(await ask(owner, 'POST', `/orgs/${org}/repos`, odd)).to.include({ status: 422 });
      for (const path of [
        '/repos/..%2F..%2Fetc/passwd',
        `/repos/${org}/..%2F..%2Fetc`,
        `/repos/${org}/%2e%2e`,
      ]) {
        expect(await ask(owner, 'GET', path), path).to.include({ status: 404 });
      }
    });

    it('are shown with where to clone them and what one may do', async () => {
      const { bot, url } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work);
      const answer = await ask(bot, 'GET', `/repos/${repository.toUpperCase()}`);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.containSubset({
        full_name: repository,
        clone_url: `${url}/${repository}.git`,
        html_url: `${url}/${repository}`,
        empty: false,
        default_branch: 'main',
        permissions: { admin: false, push: false, pull: true },
      });
    });

    it('are unknown to who may not read them', async () => {
      const { owner, bot, outsider } = stage.scene;
      const hidden = await stage.scene.repository({ private: true });
      expect(await ask(bot, 'GET', `/repos/${hidden}`)).to.include({ status: 200 });
      expect(await ask(owner, 'GET', `/repos/${hidden}`)).to.include({ status: 200 });
      for (const asking of [outsider, undefined]) {
        for (const path of [hidden, 'nobody-here/at-all']) {
          const answer = await ask(asking, 'GET', `/repos/${path}`);
          expect(answer.status).to.equal(404);
          expect(answer.body).to.have.all.keys('message', 'errors', 'url');
        }
      }
    });

    it('are listed page by page', async () => {
      const { owner, outsider, url } = stage.scene;
      const org = fresh('coop');
      await ask(owner, 'POST', '/orgs', { username: org });
      for (const name of ['one', 'two', 'three']) await ask(owner, 'POST', `/orgs/${org}/repos`, { name });
      await ask(owner, 'POST', `/orgs/${org}/repos`, { name: 'secret', private: true });
      const names = async (as: typeof owner | undefined, query = '') =>
        eachAt((await ask(as, 'GET', `/orgs/${org}/repos${query}`)).body, 'name');
      expect(await names(owner)).to.have.members(['one', 'two', 'three', 'secret']);
      expect(await names(outsider)).to.have.members(['one', 'two', 'three']);
      expect(await names(undefined)).to.have.members(['one', 'two', 'three']);
      const first = await ask(owner, 'GET', `/orgs/${org}/repos?limit=3`);
      expect(first.headers.get('x-total-count')).to.equal('4');
      const next = `<${url}/api/v1/orgs/${org}/repos?limit=3&page=2>`;
      expect(first.headers.get('link')).to.equal(`${next}; rel="next",${next}; rel="last"`);
      const second = await ask(owner, 'GET', `/orgs/${org}/repos?limit=3&page=2`);
      expect(second.headers.get('link')).to.match(/page=1>; rel="first",.*page=1>; rel="prev"$/);
      expect([...eachAt(first.body, 'name'), ...eachAt(second.body, 'name')]).to.have.members(
        await names(owner),
      );
      expect(await names(owner, '?page=9')).to.deep.equal([]);
      expect(await names(owner, '?page=-1&limit=0')).to.have.length(4);
      expect(await ask(owner, 'GET', '/orgs/nobody-here/repos')).to.include({ status: 404 });
    });

    it('give no more than 50 of a list at once', async () => {
      const { owner } = stage.scene;
      const org = fresh('coop');
      await ask(owner, 'POST', '/orgs', { username: org });
      const count = 51;
      for (let i = 0; i < count; i++) await ask(owner, 'POST', `/orgs/${org}/repos`, { name: `recipe-${i}` });
      const answer = await ask(owner, 'GET', `/orgs/${org}/repos?limit=1000`);
      expect(listOf(answer.body)).to.have.length(50);
      expect(answer.headers.get('x-total-count')).to.equal(`${count}`);
      expect(listOf((await ask(owner, 'GET', `/orgs/${org}/repos`)).body)).to.have.length(30);
    });

    it('are deleted by their owners only', async () => {
      const { owner, writer, bot } = stage.scene;
      // Nothing was pushed to it: Gitea 1.23 can stop taking pushes in when a repository goes whose push it still works on.
      const repository = await stage.scene.repository();
      expect(await ask(bot, 'DELETE', `/repos/${repository}`)).to.include({ status: 403 });
      expect(await ask(writer, 'DELETE', `/repos/${repository}`)).to.include({ status: 403 });
      expect(await ask(undefined, 'DELETE', `/repos/${repository}`)).to.include({ status: 401 });
      expect(await ask(owner, 'DELETE', `/repos/${repository}`)).to.include({ status: 204 });
      expect(await ask(owner, 'GET', `/repos/${repository}`)).to.include({ status: 404 });
    });
  });

  describe('forks', () => {
    it('hold what the repository held and say where they came from', async () => {
      const { outsider } = stage.scene;
      const { repository, main } = await publish(stage.scene, stage.work);
      const forked = await ask(outsider, 'POST', `/repos/${repository}/forks`, {});
      expect(forked.status).to.equal(202);
      const name = repository.split('/')[1];
      expect(forked.body).to.containSubset({
        full_name: `${outsider.login}/${name}`,
        fork: true,
        empty: false,
        parent: { full_name: repository },
        permissions: { admin: true },
      });
      const refs = await stage.work.remoteRefs(undefined, textAt(forked.body, 'full_name'));
      expect(refs['refs/heads/main']).to.equal(main);
      expect(at((await ask(outsider, 'GET', `/repos/${repository}`)).body, 'forks_count')).to.equal(1);
    });

    it('are one for each owner, and refused to who may not', async () => {
      const { bot, outsider, writer } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work, { private: true });
      const fork = (as: typeof bot | undefined, wanted = {}) =>
        ask(as, 'POST', `/repos/${repository}/forks`, wanted);
      expect(await fork(outsider)).to.include({ status: 404 });
      expect(await fork(bot, { name: fresh('fork') })).to.include({ status: 403 });
      expect(await fork(writer, { name: fresh('fork') })).to.include({ status: 202 });
      expect(await fork(writer)).to.include({ status: 409 });
      expect(await fork(writer, { organization: 'nobody-here' })).to.include({ status: 422 });
      const foreign = fresh('foreign');
      await ask(outsider, 'POST', '/orgs', { username: foreign });
      expect(await fork(writer, { organization: foreign })).to.include({ status: 403 });
    });

    it('are refused to who did not sign in', async () => {
      const { repository } = await publish(stage.scene, stage.work);
      expect(await ask(undefined, 'POST', `/repos/${repository}/forks`, {})).to.include({ status: 401 });
    });
  });
}
