import { expect } from 'chai';
import { describe, it } from 'mocha';
import { commitUrl, hasPage, link, pullUrl } from './links.js';
import { someRequest } from './testing/fixtures.js';
import { formatBytes, formatDuration, formatInstant } from './words.js';

const ref = 'a'.repeat(40);

describe('words', () => {
  it('say a duration in few characters', () => {
    const said = [0, 999, 1_000, 9_940, 9_960, 59_499, 59_500, 65_000, 3_599_600, 7_380_000].map(
      formatDuration,
    );
    expect(said).to.deep.equal([
      '0 ms',
      '999 ms',
      '1.0 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 00 s',
      '1 min 05 s',
      '1 h 00 min',
      '2 h 03 min',
    ]);
  });

  it('say a time in UTC, and a size', () => {
    expect(formatInstant('2026-01-02T03:04:59.000Z')).to.equal('2 Jan 2026, 03:04');
    expect([999, 1_000, 4_149_999].map(formatBytes)).to.deep.equal(['999 B', '1.0 kB', '4.1 MB']);
  });
});

describe('links', () => {
  it('lead to the commit where it is, and to the pull request where it was opened', () => {
    const request = someRequest({
      ref,
      src: 'https://forge.example/git/alice/fork.git',
      repo: 'org/custom-html',
      pr: 7,
    });
    expect(commitUrl(request)).to.equal(`https://forge.example/git/alice/fork/commit/${ref}`);
    expect(pullUrl({ ...request, origin: 'https://forge.example/git/org/custom-html.git' })).to.equal(
      'https://forge.example/git/org/custom-html/pulls/7',
    );
    expect(pullUrl({ ...request, origin: undefined })).to.equal(
      'https://forge.example/git/org/custom-html/pulls/7',
    );
  });

  it('are not made of local paths', () => {
    const request = someRequest({ src: '/srv/recipes/custom-html', origin: undefined });
    expect([commitUrl(request), pullUrl(request)]).to.deep.equal([undefined, undefined]);
  });

  it('escape what they are made of', () => {
    expect(link('/ci', 'runs', 'a b#', '')).to.equal('/ci/runs/a%20b%23/');
    expect(['9k3f', 'custom-html.1'].every(hasPage)).to.equal(true);
    expect(['', '.git', '..', '<b>', 'a b', '%2e', 'x'.repeat(129)].some(hasPage)).to.equal(false);
  });
});
