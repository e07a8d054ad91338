import { http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { expectPage } from './page.js';

// Run after the commit under test was deployed over the newest published version, on which `seed` was called.
describe('the upgraded app', () => {
  it('still serves what was put in before', expectPage);

  it('serves its landing page', async () => {
    expect((await http.get('/')).status).to.equal(200);
  });
});
