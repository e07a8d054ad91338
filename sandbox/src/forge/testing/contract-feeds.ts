import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import type { Stage } from './forge-contract.js';
import { at, eachAt, type Identity, listOf, numberAt, person, textAt } from './scene.js';
import { type OpenedPull, openPullFromFork, publish } from './work-tree.js';

/** The organisation's feed: how one request tells of all new comments. */
export function feedContract(stage: Stage): void {
  const ask: Stage['scene']['ask'] = (...call) => stage.scene.ask(...call);
  let pull: OpenedPull;

  const feed = (as: Identity, query = '?limit=50') =>
    ask(as, 'GET', `/orgs/${stage.scene.org}/activities/feeds${query}`);
  const say = async (as: Identity, body: string) => {
    const answer = await ask(as, 'POST', `/repos/${pull.repository}/issues/${pull.number}/comments`, {
      body,
    });
    return numberAt(answer.body, 'id');
  };
  /** The entries about one comment. */
  const about = async (as: Identity, id: number) =>
    listOf((await feed(as)).body).filter((entry) => at(entry, 'comment_id') === id);

  describe('feeds', () => {
    before(async () => {
      const { repository } = await publish(stage.scene, stage.work);
      pull = await openPullFromFork(stage.scene, stage.work, repository);
    });

    it('tell of a comment once, with its text, and its author as the one who acted', async () => {
      const { bot, outsider, url } = stage.scene;
      const id = await say(outsider, '!testme');
      const entries = await about(bot, id);
      expect(entries).to.have.length(1);
      expect(entries[0]).to.containSubset({
        op_type: 'comment_pull',
        act_user: { login: outsider.login },
        repo: { full_name: pull.repository },
        comment_id: id,
        // The author is not in here: Gitea leaves it empty in feeds.
        comment: { id, body: '!testme', user: null, pull_request_url: `${url}/${pull.repository}/pulls/1` },
        content: '1|!testme',
        ref_name: '',
        is_private: false,
      });
      const apart =
        Date.parse(textAt(entries[0], 'created')) - Date.parse(textAt(entries[0], 'comment.created_at'));
      expect(apart).to.be.within(0, 5_000);
    });

    it('shorten what was said, but not in the comment itself', async () => {
      const { bot, outsider } = stage.scene;
      const text = `${'word '.repeat(100)}end`;
      const [entry] = await about(bot, await say(outsider, text));
      expect(textAt(entry, 'content')).to.match(/^1\|(word ?)+…$/);
      expect(Buffer.byteLength(textAt(entry, 'content'))).to.be.lessThan(210);
      expect(at(entry, 'comment.body')).to.equal(text);
    });

    it('tell of other things too', async () => {
      const { bot, outsider, owner } = stage.scene;
      await ask(outsider, 'PATCH', `/repos/${pull.repository}/pulls/1`, { state: 'closed' });
      await ask(outsider, 'PATCH', `/repos/${pull.repository}/pulls/1`, { state: 'open' });
      await stage.work.git(undefined, 'tag', '--force', '1.0.0+1.2.3', 'main');
      await stage.work.push(owner, pull.repository, '1.0.0+1.2.3');
      const here = async () =>
        listOf((await feed(bot)).body).filter((entry) => at(entry, 'repo.full_name') === pull.repository);
      await until(async () => eachAt(await here(), 'op_type').includes('push_tag'));
      const entries = await here();
      expect(eachAt(entries, 'op_type')).to.include.members([
        'create_repo',
        'commit_repo',
        'push_tag',
        'create_pull_request',
        'close_pull_request',
        'reopen_pull_request',
      ]);
      const closed = entries.find((entry) => at(entry, 'op_type') === 'close_pull_request');
      expect(closed).to.containSubset({ content: '1|', comment: { body: '' } });
      const opened = entries.find((entry) => at(entry, 'op_type') === 'create_pull_request');
      expect(opened).to.containSubset({ content: '1|A change', comment_id: 0, comment: null });
      const pushed = entries.find((entry) => at(entry, 'op_type') === 'commit_repo');
      expect(pushed).to.containSubset({ ref_name: 'refs/heads/main', comment: null });
      const tagged = entries.find((entry) => at(entry, 'op_type') === 'push_tag');
      expect(at(tagged, 'ref_name')).to.equal('refs/tags/1.0.0+1.2.3');
      const event = await ask(
        bot,
        'GET',
        `/repos/${pull.repository}/issues/comments/${numberAt(closed, 'comment_id')}`,
      );
      expect(event.status).to.equal(204);
    });

    it('are in order of time, the newest first, page by page', async () => {
      const { bot, outsider } = stage.scene;
      for (const body of ['one', 'two', 'three']) await say(outsider, body);
      const whole = await feed(bot);
      const times = eachAt(whole.body, 'created').map((time) => Date.parse(`${time}`));
      expect(times).to.deep.equal(times.toSorted((a, b) => b - a));
      expect(Number(whole.headers.get('x-total-count'))).to.be.at.least(times.length);
      const [first, second] = [await feed(bot, '?limit=2'), await feed(bot, '?limit=2&page=2')];
      expect([...eachAt(first.body, 'id'), ...eachAt(second.body, 'id')]).to.deep.equal(
        eachAt(whole.body, 'id').slice(0, 4),
      );
      expect(first.headers.get('link')).to.equal(null);
    });

    it('can be asked for one day', async () => {
      const { bot } = stage.scene;
      const total = (await feed(bot)).headers.get('x-total-count');
      const today = textAt(listOf((await feed(bot)).body)[0], 'created').slice(0, 10);
      expect(listOf((await feed(bot, `?date=${today}&limit=1`)).body)).to.have.length(1);
      expect((await feed(bot, '?date=2001-01-01')).body).to.deep.equal([]);
      expect((await feed(bot, '?date=odd')).headers.get('x-total-count')).to.equal(total);
    });

    it('tell of private repositories to those who may read them', async () => {
      const { bot, owner, outsider } = stage.scene;
      const { repository } = await publish(stage.scene, stage.work, { private: true });
      const tells = async (as: Identity) =>
        eachAt((await feed(as)).body, 'repo.full_name').includes(repository);
      await until(() => tells(bot));
      expect(await tells(owner)).to.equal(true);
      expect(await tells(outsider)).to.equal(false);
      expect(await tells(undefined)).to.equal(false);
      expect(await ask(bot, 'GET', '/orgs/nobody-here/activities/feeds')).to.include({ status: 404 });
    });

    it('show what a comment says now, and nothing of one that was deleted', async () => {
      const { bot, outsider } = stage.scene;
      const id = await say(outsider, 'before');
      await ask(outsider, 'PATCH', `/repos/${pull.repository}/issues/comments/${id}`, { body: 'after' });
      const [entry] = await about(bot, id);
      expect(entry).to.containSubset({ content: '1|before', comment: { body: 'after' } });
      await ask(outsider, 'DELETE', `/repos/${pull.repository}/issues/comments/${id}`);
      expect(await about(bot, id)).to.deep.equal([]);
    });

    it('leave out what users do who hide their activity, to all but administrators', async () => {
      const { admin, bot } = stage.scene;
      const shy = await person(ask, admin, 'shy');
      expect(await ask(shy, 'PATCH', '/user/settings', { hide_activity: true })).to.include({ status: 200 });
      const id = await say(shy, '!testme');
      expect(await about(bot, id)).to.deep.equal([]);
      expect(await about(shy, id)).to.have.length(1);
      expect(await about(admin, id)).to.have.length(1);
      const list = `/repos/${pull.repository}/issues/comments?limit=50`;
      expect(eachAt((await ask(bot, 'GET', list)).body, 'id')).to.include(id);
    });
  });
}
