import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, eachAt, type Identity } from './scene.js';
import { type OpenedPull, openPullFromFork, publish } from './work-tree.js';

/** Statuses of commits, which only writers may set. */
export function statusContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);
  let pull: OpenedPull;

  const path = (commit: string) => `/repos/${pull.repository}/statuses/${commit}`;
  const set = (as: Identity, wanted: object, commit = pull.sha) => ask(as, 'POST', path(commit), wanted);
  const combined = (commit: string, query = '') =>
    ask(undefined, 'GET', `/repos/${pull.repository}/commits/${commit}/status${query}`);

  describe('commit statuses', () => {
    before(async () => {
      const { repository } = await publish(stage.scene, stage.work);
      pull = await openPullFromFork(stage.scene, stage.work, repository);
    });

    it('are not for read-level bots, outsiders or nobody', async () => {
      const { ask: call, admin, bot, outsider } = stage.scene;
      const wanted = { state: 'pending', context: 'cc-ci' };
      expect(await set({ login: bot.login, password: bot.password }, wanted)).to.include({ status: 403 });
      expect(await set(bot, wanted)).to.include({ status: 403 });
      expect(await set(outsider, wanted)).to.include({ status: 403 });
      expect(await set(undefined, wanted)).to.include({ status: 401 });
      const hidden = await stage.scene.repository({ private: true });
      const there = `/repos/${hidden}/statuses/${pull.sha}`;
      expect(await call(outsider, 'POST', there, wanted)).to.include({ status: 404 });
      expect(await call(admin, 'POST', there, wanted)).to.include({ status: 500 });
    });

    it('say nothing of a commit nobody reported on', async () => {
      const answer = await combined(pull.sha);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include({ state: '', sha: '', total_count: 0, statuses: null });
      expect(await ask(undefined, 'GET', path(pull.sha))).to.deep.include({ status: 200, body: [] });
    });

    it('are set by writers, also on the head of a fork', async () => {
      const { writer, url } = stage.scene;
      const link = 'https://ci.example.org/runs/1';
      const wanted = { state: 'pending', context: 'cc-ci', description: ' running ', target_url: link };
      const answer = await set(writer, wanted);
      expect(answer.status).to.equal(201);
      expect(answer.body).to.containSubset({
        status: 'pending',
        context: 'cc-ci',
        description: 'running',
        target_url: link,
        url: `${url}/api/v1/repos/${pull.repository}/statuses/${pull.sha}`,
        creator: { login: writer.login },
      });
      expect(await set(writer, wanted, '1'.repeat(40))).to.include({ status: 500 });
    });

    it('are kept in a row, of which the newest of each context counts', async () => {
      const { writer } = stage.scene;
      for (const state of ['pending', 'success']) await set(writer, { state, context: 'cc-ci' });
      expect(at((await combined(pull.sha)).body, 'state')).to.equal('success');
      await set(writer, { state: 'pending', context: 'lint' });
      expect(at((await combined(pull.sha)).body, 'state')).to.equal('pending');
      await set(writer, { state: 'failure', context: 'lint' });
      const answer = await combined(pull.sha);
      expect(answer.body).to.containSubset({
        state: 'failure',
        sha: pull.sha,
        total_count: 2,
        repository: { full_name: pull.repository },
      });
      expect(eachAt(at(answer.body, 'statuses'), 'context')).to.have.members(['cc-ci', 'lint']);
      expect(eachAt(at(answer.body, 'statuses'), 'status')).to.have.members(['success', 'failure']);
      expect(at((await combined(pull.sha, '?limit=1&page=2')).body, 'state')).to.equal('success');
      const row = await ask(undefined, 'GET', `${path(pull.sha)}?limit=2&page=2`);
      expect(eachAt(row.body, 'id')).to.have.length(2);
      expect(row.headers.get('x-total-count')).to.equal('5');
      expect(row.headers.get('link')).to.match(/page=3>; rel="next".*page=1>; rel="prev"/);
    });

    it('say error as failure, and can be asked for by a branch’s name', async () => {
      const { writer } = stage.scene;
      const { repository, main } = await publish(stage.scene, stage.work);
      const status = { state: 'error', context: 'cc-ci' };
      const answer = await ask(writer, 'POST', `/repos/${repository}/statuses/main`, status);
      expect(answer.status).to.equal(201);
      expect(answer.body).to.include({ id: 1, status: 'error' });
      for (const name of ['main', main]) {
        const all = await ask(undefined, 'GET', `/repos/${repository}/commits/${name}/status`);
        expect(all.body).to.include({ state: 'failure', sha: main });
      }
      const none = await ask(undefined, 'GET', `/repos/${repository}/commits/nothing/status`);
      expect(none.body).to.include({ state: '', total_count: 0 });
    });
  });
}
