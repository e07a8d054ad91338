import { app, http } from '@cc-ci/runner/harness';
import { expect } from 'chai';

// Files that are no tests are for what tests and hooks share.

const FILE = '/usr/share/nginx/html/template.txt';
const TEXT = 'Written by seed, looked for by verify.\n';

/** Puts a page into the app's volume. Where an app has an API or a form for that, use it, as its users would. */
export async function publishPage(): Promise<void> {
  await app.exec('app', ['sh', '-c', `cat > ${FILE}`], { input: TEXT });
}

/** Asks for the page as a visitor. Throws unless it is exactly as it was published. */
export async function expectPage(): Promise<void> {
  const page = await http.get('/template.txt');
  expect(page.status, 'status of the page').to.equal(200);
  expect(await page.text(), 'the page').to.equal(TEXT);
}

/** Changes the page, so that a restore has something to bring back. */
export async function spoilPage(): Promise<void> {
  await app.exec('app', ['sh', '-c', `cat > ${FILE}`], { input: 'Changed by mutate.\n' });
}
