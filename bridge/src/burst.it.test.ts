import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createEnrolment } from './enrolment.js';
import { tellStory } from './testing/story.js';

const REPO = 'coop-cloud/custom-html';

describe('in a burst of webhook deliveries', () => {
  it('triggers give way, and get on all the same', async () => {
    const enrolment = createEnrolment({ patterns: ['custom-html'], file: undefined });
    const story = await tellStory({ enrolment });
    const pull = story.forge.openPull(REPO, 'a'.repeat(40));
    const { intake } = await story.start();
    let commentId = 1_000;
    const deliver = (author: string, repo: string, pr: number) =>
      intake.take(
        [{ commentId: ++commentId, repo, pr, author, createdAt: 0, decision: 'testme' }],
        'webhook',
      );

    const begin = performance.now();
    deliver('alice', REPO, pull.number);
    // Strangers where cc-ci is not at home: nothing is said, and nothing is built.
    const burst = setInterval(() => deliver('mallory', 'coop-cloud/other', 1), 2);
    const { run } = await story.engine.started.next();
    clearInterval(burst);
    // Three steps come before the build's start, each as late as a step may be; a pause of the machine may spare one.
    expect(performance.now() - begin).to.be.at.least(195);
    expect(await story.nextComment()).to.include(run);
    story.engine.change(run, { state: 'error' });
    expect(await story.nextEdit()).to.include('**error**');
    await story.end();
  }).timeout(20_000);
});
