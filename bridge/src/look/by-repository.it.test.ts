import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type LookScene, setLookScene } from '../testing/look-scene.js';

const SHA = 'a'.repeat(40);
const BODY = '{"message":"The target couldn\'t be found."}';

describe('looking repository by repository', () => {
  let scene: LookScene;
  const open = (repo: string) => scene.forge.openPull(repo, SHA);
  const ask = (pull: ReturnType<typeof open>, author = 'alice') =>
    scene.forge.comment(pull, author, '!testme');
  const some = (count: number) => Array.from({ length: count }, (_, i) => open(`coop-cloud/recipe-${i}`));
  /** Looks until so many commands were taken, every five seconds; says how many looks it took. */
  async function looksUntil(commands: number): Promise<number> {
    for (let looks = 1; ; looks++) {
      scene.pass(5);
      await scene.look();
      if (scene.askers().length >= commands) return looks;
      if (looks > 500) expect.fail(`only ${scene.askers().join()}`);
    }
  }

  beforeEach(async () => {
    scene = await setLookScene({ pollMs: 5_000, pollBudget: 60 });
    scene.forge.knobs.search = 'missing';
  });
  afterEach(() => scene.end());

  it('takes what is said after the first look, in every repository, and nothing older', async () => {
    const pulls = some(23);
    for (const pull of pulls) ask(pull, 'early');
    scene.pass(60);
    await scene.look();
    scene.pass(60);
    for (const pull of pulls) ask(pull);
    await looksUntil(23);
    expect(new Set(scene.askers())).to.deep.equal(new Set(pulls.map(({ repo }) => `alice ${repo} 1`)));
    for (let i = 0; i < 20; i++) {
      scene.pass(5);
      expect(await scene.look()).to.equal(0);
    }
  });

  it('keeps to its budget, however many repositories there are', async () => {
    some(300);
    await scene.look();
    for (let minute = 0; minute < 10; minute++) {
      scene.requests();
      for (let i = 0; i < 12; i++) {
        scene.pass(5);
        await scene.look();
      }
      // What was saved for one look may come on top of a minute's share.
      expect(scene.requests('orgRepos', 'repoComments', 'search')).to.be.within(50, 65);
    }
  });

  it('goes round: each repository has its turn', async () => {
    const pulls = some(60);
    await scene.look();
    ask(pulls[59] ?? expect.fail());
    // 5 a look, and the list of repositories took some.
    expect(await looksUntil(1)).to.be.at.most(14);
  });

  it('looks first where something was said lately', async () => {
    const pulls = some(300);
    const lively = pulls[150] ?? expect.fail();
    await scene.look();
    ask(lively);
    await looksUntil(1);
    for (let i = 2; i < 6; i++) {
      ask(lively);
      expect(await looksUntil(i)).to.be.at.most(2);
    }
  });

  it('does so also where a look may ask for one thing only', async () => {
    await scene.end();
    scene = await setLookScene({ pollMs: 5_000, pollBudget: 12 });
    scene.forge.knobs.search = 'missing';
    const pulls = some(40);
    await scene.look();
    ask(pulls[20] ?? expect.fail());
    await looksUntil(1);
    ask(pulls[20] ?? expect.fail());
    expect(await looksUntil(2)).to.be.at.most(2);
    ask(pulls[39] ?? expect.fail());
    expect(await looksUntil(3)).to.be.at.most(80);
  });

  it('reads comments to their end', async () => {
    const pull = open('coop-cloud/recipe');
    await scene.look();
    for (let i = 0; i < 140; i++) scene.forge.comment(pull, 'bob', `word ${i}`);
    ask(pull);
    await looksUntil(1);
  });

  it('takes what was said while nobody looked, when it comes to it', async () => {
    const pulls = some(12);
    for (let i = 0; i < 5; i++) {
      scene.pass(5);
      await scene.look();
    }
    for (const pull of pulls) ask(pull);
    scene.pass(3 * 86_400);
    scene.restart();
    // Killed in the middle of its round.
    await scene.look();
    scene.restart();
    await looksUntil(12);
    expect(scene.askers()).to.have.length(12);
  });

  it('lets a repository that fails be read in its next turn, and others meanwhile', async () => {
    const pulls = some(4);
    await scene.look();
    scene.pass(60);
    await scene.look();
    for (const pull of pulls) ask(pull);
    scene.pass(60);
    scene.forge.break('repoComments', { how: { status: 500, body: '{"message":""}' }, on: 2 });
    expect(await scene.failedLook()).to.match(/HTTP 500/);
    expect(scene.askers()).to.have.length(3);
    await looksUntil(4);
  });

  it('follows a repository to its new name, from where it was read to', async () => {
    const pulls = some(3);
    await scene.look();
    scene.pass(60);
    await scene.look();
    ask(pulls[1] ?? expect.fail());
    scene.forge.rename('coop-cloud/recipe-1', 'coop-cloud/renamed');
    scene.pass(500);
    await looksUntil(1);
    expect(scene.askers()).to.deep.equal(['alice coop-cloud/renamed 1']);
  });

  it('finds repositories that are made later, also when it was restarted meanwhile', async () => {
    some(3);
    await scene.look();
    for (const [taken, repo] of ['coop-cloud/young', 'coop-cloud/younger'].entries()) {
      ask(open(repo));
      for (let i = 0; i < 60; i++) {
        scene.pass(5);
        await scene.look();
      }
      if (taken === 1) scene.restart();
      await looksUntil(taken + 1);
    }
  });

  it('names a repository whose comments it may not read, and asks for it again only now and then', async () => {
    const [hidden, sound] = [open('coop-cloud/hidden'), open('coop-cloud/sound')];
    scene.forge.knobs.unreadable.add(hidden.repo);
    await scene.look();
    for (let i = 1; i <= 3; i++) {
      ask(sound);
      expect(await looksUntil(i)).to.be.at.most(2);
    }
    const named = () => scene.logged.filter((line) => line.includes('does not show its comments')).length;
    expect(named()).to.equal(1);
    scene.requests();
    for (let i = 0; i < 120; i++) {
      scene.pass(5);
      await scene.look();
    }
    expect(named()).to.equal(2);
    expect(scene.requests('orgRepos')).to.be.at.most(3);
    scene.forge.knobs.unreadable.clear();
    ask(hidden);
    await looksUntil(4);
  });

  it('says once that there is no search, and asks for it again every hour', async () => {
    some(2);
    scene.requests();
    for (let i = 0; i < 3 * 720; i++) {
      scene.pass(5);
      await scene.look();
    }
    expect(scene.requests('search')).to.equal(3);
    const said = scene.logged.filter((line) => line.includes('has no search'));
    expect(said).to.have.length(1);
    expect(said[0]).to.include('"level":40');
  });

  it('goes over to the search when there is one, and back, and loses nothing', async () => {
    const pulls = some(30);
    await scene.look();
    for (const pull of pulls) ask(pull);
    scene.forge.knobs.search = 'whole';
    scene.pass(3_600);
    expect(await scene.look()).to.equal(30);
    expect(scene.logged.join()).to.include('can be searched now');
    scene.forge.knobs.search = 'missing';
    for (const pull of pulls) ask(pull, 'bob');
    await looksUntil(60);
  });

  it('goes on without a search that gives only what belongs to others', async () => {
    scene.forge.knobs.search = 'ownerless';
    for (let i = 0; i < 60; i++) open('elsewhere/custom-html');
    const [pull] = some(1);
    scene.forge.touch(pull ?? expect.fail());
    for (let i = 0; i < 60; i++) scene.forge.touch(open('elsewhere/custom-html'));
    await scene.look();
    ask(pull ?? expect.fail());
    await looksUntil(1);
    expect(scene.logged.join()).to.include('finds only those of others');
  });

  for (const status of [400, 404, 405, 422]) {
    it(`takes ${status} for a forge without a search`, async () => {
      scene.forge.knobs.search = 'whole';
      scene.forge.break('search', { how: { status, body: BODY }, times: 99 });
      const [pull] = some(1);
      await scene.look();
      ask(pull ?? expect.fail());
      await looksUntil(1);
    });
  }

  it('does not take a proxy whose forge is away for a forge without a search', async () => {
    scene.forge.knobs.search = 'whole';
    some(1);
    const away = { how: { status: 404, body: '404 page not found' } };
    scene.forge.break('search', away);
    scene.forge.break('whoAmI', away);
    expect(await scene.failedLook()).to.match(/user: HTTP 404/);
    await scene.look();
    expect(scene.requests('orgRepos')).to.equal(0);
  });

  it('names an organisation that is not there', async () => {
    scene.forge.break('orgRepos', { how: { status: 404, body: '{"message":"GetOrgByName"}' } });
    expect(await scene.failedLook()).to.match(/orgs\/coop-cloud\/repos.*GetOrgByName/);
  });
});
