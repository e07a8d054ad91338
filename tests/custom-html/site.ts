import { http } from '@cc-ci/runner/harness';
import { expect } from 'chai';
import { listSiteFiles, removeSiteFiles, writeSiteFile } from './files.js';

/** The site that is seeded, by path. */
const SITE: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html>\n<title>Harbour</title>\n<h1>Harbour of Saint Zoë</h1>\n',
  'style.css': 'h1 { color: teal }\n',
  'ships/list of all.txt': 'Étoile\nNordstjärnan\n',
};

const address = (path: string) => `/${path.split('/').map(encodeURIComponent).join('/')}`;

/** Puts the site into the volume. */
export async function publishSite(): Promise<void> {
  for (const [path, text] of Object.entries(SITE)) await writeSiteFile(path, text);
}

/** Asks for every file as a visitor. Throws unless all are as they were published and nothing is beside them. */
export async function expectSite(): Promise<void> {
  for (const [path, text] of Object.entries(SITE)) {
    const file = await http.get(address(path));
    expect(file.status, `status of ${path}`).to.equal(200);
    expect(await file.text(), path).to.equal(text);
  }
  expect(await (await http.get('/')).text(), 'the landing page').to.equal(SITE['index.html']);
  expect(await listSiteFiles()).to.deep.equal(Object.keys(SITE).sort());
}

/** Rewrites the landing page and takes a folder away. */
export async function spoilSite(): Promise<void> {
  await writeSiteFile('index.html', '<h1>Closed</h1>\n');
  await removeSiteFiles('ships');
}
