import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { createLogger, InputError } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createForge } from './forge.js';
import { startForge } from './server.js';
import { type SandboxForge, startSandboxForge } from './testing/sandbox.js';
import { ask, at, authorization, eachAt, listOf, numberAt, type Scene, setScene } from './testing/scene.js';
import {
  createWorkTree,
  type OpenedPull,
  openPullFromFork,
  publish,
  type WorkTree,
} from './testing/work-tree.js';

describe('the sandbox forge', () => {
  let sandbox: SandboxForge;
  let scene: Scene;
  let work: WorkTree;
  let logged: string;

  beforeEach(async () => {
    logged = '';
    const destination = new Writable({
      write(chunk, _encoding, done) {
        logged += chunk;
        done();
      },
    });
    sandbox = await startSandboxForge({ logger: createLogger('forge', 'trace', destination) });
    scene = await setScene(sandbox);
    work = await createWorkTree(sandbox.url);
  });
  afterEach(async () => {
    await work.dispose();
    await sandbox.dispose();
  });

  const say = (pull: OpenedPull, body: string) =>
    scene.ask(scene.bot, 'POST', `/repos/${pull.repository}/issues/${pull.number}/comments`, { body });
  const saidIn = async (pull: OpenedPull) =>
    eachAt((await scene.ask(scene.bot, 'GET', `/repos/${pull.repository}/issues/comments`)).body, 'body');
  const openedPull = async () => openPullFromFork(scene, work, (await publish(scene, work)).repository);
  const failed = (attempt: Promise<unknown>) =>
    attempt.then(
      () => expect.fail('it was answered'),
      () => undefined,
    );

  describe('as a server', () => {
    it('forgets nothing while nobody serves it, and follows the next server’s address', async () => {
      const pull = await openedPull();
      await say(pull, 'before');
      await sandbox.server.close();
      await failed(fetch(`${sandbox.url}/api/v1/version`));
      const again = await startForge(sandbox.forge, { host: '127.0.0.1', port: 0 });
      try {
        const path = `/repos/${pull.repository}/pulls/1`;
        const answer = await ask(again.url, scene.bot, 'GET', path);
        expect(at(answer.body, 'head.sha')).to.equal(pull.sha);
        expect(at(answer.body, 'comments')).to.equal(1);
        expect(at(answer.body, 'base.repo.clone_url')).to.equal(`${again.url}/${pull.repository}.git`);
      } finally {
        await again.close();
      }
    });

    it('ends open connections when it is closed', async () => {
      const open = httpRequest(`${sandbox.url}/api/v1/user/repos`, { method: 'POST' });
      open.setHeader('content-length', '100');
      open.write('{');
      await once(open, 'socket').then(([socket]) => once(socket, 'connect'));
      const ended = once(open, 'error');
      await sandbox.server.close();
      await ended;
    });

    it('keeps the address it was told to have', async () => {
      const rootUrl = 'https://forge.example.org';
      const dataDir = join(dirname(sandbox.forge.repositoriesDir), 'other');
      const forge = createForge({ dataDir, rootUrl: `${rootUrl}/` });
      const server = await startForge(forge, { host: '127.0.0.1', port: 0 });
      try {
        const refused = await ask(server.url, undefined, 'GET', '/user');
        expect(at(refused.body, 'url')).to.equal(`${rootUrl}/api/swagger`);
      } finally {
        await server.close();
      }
    });

    it('does not take over repositories whose owners it does not know', async () => {
      await openedPull();
      const dataDir = dirname(sandbox.forge.repositoriesDir);
      expect(() => createForge({ dataDir })).to.throw(InputError, 'an earlier forge');
    });

    it('writes no password and no token into its log', async () => {
      const { writer } = scene;
      const { repository } = await publish(scene, work);
      await scene.ask({ token: 'wrong-token' }, 'GET', '/user');
      await scene.ask(writer, 'GET', `/repos/${repository}?token=${writer.token}`);
      await rm(`${sandbox.forge.repositoriesDir}/${repository}.git`, { recursive: true });
      const answer = await scene.ask(writer, 'POST', `/repos/${repository}/forks`, {});
      const page = await fetch(`${sandbox.url}/${repository}`);
      expect([answer.status, page.status]).to.deep.equal([500, 500]);
      expect(await page.text()).not.to.include(sandbox.forge.repositoriesDir);
      expect(logged).to.include('failed');
      const people = [scene.owner, writer, scene.bot, scene.outsider];
      for (const { password, token } of [
        ...people,
        { password: sandbox.admin.password, token: 'wrong-token' },
      ]) {
        expect(logged).not.to.include(password).and.not.to.include(token);
      }
    });

    it('takes a request that says it is JSON and has no body', async () => {
      const pull = await openedPull();
      const { body } = await say(pull, 'one');
      const url = `${sandbox.url}/api/v1/repos/${pull.repository}/issues/comments/${numberAt(body, 'id')}`;
      const headers = { authorization: authorization(scene.writer), 'content-type': 'application/json' };
      expect((await fetch(url, { method: 'PATCH', headers })).status).to.equal(422);
      expect((await fetch(url, { method: 'DELETE', headers })).status).to.equal(204);
    });

    it('takes only states of commits that there are', async () => {
      const { repository } = await publish(scene, work);
      for (const state of ['odd', 'skipped', '', undefined]) {
        const path = `/repos/${repository}/statuses/main`;
        expect(await scene.ask(scene.writer, 'POST', path, { state })).to.include({ status: 422 });
      }
    });
  });

  describe('with faults', () => {
    it('answers so many requests of a kind as it was told, then the truth', async () => {
      const { bot, org } = scene;
      const feed = `/orgs/${org}/activities/feeds`;
      sandbox.forge.faults.inject({ path: /\/feeds$/, method: 'GET', times: 2, answer: 429, retryAfter: 7 });
      expect(await scene.ask(bot, 'GET', '/user')).to.include({ status: 200 });
      for (let time = 0; time < 2; time++) {
        const answer = await scene.ask(bot, 'GET', `${feed}?limit=50`);
        expect(answer.status).to.equal(429);
        expect(answer.headers.get('retry-after')).to.equal('7');
      }
      expect(sandbox.forge.faults.pending()).to.equal(0);
      expect(await scene.ask(bot, 'GET', `${feed}?limit=50`)).to.include({ status: 200 });
    });

    it('can end the connection without an answer', async () => {
      sandbox.forge.faults.inject({ answer: 'close' });
      await failed(scene.ask(scene.bot, 'GET', '/user'));
      expect(await scene.ask(scene.bot, 'GET', '/user')).to.include({ status: 200 });
    });

    it('can lose the answer to what it did', async () => {
      const pull = await openedPull();
      const lost = { path: /\/comments$/, method: 'POST', when: 'after' } as const;
      sandbox.forge.faults.inject({ ...lost, answer: 502 });
      expect(await say(pull, 'one')).to.include({ status: 502 });
      sandbox.forge.faults.inject({ ...lost, answer: 'close' });
      await failed(say(pull, 'two'));
      expect(await saidIn(pull)).to.deep.equal(['one', 'two']);
    });

    it('does nothing of what it refuses before', async () => {
      const pull = await openedPull();
      sandbox.forge.faults.inject({ method: 'POST', answer: 500 });
      expect(await say(pull, 'one')).to.include({ status: 500 });
      expect(await saidIn(pull)).to.deep.equal([]);
    });
  });

  describe('taking pushes', () => {
    it('tells of each branch once when many are pushed at once', async () => {
      const { repository } = await publish(scene, work);
      const branches = ['a', 'b', 'c', 'd', 'e'];
      await Promise.all(branches.map((branch) => work.push(scene.writer, repository, `main:${branch}`)));
      const feed = await scene.ask(scene.bot, 'GET', `/orgs/${scene.org}/activities/feeds?limit=50`);
      const pushed = listOf(feed.body).filter((entry) => at(entry, 'op_type') === 'commit_repo');
      const told = eachAt(pushed, 'ref_name');
      expect(told).to.have.members(['main', ...branches].map((branch) => `refs/heads/${branch}`));
    });

    it('leaves no process behind when the client hangs up', async () => {
      const push = await unfinishedPush();
      push.destroy();
      await until(async () => (await backends()).length === 0);
    });

    it('leaves no process behind when it is closed', async () => {
      await unfinishedPush();
      await sandbox.server.close();
      expect(await backends()).to.deep.equal([]);
    });
  });

  async function unfinishedPush(): Promise<ClientRequest> {
    const { repository } = await publish(scene, work);
    const { login, password } = scene.writer;
    const push = httpRequest(`${sandbox.url}/${repository}.git/git-receive-pack`, {
      method: 'POST',
      headers: {
        authorization: authorization({ login, password }),
        'content-type': 'application/x-git-receive-pack-request',
      },
    });
    push.on('error', () => undefined);
    // The beginning of a line that never comes.
    push.write('00a0');
    await until(async () => (await backends()).length > 0);
    return push;
  }

  /** The git processes that serve this forge. */
  async function backends(): Promise<string[]> {
    const marker = `GIT_PROJECT_ROOT=${sandbox.forge.repositoriesDir}`;
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const environments = await Promise.all(
      ids.map((id) => readFile(`/proc/${id}/environ`, 'utf8').catch(() => '')),
    );
    return ids.filter((_, index) => environments[index]?.split('\0').includes(marker));
  }
});
