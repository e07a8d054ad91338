import { expect } from 'chai';
import { describe, it } from 'mocha';
import { newerThan, olderThan, parseVersion, sortVersions } from './versions.js';

describe('versions of recipes', () => {
  it('are the recipe semver, a plus, and whatever the app calls its version', () => {
    expect(parseVersion('2.0.1+1.0.6-social-amd64')).to.deep.include({
      recipe: [2, 0, 1],
      prerelease: '',
      app: '1.0.6-social-amd64',
    });
    expect(parseVersion('1.0.0-rc1+2024-05-01')).to.deep.include({ prerelease: 'rc1', app: '2024-05-01' });
    for (const text of ['main', '1.0', '1.0+2.0', 'release-1.0.0', '1.0.0+']) {
      expect(parseVersion(text), text).to.equal(undefined);
    }
  });

  it('are ordered by numbers, not by letters; what is no version is passed over', () => {
    const tags = ['0.10.0+1.27.2', 'nightly', '1.0.0+1.9', '0.9.0+1.27.2', '1.0.0-rc1+1.9', '1.0.0+1.27.2'];
    expect(sortVersions(tags)).to.deep.equal([
      '0.9.0+1.27.2',
      '0.10.0+1.27.2',
      '1.0.0-rc1+1.9',
      '1.0.0+1.9',
      '1.0.0+1.27.2',
    ]);
  });

  it("the recipe's part decides before the app's", () => {
    expect(newerThan(['1.0.1+1.0.0', '1.0.0+9.0.0', '1.0.0+1.0.0'], '1.0.0+2.0.0')).to.deep.equal([
      '1.0.0+9.0.0',
      '1.0.1+1.0.0',
    ]);
    expect(olderThan(['1.0.1+1.0.0', '1.0.0+1.0.0'], '1.0.0+2.0.0')).to.deep.equal(['1.0.0+1.0.0']);
  });

  it('are all newer than what is no version', () => {
    expect(newerThan(['0.1.0+1', '0.2.0+1'], 'unknown')).to.deep.equal(['0.1.0+1', '0.2.0+1']);
    expect(newerThan(['0.1.0+1'], '0.1.0+1')).to.deep.equal([]);
  });
});
