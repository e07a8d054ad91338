import { randomBytes } from 'node:crypto';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, authorization, type Identity, person } from './scene.js';
import { createWorkTree, publish } from './work-tree.js';

/** git over HTTP, with real git. */
export function gitContract(stage: Stage): void {
  /** What git is told when it asks for a repository's refs; the first thing any clone or push does. */
  async function greeting(as: Identity, repository: string, service = 'git-upload-pack') {
    const path = `${stage.scene.url}/${repository}.git/info/refs?service=${service}`;
    // git knows the basic form only.
    const login = as && 'token' in as ? { login: 'token', password: as.token } : as;
    const response = await fetch(path, { headers: login ? { authorization: authorization(login) } : {} });
    await response.arrayBuffer();
    return response;
  }

  async function refused(attempt: Promise<unknown>): Promise<void> {
    const outcome = await attempt.then(
      () => 'done',
      () => 'refused',
    );
    expect(outcome).to.equal('refused');
  }

  describe('git over HTTP', () => {
    it('lets anybody read what is public', async () => {
      const { repository, main } = await publish(stage.scene, stage.work);
      const refs = await stage.work.remoteRefs(undefined, repository);
      expect(refs).to.deep.equal({ HEAD: main, 'refs/heads/main': main });
    });

    it('asks who reads what is private, and shows it to readers only', async () => {
      const { bot, outsider, writer } = stage.scene;
      const { repository, main } = await publish(stage.scene, stage.work, { private: true });
      const challenge = await greeting(undefined, repository);
      expect(challenge.status).to.equal(401);
      expect(challenge.headers.get('www-authenticate')).to.match(/^Basic realm=/);
      expect((await greeting({ login: bot.login, password: 'wrong' }, repository)).status).to.equal(401);
      expect((await greeting(undefined, `${stage.scene.org}/at-all`)).status).to.equal(401);
      expect((await greeting(outsider, repository)).status).to.equal(404);
      expect((await greeting(writer, `${stage.scene.org}/at-all`)).status).to.equal(404);
      expect((await greeting(undefined, 'nobody-here/at-all')).status).to.equal(404);
      for (const as of [bot, { login: writer.login, password: writer.password }]) {
        expect((await stage.work.remoteRefs(as, repository))['refs/heads/main']).to.equal(main);
      }
    });

    it('takes pushes of writers, by token or password', async () => {
      const { writer } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work);
      for (const as of [{ token: writer.token }, { login: writer.login, password: writer.password }]) {
        const sha = await stage.work.commit('main');
        await stage.work.push(as, repository, 'main');
        expect((await stage.work.remoteRefs(undefined, repository))['refs/heads/main']).to.equal(sha);
      }
    });

    it('takes no push of anybody else', async () => {
      const { ask, admin, bot, outsider } = stage.scene;
      const { repository, main } = await publish(stage.scene, stage.work);
      await stage.work.commit('main');
      for (const as of [undefined, bot, outsider]) await refused(stage.work.push(as, repository, 'main'));
      expect((await greeting(undefined, repository, 'git-receive-pack')).status).to.equal(401);
      const reader = await person(ask, admin, 'reader', ['read:repository']);
      expect((await greeting({ token: reader.token }, repository, 'git-receive-pack')).status).to.equal(403);
      expect((await stage.work.remoteRefs(undefined, repository))['refs/heads/main']).to.equal(main);
    });

    it('keeps the heads of pull requests to itself', async () => {
      const { owner } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work);
      await refused(stage.work.push(owner, repository, 'main:refs/pull/1/head'));
      expect(await stage.work.remoteRefs(undefined, repository)).not.to.have.property('refs/pull/1/head');
    });

    it('takes and gives what does not fit into one buffer', async () => {
      const { owner } = stage.scene;
      const repository = await stage.scene.repository();
      const content = randomBytes(12 * 1024 * 1024);
      const sha = await stage.work.commit('large', content);
      await stage.work.push(owner, repository, 'large:main');
      const ref = `refs/fetched/${sha}`;
      const url = `${stage.scene.url}/${repository}.git`;
      await stage.work.git(undefined, 'fetch', '--quiet', url, `${sha}:${ref}`);
      expect(await stage.work.git(undefined, 'cat-file', '-s', `${ref}:file`)).to.equal(`${content.length}`);
    });

    it('gives single commits by their ids, without their history', async () => {
      const { repository, main } = await publish(stage.scene, stage.work);
      const reader = await createWorkTree(stage.scene.url);
      try {
        const url = `${stage.scene.url}/${repository}.git`;
        await reader.git(undefined, 'fetch', '--quiet', '--depth=1', url, main);
        expect(await reader.git(undefined, 'rev-list', 'FETCH_HEAD')).to.equal(main);
      } finally {
        await reader.dispose();
      }
    });

    it('takes the first branch pushed as the default one', async () => {
      const { owner } = stage.scene;
      const repository = await stage.scene.repository();
      const sha = await stage.work.commit('trunk');
      await stage.work.push(owner, repository, 'trunk');
      await until(async () => {
        const answer = await stage.scene.ask(owner, 'GET', `/repos/${repository}`);
        return at(answer.body, 'default_branch') === 'trunk';
      });
      expect((await stage.work.remoteRefs(undefined, repository)).HEAD).to.equal(sha);
    });
  });
}
