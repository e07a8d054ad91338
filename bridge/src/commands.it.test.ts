import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestRequest } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { createEnrolment } from './enrolment.js';
import type { Rules } from './rules.js';
import { stage } from './testing/fake-engine.js';
import { BOT } from './testing/fake-forge.js';
import { kindOf, type Story, tellStory } from './testing/story.js';
import {
  mentionComment,
  notEnrolledComment,
  progressComment,
  rejectedComment,
  statusComment,
  stopComment,
} from './words.js';

const SHA = 'a'.repeat(40);
const REPO = 'coop-cloud/custom-html';
const publicUrl = 'https://ci.test';

describe('commands', () => {
  let story: Story;
  type Pull = ReturnType<Story['forge']['openPull']>;

  async function begin(rules?: Partial<Rules>): Promise<Pull> {
    story = await tellStory(rules);
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    return pull;
  }
  afterEach(() => story.end());

  const settled = () => until(() => story.triggers().every(({ dueAt }) => dueAt === null));
  const states = () => story.triggers().map(({ author, command, state }) => `${author} ${command} ${state}`);
  const said = (pull: Pull) => story.forge.commentsOn(pull).filter(({ author }) => author === BOT);
  const runOf = (at: number) => story.triggers().at(at)?.run ?? expect.fail('no such trigger');

  /** Somebody asks for a run, which is queued. */
  async function ask(pull: Pull, author = 'alice'): Promise<TestRequest> {
    story.forge.comment(pull, author, '!testme');
    const request = await story.engine.started.next();
    expect(kindOf({ body: await story.nextComment() })).to.equal('queued');
    return request;
  }
  function end({ run }: TestRequest, verdict: 'green' | 'red' = 'green'): void {
    const outcome = { verdict, sentence: 'it is over', evidence: [] };
    story.engine.setRecord(run, [stage('install', verdict === 'green' ? 'passed' : 'failed')], outcome);
    story.engine.change(run, { state: verdict === 'green' ? 'success' : 'failure' });
  }
  const nextKind = async (kind: 'comment' | 'edit') =>
    kindOf({ body: kind === 'comment' ? await story.nextComment() : await story.nextEdit() });

  describe('!testme stop', () => {
    it('stops the runs of its pull request that have not ended, and no others', async () => {
      const pull = await begin();
      const other = story.forge.openPull(REPO, SHA);
      const before = await ask(pull);
      end(before);
      expect(await nextKind('edit')).to.equal('green');
      await settled();
      const running = await ask(pull);
      expect(await nextKind('edit')).to.equal('collapsed');
      story.engine.change(running.run, { state: 'running' });
      expect(await nextKind('edit')).to.equal('running');
      const queued = await ask(pull, 'bob');
      const elsewhere = await ask(other);

      story.forge.comment(pull, 'bob', '!testme stop');
      const stopped = [running.run, queued.run];
      expect(await story.nextComment()).to.equal(
        stopComment({
          run: runOf(-1),
          author: 'bob',
          stopped: stopped.map((run) => ({ run, hasPage: true })),
          publicUrl,
        }),
      );
      for (const run of stopped) {
        expect(await story.engine.cancelled.next()).to.deep.equal({ run, reason: 'stopped by bob' });
      }
      // What is asked for after it is not stopped.
      const later = await ask(pull);

      // The engine takes its time; the record has the runner's words.
      const words = { verdict: 'cancelled', blame: 'cancelled', sentence: 'install: SIGTERM', evidence: [] };
      story.engine.setRecord(running.run, [stage('install', 'failed')], words as never);
      story.engine.change(running.run, { state: 'cancelled', reason: 'stopped by bob' });
      expect(await story.nextEdit()).to.match(/^– \*\*cancelled\*\*: `stopped by bob`/);
      story.engine.change(queued.run, { state: 'cancelled', reason: 'stopped by bob' });
      expect(await story.nextEdit()).to.match(/^– \*\*cancelled\*\*: `stopped by bob`/);
      expect(await nextKind('edit')).to.equal('collapsed');

      end(later);
      expect(await nextKind('edit')).to.equal('green');
      expect(await nextKind('edit')).to.equal('collapsed');
      end(elsewhere);
      expect(await nextKind('edit')).to.equal('green');
      await settled();
      expect(states().filter((state) => state.includes('stop'))).to.deep.equal(['bob stop answered']);
      const { verdict, sentence } = story.triggers().find(({ run }) => run === running.run) ?? expect.fail();
      expect([verdict, sentence]).to.deep.equal(['cancelled', 'stopped by bob']);
    });

    it('sets the status of what it stopped', async () => {
      const pull = await begin();
      const { run } = await ask(pull);
      story.forge.comment(pull, 'alice', '!testme stop');
      await story.nextComment();
      await story.engine.cancelled.next();
      story.engine.change(run, { state: 'cancelled', reason: 'stopped by alice' });
      await story.nextEdit();
      await settled();
      expect(story.forge.statuses.map(({ state, description }) => `${state}: ${description}`)).to.deep.equal([
        'pending: asked for with !testme',
        'error: cancelled: stopped by alice',
      ]);
    });

    it('says so when there is nothing to stop', async () => {
      const pull = await begin();
      story.forge.comment(pull, 'alice', '!testme stop');
      expect(await story.nextComment()).to.equal(
        stopComment({ run: runOf(0), author: 'alice', stopped: [], publicUrl }),
      );
      await settled();
      expect(states()).to.deep.equal(['alice stop answered']);
    });

    it('keeps a run from starting that could not be started yet', async () => {
      const pull = await begin({ mention: 'always' });
      story.engine.break('start', 1_000_000);
      story.forge.comment(pull, 'alice', '!testme');
      await until(() => story.triggers()[0]?.state === 'pending' && story.triggers()[0]?.attempts !== 0);
      const run = runOf(0);
      story.forge.comment(pull, 'bob', '!testme stop');
      expect(await story.nextComment()).to.equal(
        stopComment({ run: runOf(1), author: 'bob', stopped: [{ run, hasPage: false }], publicUrl }),
      );
      const body = await story.nextComment();
      expect(body)
        .to.match(/^– \*\*cancelled\*\*: `stopped by bob`/)
        .and.include(`cc-ci run:${run} -->`);
      expect(await story.nextComment()).to.match(/^@alice /);
      story.engine.break('start', 0);
      await settled();
      story.forge.comment(pull, 'bob', '!testme status');
      expect(await story.nextComment()).to.match(/^– \*\*cancelled\*\*/);
      // There is no page of it, and so no link to one.
      for (const { body: text } of said(pull)) expect(text).not.to.include(publicUrl);
      expect(story.forge.statuses.at(-1)?.target_url).to.equal(`${publicUrl}/`);
      end(await ask(pull));
      for (const kind of ['collapsed', 'green']) expect(await nextKind('edit')).to.equal(kind);
      expect(await story.nextComment()).to.match(/^@alice /);
      await settled();
      expect(said(pull).find(({ body: text }) => text.includes('an earlier run'))?.body).not.to.include(
        publicUrl,
      );
      expect(states().slice(0, 2)).to.deep.equal(['alice testme reported', 'bob stop answered']);
      expect(story.forge.statuses.slice(0, 2).map(({ state }) => state)).to.deep.equal(['pending', 'error']);
    });

    it('stops a build whose start the engine took, and failed to say so', async () => {
      const pull = await begin();
      story.engine.break('start', 1, true);
      story.forge.comment(pull, 'alice', '!testme');
      const { run } = await story.engine.started.next();
      story.engine.break('start', 1_000_000);
      story.forge.comment(pull, 'alice', '!testme stop');
      expect(await story.nextComment()).to.include(run);
      expect((await story.engine.cancelled.next()).run).to.equal(run);
      expect(await nextKind('comment')).to.equal('queued');
      story.engine.change(run, { state: 'cancelled', reason: 'stopped by alice' });
      expect(await nextKind('edit')).to.equal('cancelled');
      await settled();
    });

    it('holds for a command whose author the forge could not tell yet', async () => {
      const pull = await begin({ allowUsers: ['Carol'] });
      story.forge.break('member', { how: { status: 500, body: '{"message":""}' }, times: 20 });
      story.forge.comment(pull, 'alice', '!testme');
      await until(() => (story.triggers()[0]?.attempts ?? 0) > 0);
      story.forge.comment(pull, 'carol', '!testme stop');
      expect(await story.nextComment()).to.equal(
        stopComment({ run: runOf(1), author: 'carol', stopped: [], publicUrl }),
      );
      expect(await story.nextComment()).to.match(/^– \*\*cancelled\*\*: `stopped by carol`/);
      await settled();
    });

    it('does not wait for a run whose comment cannot be made', async () => {
      const pull = await begin();
      story.forge.break('createComment', { how: { status: 503 }, times: 2 });
      story.forge.comment(pull, 'alice', '!testme');
      const { run } = await story.engine.started.next();
      story.forge.comment(pull, 'alice', '!testme stop');
      expect((await story.engine.cancelled.next()).run).to.equal(run);
      story.engine.change(run, { state: 'cancelled' });
      const kinds = [await nextKind('comment'), await nextKind('comment')];
      expect(kinds).to.include('answer');
      await until(() => said(pull).some((comment) => kindOf(comment) === 'cancelled'));
      await settled();
      while (story.forge.messages.unread().length > 0) await story.forge.messages.next();
    });

    it('does nothing for strangers', async () => {
      const pull = await begin();
      const request = await ask(pull);
      story.forge.comment(pull, 'mallory', '!testme stop');
      expect(await story.nextComment()).to.equal(
        rejectedComment({ run: runOf(1), org: 'coop-cloud', author: 'mallory' }),
      );
      end(request);
      expect(await nextKind('edit')).to.equal('green');
      await settled();
      expect(states()).to.deep.equal(['alice testme reported', 'mallory stop rejected']);
    });
  });

  describe('!testme status', () => {
    it('tells how far the newest run is', async () => {
      const pull = await begin();
      const other = story.forge.openPull(REPO, SHA);
      const answer = (newest?: Parameters<typeof statusComment>[0]['newest']) =>
        statusComment({ run: runOf(-1), recipe: 'custom-html', publicUrl, newest });
      const askStatus = async () => {
        story.forge.comment(pull, 'bob', '!testme status');
        return story.nextComment();
      };
      expect(await askStatus()).to.equal(answer());

      const elsewhere = await ask(other);
      expect(await askStatus()).to.equal(answer());

      const { run } = await ask(pull);
      expect(await askStatus()).to.equal(answer({ run, progress: { phase: 'queued', position: 2 } }));

      const stages = [stage('prepare', 'passed'), stage('install', 'running')];
      story.engine.setRecord(run, stages);
      story.engine.change(run, { state: 'running', startedAt: '2026-11-21T12:30:05.000Z' });
      await story.nextEdit();
      expect(await askStatus()).to.equal(
        answer({ run, progress: { phase: 'running', since: '2026-11-21T12:30:05.000Z', stages } }),
      );

      end({ run } as TestRequest, 'red');
      await story.nextEdit();
      await until(() => story.triggers().some((trigger) => trigger.run === run && trigger.dueAt === null));
      const red = await askStatus();
      expect(red).to.include('red').and.include('it is over').and.include(run);
      story.engine.forget(run);
      expect(await askStatus())
        .to.include('red')
        .and.include('it is over')
        .and.include(run);

      // What leads to no run is none.
      Object.assign(pull, { state: 'closed' });
      story.forge.comment(pull, 'alice', '!testme');
      expect(await nextKind('comment')).to.equal('not tested');
      expect(await askStatus()).to.include(run);
      end(elsewhere);
      await story.nextEdit();
      await settled();
    });

    it('tells of a run that waits for the engine', async () => {
      const pull = await begin();
      story.engine.break('start', 1_000_000);
      story.forge.comment(pull, 'alice', '!testme');
      await until(() => story.triggers()[0]?.state === 'pending');
      story.forge.comment(pull, 'alice', '!testme status');
      const newest = { run: runOf(0), progress: { phase: 'queued' as const, position: undefined } };
      expect(await story.nextComment()).to.equal(
        statusComment({ run: runOf(1), recipe: 'custom-html', publicUrl, newest }),
      );
      story.engine.break('start', 0);
      end(await story.engine.started.next());
      await settled();
      while (story.forge.messages.unread().length > 0) await story.forge.messages.next();
    });
  });

  describe('who may give them', () => {
    it('members and those who are listed, whatever the case of their names', async () => {
      const pull = await begin({ allowUsers: ['CAROL'] });
      end(await ask(pull, 'carol'));
      expect(await nextKind('edit')).to.equal('green');
      await settled();
      expect(story.forge.requests.filter((name) => name === 'member').length).to.equal(1);
      expect(states()).to.deep.equal(['carol testme reported']);
    });

    it('those who are listed also while the forge cannot tell who is a member; others wait until it can', async () => {
      const pull = await begin({ allowUsers: ['carol'] });
      const down = { how: { status: 302, headers: { location: '/' } }, times: 30 };
      story.forge.break('member', down);
      const other = story.forge.openPull(REPO, SHA);
      story.forge.comment(other, 'alice', '!testme');
      await until(() => (story.triggers()[0]?.attempts ?? 0) > 0);
      const first = await ask(pull, 'carol');
      expect(first.requestedBy).to.equal('carol');
      expect(story.triggers()[0]?.lastError).to.match(/does not tell the bot who is a member of coop-cloud/);
      const second = await story.engine.started.next();
      expect(second.requestedBy).to.equal('alice');
      await story.nextComment();
      for (const request of [first, second]) end(request);
      await settled();
      while (story.forge.messages.unread().length > 0) await story.forge.messages.next();
    });

    it('no other bots: nobody is asked about them, and nothing is said', async () => {
      const pull = await begin({ ignoreUsers: ['Renovate'] });
      for (const text of ['!testme', '!testme stop', '!testme status']) {
        story.forge.comment(pull, 'renovate', text);
      }
      end(await ask(pull));
      await story.nextEdit();
      await settled();
      expect(states()).to.deep.equal(['alice testme reported']);
      expect(story.forge.requests.filter((name) => name === 'member').length).to.equal(2);
    });

    it('500 commands of one stranger are answered once, those of another once more', async () => {
      const pull = await begin();
      const pulls = [pull, story.forge.openPull(REPO, SHA), story.forge.openPull('coop-cloud/radicale', SHA)];
      for (let i = 0; i < 500; i++) {
        story.forge.comment(pulls[i % 3] ?? pull, 'mallory', i % 2 === 0 ? '!testme' : '!testme stop');
      }
      story.forge.comment(pull, 'trudy', '!testme');
      await until(() => story.forge.requests.filter((name) => name === 'member').length === 502);
      await settled();
      const comments = pulls.flatMap(said);
      expect(comments.length).to.equal(2);
      expect(comments.map(({ body }) => /`(mallory|trudy)`/.exec(body)?.[1]).toSorted()).to.deep.equal([
        'mallory',
        'trudy',
      ]);
      expect(new Set(states().map((state) => state.split(' ').at(-1)))).to.deep.equal(new Set(['rejected']));
      for (const _ of comments) await story.nextComment();
    }).timeout(30_000);
  });

  describe('where', () => {
    let folder: string;
    let file: string;
    async function beginEnrolledBy(text: string): Promise<Pull> {
      folder = await mkdtemp(join(tmpdir(), 'cc-ci-enrolled-'));
      file = join(folder, 'enrolled');
      await writeFile(file, text);
      return begin({ enrolment: createEnrolment({ patterns: undefined, file }) });
    }
    afterEach(() => rm(folder, { recursive: true }));

    it('a repository that is not enrolled is answered once, and tested as soon as it is', async () => {
      const pull = await beginEnrolledBy('wordpress\n');
      story.forge.comment(pull, 'alice', '!testme');
      expect(await story.nextComment()).to.equal(
        notEnrolledComment({ run: runOf(0), repo: REPO, how: 'file' }),
      );
      story.forge.comment(pull, 'bob', '!testme');
      await until(() => states().includes('bob testme refused'));
      expect(story.triggers()[1]?.reason).to.equal(`${REPO} is not enrolled`);
      await writeFile(file, 'wordpress\ncustom-html\n');
      end(await ask(pull));
      await story.nextEdit();
      await settled();
      expect(story.forge.statuses.map(({ state }) => state)).to.deep.equal(['pending', 'success']);
    });

    it('strangers hear nothing where cc-ci is not at home', async () => {
      const pull = await beginEnrolledBy('wordpress\n');
      story.forge.comment(pull, 'mallory', '!testme');
      await until(() => states().includes('mallory testme rejected'));
      await settled();
      expect(said(pull)).to.deep.equal([]);
    });

    it('what runs can be stopped after the repository was taken out', async () => {
      const pull = await beginEnrolledBy('*\n');
      const { run } = await ask(pull);
      await writeFile(file, '*\n!custom-html\n');
      story.forge.comment(pull, 'alice', '!testme stop');
      expect(await story.nextComment()).to.include(run);
      await story.engine.cancelled.next();
      story.engine.change(run, { state: 'cancelled' });
      expect(await nextKind('edit')).to.equal('cancelled');
      await settled();
    });

    it('a list that cannot be read keeps a command waiting, and nobody is let in by it', async () => {
      const pull = await beginEnrolledBy('not a name\n');
      story.forge.comment(pull, 'alice', '!testme');
      await until(() => (story.triggers()[0]?.attempts ?? 0) > 1);
      expect(story.triggers()[0]?.lastError).to.include('"not a name" is no pattern');
      await writeFile(file, '*\n');
      end(await story.engine.started.next());
      await settled();
      while (story.forge.messages.unread().length > 0) await story.forge.messages.next();
    });
  });

  describe('when the run has ended', () => {
    const changes: [string, Partial<Pull>, Parameters<typeof progressComment>[2]][] = [
      ['was pushed to', { sha: 'b'.repeat(40) }, { kind: 'moved', sha: 'b'.repeat(40) }],
      ['was closed', { state: 'closed' }, { kind: 'closed' }],
      ['was merged', { state: 'closed', merged: true }, { kind: 'merged' }],
      ['lost its fork', { state: 'closed', headRepo: null }, { kind: 'fork-gone' }],
      ['is as it was', {}, undefined],
    ];
    for (const [name, change, aftermath] of changes) {
      it(`its comment says that the pull request ${name}`, async () => {
        const pull = await begin();
        const request = await ask(pull);
        Object.assign(pull, change);
        end(request);
        const { run, src, origin } = request;
        const facts = { run, src, origin, recipe: 'custom-html', sha: SHA, author: 'alice', publicUrl };
        const outcome = { verdict: 'green' as const, sentence: 'it is over', evidence: [] };
        const ended = { phase: 'ended' as const, outcome, stages: [stage('install', 'passed')] };
        expect(await story.nextEdit()).to.equal(progressComment(facts, ended, aftermath));
        await settled();
      });
    }

    it('a pull request that the forge cannot describe any more keeps nobody from the result', async () => {
      const pull = await begin();
      const request = await ask(pull);
      story.forge.break('pull', { how: { status: 500, body: '{"message":""}' }, times: 1_000_000 });
      end(request);
      expect(await nextKind('edit')).to.equal('green');
      await settled();
    });

    const mentions: [Rules['mention'], 'green' | 'red', boolean][] = [
      ['always', 'green', true],
      ['always', 'red', true],
      ['failure', 'green', false],
      ['failure', 'red', true],
      ['never', 'green', false],
      ['never', 'red', false],
    ];
    for (const [mention, verdict, isTold] of mentions) {
      it(`who asked is ${isTold ? '' : 'not '}told of ${verdict} where that is ${mention} done`, async () => {
        const pull = await begin({ mention });
        const request = await ask(pull);
        end(request, verdict);
        expect(await nextKind('edit')).to.equal(verdict);
        if (isTold) {
          const { run, src, origin } = request;
          const facts = { run, src, origin, recipe: 'custom-html', sha: SHA, author: 'alice', publicUrl };
          expect(await story.nextComment()).to.equal(
            mentionComment(facts, { verdict, sentence: 'it is over' }),
          );
        }
        await settled();
        expect(states()).to.deep.equal(['alice testme reported']);
      });
    }

    for (const [stopper, told] of [
      ['alice', []],
      ['bob', ['mention']],
    ] as const) {
      it(`alice is ${told.length > 0 ? '' : 'not '}told that ${stopper} stopped her run`, async () => {
        const pull = await begin({ mention: 'always' });
        const { run } = await ask(pull);
        story.forge.comment(pull, stopper, '!testme stop');
        await story.nextComment();
        await story.engine.cancelled.next();
        story.engine.change(run, { state: 'cancelled' });
        await story.nextEdit();
        await settled();
        expect(said(pull).map(kindOf)).to.deep.equal(['cancelled', 'answer', ...told]);
        for (const _ of told) await story.nextComment();
      });
    }
  });

  describe('comments of older runs', () => {
    it('become a line when a newer one is there, but not before they have ended', async () => {
      const pull = await begin();
      const first = await ask(pull);
      const second = await ask(pull, 'bob');
      end(first);
      expect(await nextKind('edit')).to.equal('green');
      // Whoever waits for the second one can read the first one meanwhile.
      await until(() => states().includes('alice testme reported'));
      expect(said(pull).map(kindOf)).to.deep.equal(['green', 'queued']);
      end(second, 'red');
      expect(await nextKind('edit')).to.equal('red');
      expect(await nextKind('edit')).to.equal('collapsed');
      await settled();
      const third = await ask(pull);
      expect(await nextKind('edit')).to.equal('collapsed');
      expect(said(pull).map(kindOf)).to.deep.equal(['collapsed', 'collapsed', 'queued']);
      end(third);
      expect(await nextKind('edit')).to.equal('green');
      await settled();
    });

    it('become a line also when they end after the newer one', async () => {
      const pull = await begin();
      const first = await ask(pull);
      const second = await ask(pull, 'bob');
      end(second);
      expect(await nextKind('edit')).to.equal('green');
      await until(() => states().includes('bob testme reported'));
      end(first, 'red');
      expect(await nextKind('edit')).to.equal('red');
      expect(await nextKind('edit')).to.equal('collapsed');
      await settled();
      expect(said(pull).map(kindOf)).to.deep.equal(['collapsed', 'green']);
    });

    const obstacles: [string, (pull: Pull) => void][] = [
      ['was deleted', (pull) => story.forge.deleteComment(said(pull)[0]?.id ?? 0)],
      [
        'cannot be edited',
        () => void story.forge.break('editComment', { how: { status: 403, body: '{"message":"no"}' } }),
      ],
      [
        'makes the forge fail',
        () =>
          void story.forge.break('editComment', { how: { status: 500, body: '{"message":""}' }, times: 6 }),
      ],
    ];
    for (const [name, obstruct] of obstacles) {
      it(`are let be where one ${name}`, async () => {
        const pull = await begin();
        end(await ask(pull));
        expect(await nextKind('edit')).to.equal('green');
        await settled();
        obstruct(pull);
        const second = await ask(pull);
        await until(() => story.triggers()[1]?.state === 'announced');
        end(second);
        expect(await nextKind('edit')).to.equal('green');
        await settled();
        expect(states()).to.deep.equal(['alice testme reported', 'alice testme reported']);
      });
    }
  });
});
