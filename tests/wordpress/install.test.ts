import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import {
  apiPath,
  install,
  isInstalled,
  json,
  type Media,
  type Post,
  type Session,
  SITE_TITLE,
  signIn,
  submitSignIn,
} from './site.js';

describe('wordpress', () => {
  it('shows the first visitor a form for the installation', async () => {
    expect(await isInstalled()).to.equal(false);
    const start = await http.get('/');
    expect(start.status).to.equal(302);
    expect(start.headers.location).to.equal(`${app.url}/wp-admin/install.php`);
    expect(await (await http.get('/wp-admin/install.php?step=1')).text()).to.include('weblog_title');
  });

  it('is installed by that form', async () => {
    await install();
    expect(await isInstalled()).to.equal(true);
    expect(await (await http.get('/wp-admin/install.php')).text()).to.include('Already Installed');
  });

  it('shows the site, with links that stay on HTTPS', async () => {
    const start = await http.get('/');
    expect(start.status).to.equal(200);
    const html = await start.text();
    expect(html).to.include(SITE_TITLE).and.to.include('Hello world!');
    expect(html).to.include(`${app.url}/wp-`).and.not.include(`http://${app.domain}`);
  });

  it('lets nobody in with a wrong password', async () => {
    const answer = await submitSignIn('not-the-password');
    expect(answer.status).to.equal(200);
    expect(answer.headers['set-cookie'] ?? '').to.not.include('wordpress_logged_in_');
    expect(await answer.text()).to.include('is incorrect');
  });

  it('lets strangers write nothing', async () => {
    const answer = await http.request('POST', apiPath('/wp/v2/posts'), {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Advertisement', status: 'publish' }),
    });
    expect(answer.status).to.equal(401);
  });

  it('has the upload limit of its settings', async () => {
    const { stdout } = await app.exec('app', ['php', '-r', 'echo ini_get("upload_max_filesize");']);
    expect(stdout).to.equal(app.env.UPLOAD_LIMIT ?? '64M');
  });

  it('asks for a password at the database', async () => {
    const refused = await app.exec('db', ['mariadb', '--user=root', '--execute=SELECT 1']).catch(String);
    expect(refused).to.match(/Access denied for user 'root'/);
  });

  describe('for its administrator', () => {
    let session: Session;
    before(async () => {
      session = await signIn();
    });

    it('has a dashboard', async () => {
      const dashboard = await session.page('/wp-admin/');
      expect(dashboard.status).to.equal(200);
      expect(await dashboard.text()).to.include('<h1>Dashboard</h1>');
    });

    it('publishes an article that visitors can read, until it is taken away', async () => {
      const draft = { title: 'News & views', content: '<p>All is well, says Zoë.</p>', status: 'publish' };
      const { id } = await json<Post>(await session.api('POST', '/wp/v2/posts', draft), 201);
      try {
        const page = await http.get(`/?p=${id}`);
        expect(page.status).to.equal(200);
        expect(await page.text()).to.include(draft.content);
      } finally {
        await json(await session.api('DELETE', `/wp/v2/posts/${id}?force=true`), 200);
      }
      expect((await http.get(`/?p=${id}`)).status).to.equal(404);
    });

    it('takes a picture in, and knows its size', async () => {
      const answer = await session.upload('dot.png', 'image/png', Buffer.from(DOT, 'base64'));
      const picture = await json<Media>(answer, 201);
      try {
        expect(picture.media_details).to.include({ width: 2, height: 1 });
        expect(picture.source_url).to.match(new RegExp(`^${app.url}/wp-content/uploads/.*/dot\\.png$`));
        const file = await http.get(picture.source_url);
        expect(file.status).to.equal(200);
        expect(file.headers).to.include({ 'content-type': 'image/png', 'content-length': '70' });
      } finally {
        await json(await session.api('DELETE', `/wp/v2/media/${picture.id}?force=true`), 200);
      }
    });

    it('installs no plugins, which the next deployment would forget', async () => {
      expect((await session.page('/wp-admin/plugin-install.php')).status).to.equal(403);
    });
  });
});

/** A picture of two dots beside each other. */
const DOT =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGM4wQAEJwAFfwGRzv1XIQAAAABJRU5ErkJggg==';
