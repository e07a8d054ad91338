import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { expectArticle } from './article.js';
import { type Session, SITE_TITLE, signIn } from './site.js';

describe('wordpress after an upgrade', () => {
  let session: Session;
  before(async () => {
    session = await signIn();
  });

  it('still shows the article and its document', expectArticle);

  it('kept the site as it was set up', async () => {
    const start = await http.get('/');
    expect(start.status).to.equal(200);
    expect(await start.text()).to.include(SITE_TITLE);
  });

  it('lets the administrator in, whom no update of the database is waiting for', async () => {
    expect(await (await session.page('/wp-admin/')).text()).to.include('<h1>Dashboard</h1>');
    const update = await session.page('/wp-admin/upgrade.php');
    expect(update.status).to.equal(200);
    expect(await update.text()).to.include('No Update Required');
  });

  it('still takes uploads', async () => {
    const folder = '/var/www/html/wp-content/uploads';
    const { stdout } = await app.exec('app', ['stat', '--format', '%U', folder]);
    expect(stdout.trim()).to.equal('www-data');
  });
});
