import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { removeSiteFiles, writeSiteFile } from './files.js';

describe('custom-html', () => {
  it('serves a welcome page with the words of its settings', async () => {
    const page = await http.get('/');
    expect(page.status).to.equal(200);
    expect(page.headers['content-type']).to.equal('text/html; charset=utf-8');
    const text = await page.text();
    expect(text).to.include(`<h1>${app.env.SITE_TITLE}</h1>`);
    expect(text).to.include(app.domain).and.to.include(app.env.SITE_TEXT);
  });

  it('answers 404 for a file that is not there', async () => {
    const page = await http.get('/no-such-page.html');
    expect(page.status).to.equal(404);
    expect(page.headers['content-type']).to.match(/^text\/html/);
  });

  it('tells browsers not to guess types and not to show it within other sites', async () => {
    for (const path of ['/', '/no-such-page.html']) {
      const { headers } = await http.get(path);
      expect(headers['x-content-type-options'], path).to.equal('nosniff');
      expect(headers['x-frame-options'], path).to.equal('SAMEORIGIN');
    }
  });

  it('serves the files of its volume, each with its type, and folders without leaving HTTPS', async () => {
    try {
      const files = { 'style.css': 'text/css', 'data.json': 'application/json', 'index.html': 'text/html' };
      for (const [name, type] of Object.entries(files)) {
        await writeSiteFile(`cc-ci/${name}`, `content of ${name}\n`);
        const file = await http.get(`/cc-ci/${name}`);
        expect(file.status, name).to.equal(200);
        expect(file.headers['content-type']?.split(';')[0], name).to.equal(type);
        expect(await file.text()).to.equal(`content of ${name}\n`);
      }
      const folder = await http.get('/cc-ci');
      expect(folder.status).to.equal(301);
      expect(new URL(folder.headers.location ?? '', app.url).href).to.equal(`${app.url}/cc-ci/`);
    } finally {
      await removeSiteFiles('cc-ci');
    }
  });

  it("shows the site's own index.html in place of the welcome page", async () => {
    await writeSiteFile('index.html', 'my own page\n');
    try {
      expect(await (await http.get('/')).text()).to.equal('my own page\n');
    } finally {
      await removeSiteFiles('index.html');
    }
  });
});
