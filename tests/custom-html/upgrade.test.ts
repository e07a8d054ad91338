import { http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { expectSite } from './site.js';

describe('custom-html after an upgrade', () => {
  it('still serves the site', expectSite);

  it('knows the types of its files', async () => {
    const types = { '/': 'text/html', '/style.css': 'text/css', '/ships/list%20of%20all.txt': 'text/plain' };
    for (const [path, type] of Object.entries(types)) {
      const { headers } = await http.get(path);
      expect(headers['content-type']?.split(';')[0], path).to.equal(type);
    }
  });

  it('answers with the headers of the new version', async () => {
    const { headers } = await http.get('/');
    expect(headers).to.include({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' });
  });
});
