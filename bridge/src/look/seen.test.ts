import { expect } from 'chai';
import { describe, it } from 'mocha';
import { seenComments } from './seen.js';

const AT = Date.parse('2026-11-21T12:00:00Z');

describe('comments of a repository', () => {
  const comment = (change: object = {}) => ({
    id: 7,
    body: '!testme',
    user: { id: 3, login: 'alice' },
    created_at: AT,
    updated_at: AT,
    pull_request_url: 'https://forge.test/some/where/coop-cloud/x/pulls/12',
    ...change,
  });
  const decided = (change: object, baseline = { at: 0, isNew: false }) =>
    seenComments([comment(change)], 'coop-cloud/x', 1, baseline).map(({ decision }) => decision);

  it('are taken with what the bridge needs', () => {
    expect(seenComments([comment()], 'coop-cloud/x', 1, { at: 0, isNew: false })).to.deep.equal([
      { commentId: 7, repo: 'coop-cloud/x', pr: 12, author: 'alice', createdAt: AT, decision: 'testme' },
    ]);
  });

  it('are left alone where they are on issues', () => {
    for (const pull_request_url of ['', null, undefined, 'https://forge.test/coop-cloud/x/issues/12']) {
      expect(decided({ pull_request_url })).to.deep.equal([]);
    }
  });

  it('are no commands when they are older than the bridge', () => {
    expect(decided({}, { at: AT + 1_000, isNew: false })).to.deep.equal(['no-command']);
    expect(decided({}, { at: AT, isNew: true })).to.deep.equal(['no-command']);
    expect(decided({}, { at: AT, isNew: false })).to.deep.equal(['testme']);
    // Edited since: still old.
    expect(decided({ updated_at: AT + 90_000 }, { at: AT + 1_000, isNew: false })).to.deep.equal([
      'no-command',
    ]);
  });

  it('are decided about as any other', () => {
    expect(decided({ updated_at: AT + 90_000 })).to.deep.equal(['edited']);
    expect(decided({ user: { id: 1, login: 'bot' } })).to.deep.equal(['own-comment']);
    expect(decided({ body: 'hello' })).to.deep.equal(['no-command']);
  });
});
