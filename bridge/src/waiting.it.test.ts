import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@cc-ci/core/testing';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { createEnrolment } from './enrolment.js';
import type { Rules } from './rules.js';
import { BOT, type Fault } from './testing/fake-forge.js';
import { kindOf, type Story, tellStory } from './testing/story.js';
import { rejectedComment, waitingComment } from './words.js';

const REPO = 'coop-cloud/custom-html';
const SHA = 'a'.repeat(40);
/** What Gitea says of members to a bot that is none. */
const HIDDEN: Fault = { how: { status: 302, headers: { location: '/' } }, times: 1_000_000 };

describe('a command that waits for long', () => {
  let story: Story;
  type Pull = ReturnType<Story['forge']['openPull']>;

  async function begin(rules?: Partial<Rules>): Promise<Pull> {
    story = await tellStory(rules, { tellAfter: 3 });
    const pull = story.forge.openPull(REPO, SHA);
    await story.start();
    return pull;
  }
  afterEach(() => story.end());

  const runOf = (at: number) => story.triggers().at(at)?.run ?? expect.fail('no such trigger');
  const settled = () => until(() => story.triggers().every(({ dueAt }) => dueAt === null));
  const said = (pull: Pull) => story.forge.commentsOn(pull).filter(({ author }) => author === BOT);

  /** What was said becomes the comment on the run: there is never another. */
  async function expectTested(pull: Pull): Promise<void> {
    const { run } = await story.engine.started.next();
    expect(kindOf({ body: await story.nextEdit() })).to.equal('queued');
    story.engine.change(run, { state: 'error', reason: 'no runner' });
    expect(kindOf({ body: await story.nextEdit() })).to.equal('error');
    await settled();
    expect(said(pull)).to.have.length(1);
  }

  it('because the forge does not say who may ask is told so, and tested when it does', async () => {
    const pull = await begin();
    story.forge.break('member', HIDDEN);
    story.forge.comment(pull, 'alice', '!testme');
    expect(await story.nextComment()).to.equal(waitingComment(runOf(0), 'seen'));
    // Not again.
    await until(() => (story.triggers()[0]?.attempts ?? 0) > 6);
    story.forge.mend('member');
    await expectTested(pull);
  });

  it('of a stranger is told so once, and at last that it is not allowed', async () => {
    const pull = await begin();
    const other = story.forge.openPull(REPO, SHA);
    story.forge.break('member', HIDDEN);
    story.forge.comment(pull, 'mallory', '!testme');
    expect(await story.nextComment()).to.equal(waitingComment(runOf(0), 'seen'));
    for (const where of [pull, other]) story.forge.comment(where, 'mallory', '!testme');
    await until(
      () => story.triggers().length === 3 && story.triggers().every(({ attempts }) => attempts > 4),
    );
    story.forge.mend('member');
    expect(await story.nextEdit()).to.equal(
      rejectedComment({ run: runOf(0), org: 'coop-cloud', author: 'mallory' }),
    );
    await settled();
    expect(said(other)).to.deep.equal([]);
  });

  it('hears nothing where cc-ci is not at home', async () => {
    const pull = await begin({ enrolment: createEnrolment({ patterns: ['wordpress'], file: undefined }) });
    story.forge.break('member', HIDDEN);
    story.forge.comment(pull, 'alice', '!testme');
    await until(() => (story.triggers()[0]?.attempts ?? 0) > 4);
    expect(said(pull)).to.deep.equal([]);
  });

  it('because the list of what is enrolled is broken is told so, but not what stands in it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cc-ci-enrolled-'));
    const file = join(folder, 'enrolled');
    await writeFile(file, 'not a name\n');
    const pull = await begin({ enrolment: createEnrolment({ patterns: undefined, file }) });
    story.forge.comment(pull, 'alice', '!testme');
    const body = await story.nextComment();
    expect(body).to.equal(waitingComment(runOf(0), 'authorised'));
    expect(body).not.to.include(folder);
    await writeFile(file, '*\n');
    await expectTested(pull);
    await rm(folder, { recursive: true });
  });

  it('because the engine is away is told so, also where a bridge was killed while saying it', async () => {
    const pull = await begin();
    story.engine.break('start', 1_000_000);
    const saying = story.forge.break('createComment', { how: 'hang', after: true });
    story.forge.comment(pull, 'alice', '!testme');
    await saying.reached;
    await story.crash();
    expect(await story.nextComment()).to.equal(waitingComment(runOf(0), 'pending'));
    await story.start();
    await until(() => story.triggers()[0]?.replyId !== null);
    story.engine.break('start', 0);
    await expectTested(pull);
  });

  it('can be stopped', async () => {
    const pull = await begin();
    story.engine.break('start', 1_000_000);
    story.forge.comment(pull, 'alice', '!testme');
    expect(kindOf({ body: await story.nextComment() })).to.equal('waiting');
    story.forge.comment(pull, 'alice', '!testme stop');
    expect(await story.nextComment()).to.include(runOf(0));
    expect(kindOf({ body: await story.nextEdit() })).to.equal('cancelled');
    story.engine.break('start', 0);
    await settled();
  });

  it('is not told so while the forge asks for patience', async () => {
    const pull = await begin();
    story.forge.break('member', { how: { status: 429, body: '{"message":"slow down"}' }, times: 8 });
    story.forge.comment(pull, 'alice', '!testme');
    const { run } = await story.engine.started.next();
    expect(kindOf({ body: await story.nextComment() })).to.equal('queued');
    story.engine.change(run, { state: 'error' });
    await story.nextEdit();
    await settled();
  });
});
