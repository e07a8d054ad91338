import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { expectArticle } from './article.js';
import { SITE_TITLE, signIn } from './site.js';

describe('wordpress after a restore', () => {
  it('shows the article and its document, and nothing that came later', expectArticle);

  it('is the site it was, and no form for a new installation', async () => {
    const start = await http.get('/');
    expect(start.status).to.equal(200);
    expect(await start.text()).to.include(SITE_TITLE);
  });

  it('lets the administrator in', async () => {
    const session = await signIn();
    expect(await (await session.page('/wp-admin/')).text()).to.include('<h1>Dashboard</h1>');
  });

  it('has its uploads owned by the server that has to change them', async () => {
    const folder = '/var/www/html/wp-content/uploads';
    const { stdout } = await app.exec('app', ['find', folder, '!', '-user', 'www-data']);
    expect(stdout).to.equal('');
  });
});
