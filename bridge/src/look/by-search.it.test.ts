import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { readMark } from '../store.js';
import { BOT } from '../testing/fake-forge.js';
import { type LookScene, setLookScene } from '../testing/look-scene.js';

const SHA = 'a'.repeat(40);
const REPO = 'coop-cloud/custom-html';

describe('looking by the search', () => {
  let scene: LookScene;
  const open = (repo = REPO) => scene.forge.openPull(repo, SHA);
  const ask = (pull: ReturnType<typeof open>, author = 'alice') =>
    scene.forge.comment(pull, author, '!testme');

  beforeEach(async () => {
    scene = await setLookScene();
  });
  afterEach(() => scene.end());

  describe('the first time', () => {
    it('leaves alone what was said before, and takes what comes after', async () => {
      const pull = open();
      ask(pull);
      expect(await scene.look()).to.equal(0);
      scene.restart();
      ask(pull, 'bob');
      expect(await scene.look()).to.equal(1);
      expect(await scene.look()).to.equal(0);
      expect(scene.askers()).to.deep.equal([`bob ${REPO} 1`]);
    });

    it('tells what was said before it from what is said after it within one second', async () => {
      const pull = open();
      ask(pull);
      await scene.look();
      scene.forge.commentAtOnce(pull, 'bob', '!testme');
      expect(await scene.look()).to.equal(1);
      expect(scene.askers()).to.deep.equal([`bob ${REPO} 1`]);
    });

    it('takes the first comment ever made on an empty forge', async () => {
      await scene.look();
      scene.pass(86_400);
      expect(await scene.look()).to.equal(0);
      ask(open());
      expect(await scene.look()).to.equal(1);
    });

    it('begins anew when it failed', async () => {
      const pull = open();
      scene.forge.break('search', { how: 'drop', on: 2 });
      expect(await scene.failedLook()).to.match(/search/);
      expect(readMark(scene.store)).to.equal(undefined);
      ask(pull);
      expect(await scene.look()).to.equal(0);
    });

    it('is over though one repository cannot be read', async () => {
      const broken = open('coop-cloud/broken');
      const pull = open();
      scene.forge.break('repoComments', { how: { status: 500, body: '{"message":""}' } });
      await scene.failedLook();
      ask(broken);
      ask(pull, 'bob');
      scene.pass(5);
      expect(await scene.look()).to.equal(2);
    });
  });

  describe('while nothing happens', () => {
    for (const repositories of [1, 100, 1_000]) {
      it(`costs one request with ${repositories} repositories`, async () => {
        for (let i = 0; i < repositories; i++) open(`coop-cloud/recipe-${i}`);
        scene.pass(600);
        await scene.look();
        const last = open('coop-cloud/last');
        ask(last);
        expect(await scene.look()).to.equal(1);
        scene.pass(5);
        await scene.look();
        scene.requests();
        for (let i = 0; i < 50; i++) {
          scene.pass(5);
          await scene.look();
          expect(scene.requests()).to.equal(1);
        }
      });
    }

    it('writes nothing', async () => {
      await scene.look();
      scene.pass(3_600);
      const before = readMark(scene.store);
      await scene.look();
      expect(readMark(scene.store)).to.deep.equal(before);
    });

    it('reads a comment twice at most, and others of its repository not for each of them', async () => {
      const pull = open();
      await scene.look();
      scene.pass(5);
      await scene.look();
      scene.requests();
      for (let i = 0; i < 5; i++) ask(pull);
      await scene.look();
      scene.pass(5);
      await scene.look();
      expect(scene.requests('repoComments')).to.equal(2);
    });
  });

  it('finds every comment among many changes on many pages', async () => {
    await scene.look();
    const pulls = Array.from({ length: 130 }, (_, i) => open(`coop-cloud/recipe-${i % 10}`));
    for (const pull of pulls) scene.forge.touch(pull);
    for (const pull of [pulls[0], pulls[64], pulls[129]]) ask(pull ?? expect.fail());
    expect(await scene.look()).to.equal(3);
    expect(scene.askers()).to.deep.equal([
      'alice coop-cloud/recipe-0 1',
      'alice coop-cloud/recipe-4 7',
      'alice coop-cloud/recipe-9 13',
    ]);
  });

  it('finds every comment of a repository with many', async () => {
    const pull = open();
    await scene.look();
    for (let i = 0; i < 119; i++) scene.forge.comment(pull, 'bob', `word ${i}`);
    ask(pull);
    expect(await scene.look()).to.equal(1);
    expect(scene.requests('repoComments')).to.be.at.least(3);
  });

  it('loses nothing by a pull request that is deleted while pages are read', async () => {
    // The last two are in one repository, so that none is gone with the one that is deleted.
    const pulls = Array.from({ length: 60 }, (_, i) => open(`coop-cloud/recipe-${Math.min(i, 58)}`));
    await scene.look();
    scene.pass(3_600);
    for (const pull of pulls) scene.forge.touch(pull);
    ask(pulls[9] ?? expect.fail());
    scene.forge.knobs.beforeSearch = (page) => {
      // The newest come first, 50 to a page: the tenth oldest is the first of page two.
      if (page === 2 && scene.forge.pulls.length === 60) scene.forge.deletePull(pulls[59] ?? expect.fail());
    };
    expect(await scene.look()).to.equal(1);
  });

  it('takes what was said while nobody looked, also by those who hide what they do', async () => {
    const pulls = [open('coop-cloud/a'), open('coop-cloud/b')];
    await scene.look();
    for (const pull of pulls) ask(pull);
    scene.pass(30 * 86_400);
    scene.restart();
    expect(await scene.look()).to.equal(2);
  });

  it('takes a comment on a pull request that is closed right after it', async () => {
    const pull = open();
    await scene.look();
    ask(pull);
    Object.assign(pull, { state: 'closed' });
    expect(await scene.look()).to.equal(1);
  });

  it('takes a second comment within one second, though the pull request changed then already', async () => {
    const pull = open();
    await scene.look();
    scene.pass(60);
    await scene.look();
    scene.forge.comment(pull, 'alice', 'hello');
    await scene.look();
    scene.forge.commentAtOnce(pull, 'bob', '!testme');
    expect(await scene.look()).to.equal(1);
  });

  it('takes one that replaced a deleted one within one second', async () => {
    const pull = open();
    await scene.look();
    const hello = scene.forge.comment(pull, 'alice', 'hello');
    await scene.look();
    scene.forge.deleteComment(hello.id);
    scene.forge.commentAtOnce(pull, 'bob', '!testme');
    scene.pass(5);
    expect(await scene.look()).to.equal(1);
  });

  it('finds a comment that shows up late, after newer ones', async () => {
    const pull = open();
    const other = open('coop-cloud/other');
    await scene.look();
    const hidden = scene.forge.hide(ask(pull));
    for (let i = 0; i < 20; i++) {
      scene.pass(5);
      scene.forge.touch(other);
      await scene.look();
    }
    hidden.show();
    expect(await scene.look()).to.equal(1);
  });

  it('leaves alone: edited comments, our own, deleted ones, other organisations', async () => {
    const pull = open();
    await scene.look();
    scene.forge.edit(scene.forge.comment(pull, 'alice', 'hi'), '!testme');
    scene.forge.comment(pull, BOT, '!testme');
    scene.forge.deleteComment(ask(pull).id);
    ask(open('elsewhere/custom-html'));
    expect(await scene.look()).to.equal(0);
    expect(scene.askers()).to.deep.equal([]);
  });

  it('does not take for new what was seen before as something else', async () => {
    await scene.look();
    const pull = open();
    const comment = scene.forge.comment(pull, 'alice', 'hi');
    await scene.look();
    scene.forge.edit(comment, '!testme', 0);
    scene.forge.touch(pull);
    expect(await scene.look()).to.equal(0);
  });

  describe('whatever the clocks say', () => {
    for (const seconds of [-3_600, 3_600, undefined]) {
      const what = seconds === undefined ? 'without a date' : `by a clock ${seconds} s ahead`;
      it(`looks through a proxy that dates answers ${what}`, async () => {
        scene.forge.knobs.proxyAhead = seconds;
        const pull = open();
        ask(pull, 'early');
        await scene.look();
        scene.pass(7_200);
        await scene.look();
        ask(pull, 'bob');
        expect(await scene.look()).to.equal(1);
        scene.pass(600);
        await scene.look();
        scene.restart();
        ask(pull, 'alice');
        expect(await scene.look()).to.equal(1);
        expect(scene.askers()).to.deep.equal([`bob ${REPO} 1`, `alice ${REPO} 1`]);
      });
    }

    it('goes back with a forge whose clock is set back', async () => {
      const pull = open();
      await scene.look();
      scene.pass(7_200);
      ask(pull);
      await scene.look();
      scene.forge.pass(-3_600);
      ask(pull, 'bob');
      await scene.look();
      expect(await scene.look()).to.equal(1);
      scene.restart();
      ask(pull, 'carol');
      expect(await scene.look()).to.equal(1);
    });

    it('is not led astray by a clock that was once years ahead', async () => {
      const pull = open();
      await scene.look();
      scene.forge.pass(10 * 365 * 86_400);
      scene.forge.touch(open('coop-cloud/other'));
      await scene.look();
      scene.forge.pass(-10 * 365 * 86_400);
      await scene.look();
      ask(pull);
      expect(await scene.look()).to.equal(1);
    });

    it('does not let time pass in which the forge could not be asked', async () => {
      const pull = open();
      await scene.look();
      ask(pull);
      scene.forge.goDown();
      for (let i = 0; i < 5; i++) {
        scene.pass(3_600);
        await scene.failedLook();
      }
      scene.forge.comeBack();
      expect(await scene.look()).to.equal(1);
    });
  });

  describe('when reading fails', () => {
    const body = '{"message":""}';

    it('takes what it read, and the rest with the next look', async () => {
      const pulls = ['a', 'b', 'c'].map((name) => open(`coop-cloud/${name}`));
      await scene.look();
      for (const pull of pulls) ask(pull);
      scene.pass(3_600);
      scene.forge.break('repoComments', { how: { status: 500, body }, on: 2 });
      expect(await scene.failedLook()).to.match(/coop-cloud\/b\/issues\/comments.*HTTP 500/);
      expect(scene.askers()).to.deep.equal(['alice coop-cloud/a 1', 'alice coop-cloud/c 1']);
      scene.restart();
      scene.pass(86_400);
      expect(await scene.look()).to.equal(1);
    });

    it('lets no repository that fails for ever keep others waiting', async () => {
      // What was opened last is listed first.
      const sound = open('coop-cloud/sound');
      const broken = ['a', 'b'].map((name) => open(`coop-cloud/${name}`));
      await scene.look();
      for (const pull of [...broken, sound]) ask(pull);
      scene.forge.break('repoComments', { how: { status: 500, body }, times: 2 });
      await scene.failedLook();
      expect(scene.askers()).to.deep.equal([]);
      scene.forge.break('repoComments', { how: { status: 500, body }, on: 2, times: 2 });
      await scene.failedLook();
      expect(scene.askers()).to.deep.equal(['alice coop-cloud/sound 1']);
    });

    it('keeps its pace while one fails for ever, asks about that more and more seldom, and loses nothing of it', async () => {
      const [sound, broken] = [open('coop-cloud/sound'), open('coop-cloud/broken')];
      await scene.look();
      // By then it is known that nothing is new in the sound one.
      scene.pass(5);
      await scene.look();
      ask(broken, 'bob');
      scene.forge.break('repoComments', { how: { status: 500, body }, times: 1_000_000 });
      const failed: number[] = [];
      for (let at = 0; at < 600; at += 5) {
        scene.pass(5);
        if ((await scene.failedLook()) !== 'it went well') failed.push(at);
      }
      expect(failed.length).to.be.within(8, 30);
      // The last waits are the longest: half a minute to a minute, seen every 5 s.
      const [before = 0, last = 0] = failed.slice(-2);
      expect(last - before).to.be.within(30, 65);
      do scene.pass(5);
      while ((await scene.failedLook()) === 'it went well');
      scene.forge.mend('repoComments');
      ask(sound);
      scene.pass(5);
      expect(await scene.look()).to.equal(1);
      scene.restart();
      expect(await scene.look()).to.equal(1);
      expect(scene.askers()).to.deep.equal(['alice coop-cloud/sound 1', 'bob coop-cloud/broken 1']);
    });

    it('stops at once when the forge wants fewer requests, and loses nothing', async () => {
      const pulls = ['a', 'b', 'c'].map((name) => open(`coop-cloud/${name}`));
      await scene.look();
      for (const pull of pulls) ask(pull);
      scene.requests();
      scene.forge.break('repoComments', { how: { status: 429, body } });
      expect(await scene.failedLook()).to.match(/HTTP 429/);
      expect(scene.requests('repoComments')).to.equal(1);
      expect(await scene.look()).to.equal(3);
    });

    it('takes nothing, and nothing is lost, while the database cannot be written', async () => {
      const pull = open();
      await scene.look();
      ask(pull);
      scene.store.pragma('query_only = 1');
      expect(await scene.failedLook()).to.match(/readonly/);
      scene.store.pragma('query_only = 0');
      expect(await scene.look()).to.equal(1);
    });

    it('follows a repository that is renamed between its being listed and read', async () => {
      const pull = open();
      await scene.look();
      ask(pull);
      scene.pass(86_400);
      scene.forge.knobs.beforeSearch = () => {
        scene.forge.knobs.beforeSearch = () => scene.forge.rename('coop-cloud/renamed', 'coop-cloud/renamed');
      };
      const point = scene.forge.break('repoComments', { how: { status: 307 } });
      point.reached.then(() => scene.forge.rename(REPO, 'coop-cloud/renamed'));
      expect(await scene.look()).to.equal(1);
      expect(scene.askers()).to.deep.equal(['alice coop-cloud/renamed 1']);
    });

    it('names a repository whose comments it may not read, and goes on', async () => {
      const [secret, sound] = [open('coop-cloud/secret'), open('coop-cloud/sound')];
      await scene.look();
      scene.forge.knobs.unreadable.add(secret.repo);
      ask(secret);
      ask(sound);
      expect(await scene.look()).to.equal(1);
      expect(scene.logged.join()).to.match(/"repo":"coop-cloud\/secret".*does not show its comments/);
      scene.pass(5);
      await scene.look();
      scene.requests();
      await scene.look();
      expect(scene.requests()).to.equal(1);
    });
  });
});
