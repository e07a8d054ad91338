import { app } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { ROOT } from './files.js';
import { expectSite } from './site.js';

describe('custom-html after a restore', () => {
  it('serves the site as it was', expectSite);

  it('has files that its server may read', async () => {
    const { stdout } = await app.exec('app', ['find', ROOT, '!', '-perm', '-o=r']);
    expect(stdout).to.equal('');
  });
});
