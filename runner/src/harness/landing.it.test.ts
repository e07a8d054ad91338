import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type AppServer, startServer } from '../testing/app-server.js';
import { type BrowserTest, browserFolder, factsOf, runSpecs } from '../testing/playwright.js';
import { isBlank } from './picture.js';

const OPENS = 'the landing page opens in a browser';
const ASSETS = "the landing page's stylesheets and scripts load";
const NEVER_ANSWERED = '/never.woff2';

describe('the generic browser tests, in a real Chromium', () => {
  let folder: Awaited<ReturnType<typeof browserFolder>>;
  let server: AppServer | undefined;

  beforeEach(async () => {
    folder = await browserFolder();
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    await folder.dispose();
  });

  /** @param pages by path: what is answered, or the status; other paths answer 404 */
  async function testPages(pages: Record<string, string | number>): Promise<{
    opens: BrowserTest;
    assets: BrowserTest;
    output: string;
  }> {
    server = await startServer(({ url = '' }, response) => {
      if (url === NEVER_ANSWERED) return;
      const page = url === '/favicon.ico' ? '' : (pages[url] ?? 404);
      const type = url.endsWith('.js') ? 'text/javascript' : url.endsWith('.css') ? 'text/css' : 'text/html';
      response.setHeader('content-type', type);
      response.statusCode = typeof page === 'number' ? page : 200;
      response.end(typeof page === 'number' ? `<h1>Error ${page}</h1>` : page);
    });
    const { tests, output } = await runSpecs(folder.dir, factsOf(server.port));
    const [opens, assets] = [OPENS, ASSETS].map((title) => tests.find((test) => test.title === title));
    if (!opens || !assets || tests.length !== 2) throw new Error(output);
    return { opens, assets, output };
  }

  function picturesOf({ attachments }: BrowserTest): Buffer[] {
    return attachments
      .filter(({ contentType }) => contentType.startsWith('image/'))
      .map(({ body = '', name }) => {
        expect(name).to.equal('landing page');
        return Buffer.from(body, 'base64');
      });
  }

  const consoleOf = ({ attachments }: BrowserTest) =>
    Buffer.from(attachments.find(({ name }) => name === 'console.log')?.body ?? '', 'base64').toString();

  it('take one picture, once the page has been painted', async () => {
    const { opens, assets } = await testPages({
      '/': '<link rel=stylesheet href=/a.css><body><script src=/a.js></script>',
      '/a.css': 'body { color: black }',
      '/a.js': 'setTimeout(() => { document.body.append("here I am") }, 1500)',
    });
    expect(opens.state).to.equal('passed');
    const pictures = picturesOf(opens);
    expect(pictures.map(isBlank)).to.deep.equal([false]);
    expect(assets.state).to.equal('passed');
    expect(picturesOf(assets)).to.deep.equal([]);
    for (const test of [opens, assets]) {
      expect(test.attachments.map(({ name }) => name)).to.include('trace');
      expect(consoleOf(test)).to.equal('');
    }
  });

  it('are not red for a page that stays blank, but say so', async () => {
    const { opens, output } = await testPages({ '/': '<!doctype html><body></body>' });
    expect(opens.state).to.equal('passed');
    expect(picturesOf(opens).map(isBlank)).to.deep.equal([true]);
    expect(output).to.include('the picture "landing page" shows nothing but one colour');
  });

  it('are not red because no picture can be taken', async () => {
    // Fonts that never come keep Playwright from taking one.
    const { opens, output } = await testPages({
      '/': `text<script>onload = () => setTimeout(() => {
        const font = new FontFace('late', 'url(${NEVER_ANSWERED})');
        document.fonts.add(font);
        document.body.style.fontFamily = 'late';
      })</script>`,
    });
    expect(opens.state).to.equal('passed');
    expect(picturesOf(opens)).to.deep.equal([]);
    expect(output).to.include('no picture "landing page"');
  });

  it('say which stylesheet and script do not load, and keep what the console said', async () => {
    const { opens, assets } = await testPages({
      '/': `<link rel=stylesheet href=/gone.css><script src=/broken.js></script><script src=/fine.js></script>
        <script src="http://elsewhere.test/other.js"></script><img src=/gone.png>text`,
      '/broken.js': 500,
      '/fine.js': 'console.warn("from fine.js"); undefinedFunction()',
    });
    expect(opens.state).to.equal('passed');
    expect(assets.state).to.equal('failed');
    expect(assets.message)
      .to.include('http://app.ci.test/gone.css answers HTTP 404')
      .and.include('http://app.ci.test/broken.js answers HTTP 500')
      .and.not.include('fine.js')
      .and.not.include('gone.png')
      .and.not.include('elsewhere.test');
    for (const test of [opens, assets]) {
      expect(consoleOf(test))
        .to.include('console warning: from fine.js (http://app.ci.test/fine.js:1)')
        .and.include('page error: ReferenceError: undefinedFunction is not defined')
        .and.include('request failed: GET http://elsewhere.test/other.js net::ERR_NAME_NOT_RESOLVED');
    }
  });

  it('take a picture of a page that answers with an error', async () => {
    const { opens } = await testPages({ '/': 503 });
    expect(opens.state).to.equal('failed');
    expect(opens.message).to.include('HTTP status of the landing page');
    expect(picturesOf(opens).map(isBlank)).to.deep.equal([false]);
  });
});
