import { createLogger, type Store } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type BridgeContext, DEFAULT_TIMING } from './context.js';
import { feedLook } from './feed.js';
import { connectForge, type ForgeClient } from './forge/client.js';
import { createIntake } from './intake.js';
import { NO_OBSERVER } from './observer.js';
import { openBridgeStore } from './store.js';
import { createFakeEngine } from './testing/fake-engine.js';
import { BOT, FAKE_TOKEN, type FakeForge, ORG, startFakeForge } from './testing/fake-forge.js';
import { PLAIN_RULES } from './testing/rules.js';
import { listTriggers } from './triggers.js';

const SHA = 'a'.repeat(40);

describe('looking at the feed', () => {
  let forge: FakeForge;
  let client: ForgeClient;
  let store: Store;
  let look: () => Promise<number>;

  beforeEach(async () => {
    forge = await startFakeForge();
    client = connectForge({ url: forge.url, token: FAKE_TOKEN });
    store = openBridgeStore(':memory:');
    const context: BridgeContext = {
      store,
      forge: client,
      engine: createFakeEngine(),
      org: ORG,
      publicUrl: 'https://ci.test',
      readRecord: async () => undefined,
      rules: PLAIN_RULES,
      timing: DEFAULT_TIMING,
      logger: createLogger('test', 'silent'),
      observer: NO_OBSERVER,
      bot: async () => ({ id: 1, login: BOT }),
    };
    look = feedLook(
      context,
      createIntake(context, () => undefined),
    );
  });
  afterEach(async () => {
    store.close();
    await client.close();
    await forge.close();
  });

  const askers = () => listTriggers(store).map(({ author, repo, pr }) => `${author} ${repo} ${pr}`);
  const feedRequests = () => forge.requests.filter((name) => name === 'feed').length;

  it('leaves alone what was said before the first look, and takes what comes after', async () => {
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    forge.comment(pull, 'alice', '!testme');
    expect(await look()).to.equal(0);
    forge.comment(pull, 'bob', '!testme');
    expect(await look()).to.equal(1);
    expect(await look()).to.equal(0);
    expect(askers()).to.deep.equal(['bob coop-cloud/custom-html 1']);
  });

  it('takes the first comment ever made on an empty forge', async () => {
    await look();
    forge.comment(forge.openPull('coop-cloud/custom-html', SHA), 'alice', '!testme');
    expect(await look()).to.equal(1);
  });

  it('costs one request when nothing happened, however much did before', async () => {
    await look();
    forge.otherActivity('coop-cloud/custom-html', 200);
    await look();
    const before = feedRequests();
    for (let i = 0; i < 5; i++) await look();
    expect(feedRequests() - before).to.equal(5);
  });

  it('reads no further back than to what it knows', async () => {
    for (let i = 0; i < 400; i++) forge.otherActivity('coop-cloud/custom-html');
    await look();
    forge.comment(forge.openPull('coop-cloud/custom-html', SHA), 'alice', '!testme');
    const before = feedRequests();
    expect(await look()).to.equal(1);
    // 120 s at one entry a second.
    expect(feedRequests() - before).to.equal(3);
  });

  it('finds every comment among hundreds of other things, in the order they were made', async () => {
    await look();
    const pulls = ['a', 'b', 'c'].map((name) => forge.openPull(`coop-cloud/${name}`, SHA));
    for (const pull of pulls) {
      forge.comment(pull, 'alice', '!testme');
      forge.otherActivity(pull.repo, 90);
    }
    expect(await look()).to.equal(3);
    expect(askers()).to.deep.equal(['alice coop-cloud/a 1', 'alice coop-cloud/b 1', 'alice coop-cloud/c 1']);
  });

  it('finds a comment that shows up late, behind newer ones', async () => {
    await look();
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    const late = forge.comment(pull, 'alice', '!testme');
    const hidden = forge.hide(late);
    for (let i = 0; i < 60; i++) forge.otherActivity('coop-cloud/custom-html');
    await look();
    hidden.show();
    expect(await look()).to.equal(1);
  });

  it('reads on where it failed half way', async () => {
    await look();
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    forge.comment(pull, 'alice', '!testme');
    forge.otherActivity('coop-cloud/custom-html', 120);
    forge.break('feed', { how: 'drop', after: true, on: 3 });
    expect(await look().catch((error: Error) => error.message)).to.match(/page=3/);
    expect(askers()).to.deep.equal([]);
    expect(await look()).to.equal(1);
  });

  it('does not read one page for ever', async () => {
    await look();
    forge.otherActivity('coop-cloud/custom-html', 60);
    forge.pageless = true;
    await look();
    expect(feedRequests()).to.equal(1 + 2);
  });

  it('leaves alone: edited comments, our own, deleted ones, and repositories that went elsewhere', async () => {
    await look();
    const pull = forge.openPull('coop-cloud/custom-html', SHA);
    forge.edit(forge.comment(pull, 'alice', 'hi'), '!testme');
    forge.comment(pull, BOT, '!testme');
    forge.deleteComment(forge.comment(pull, 'alice', '!testme').id);
    forge.comment(forge.openPull('elsewhere/custom-html', SHA), 'alice', '!testme');
    expect(await look()).to.equal(0);
  });

  it('does not take for new what was seen before as something else', async () => {
    await look();
    const comment = forge.comment(forge.openPull('coop-cloud/custom-html', SHA), 'alice', 'hi');
    await look();
    forge.edit(comment, '!testme', 0);
    expect(await look()).to.equal(0);
  });
});
