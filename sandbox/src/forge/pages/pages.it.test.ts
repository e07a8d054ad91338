import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { type SandboxForge, startSandboxForge } from '../testing/sandbox.js';
import { authorization, type Identity, type Scene, setScene } from '../testing/scene.js';
import {
  createWorkTree,
  type OpenedPull,
  openPullFromFork,
  publish,
  type WorkTree,
} from '../testing/work-tree.js';

describe('the forge’s pages', () => {
  let sandbox: SandboxForge;
  let scene: Scene;
  let work: WorkTree;
  let pull: OpenedPull;
  let secret: string;

  before(async () => {
    sandbox = await startSandboxForge();
    scene = await setScene(sandbox);
    work = await createWorkTree(sandbox.url);
    pull = await openPullFromFork(scene, work, (await publish(scene, work)).repository);
    secret = await scene.repository({ private: true });
  });
  after(async () => {
    await work.dispose();
    await sandbox.dispose();
  });

  async function read(path: string, as?: Identity) {
    const headers = as ? { authorization: authorization(as) } : {};
    const response = await fetch(`${sandbox.url}${path}`, { headers, redirect: 'manual' });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  const say = (body: string) =>
    scene.ask(scene.bot, 'POST', `/repos/${pull.repository}/issues/${pull.number}/comments`, { body });
  const report = (status: object) =>
    scene.ask(scene.writer, 'POST', `/repos/${pull.repository}/statuses/${pull.sha}`, status);

  it('list the repositories that everybody may see', async () => {
    const page = await read('/');
    expect(page.status).to.equal(200);
    expect(page.text).to.include(`<a href="/${pull.repository}">`).and.to.include('1 open pull request');
    expect(page.text).not.to.include(secret);
    expect((await read('/', scene.bot)).text).to.include(secret);
  });

  it('show a repository with its branches and where to clone it', async () => {
    const page = await read(`/${pull.repository}`);
    expect(page.text)
      .to.include(`git clone ${sandbox.url}/${pull.repository}.git`)
      .and.to.include('<li>main ');
    const redirected = await read(`/${pull.repository}.git`);
    expect(redirected.status).to.equal(303);
    expect(redirected.headers.get('location')).to.equal(`/${pull.repository}`);
  });

  it('list the pull requests of a repository', async () => {
    const page = await read(`/${pull.repository}/pulls`);
    expect(page.text).to.include(`<a href="/${pull.repository}/pulls/1">A change</a>`);
  });

  it('show a pull request with what was reported about its head', async () => {
    await report({ state: 'pending', context: 'cc-ci', description: 'running' });
    const details = { target_url: 'https://ci.example.org/runs/1' };
    await report({ state: 'success', context: 'cc-ci', description: 'level 3', ...details });
    await report({ state: 'failure', context: 'lint', target_url: 'javascript:alert(1)' });
    const page = await read(`/${pull.repository}/pulls/1`);
    expect(page.text).to.include(pull.sha).and.to.include('<span class="tag open">open</span>');
    expect(page.text).to.include(
      '<b>cc-ci</b> level 3 <a class="push" href="https://ci.example.org/runs/1">',
    );
    expect(page.text).to.include('<b>lint</b>').and.not.to.include('javascript:');
    expect(page.text).not.to.include('running');
  });

  it('show comments as Markdown, without what bots mark them with', async () => {
    await say(
      '<!-- cc-ci run 1 -->\n**Green**, see [the run](https://ci.example.org)\n\n| stage | result |\n|-|-|\n| install | pass |',
    );
    const page = await read(`/${pull.repository}/pulls/1`);
    expect(page.text).to.include('<strong>Green</strong>').and.to.include('<td>install</td>');
    expect(page.text).to.include('<a href="https://ci.example.org">the run</a>');
    expect(page.text).not.to.include('cc-ci run 1');
  });

  it('run nothing that people write', async () => {
    await say('<script>alert(1)</script> <img src=x onerror=alert(1)> [link](javascript:alert(1))');
    const title = '<script>alert("title")</script>';
    await scene.ask(scene.writer, 'PATCH', `/repos/${pull.repository}/pulls/1`, { title });
    const page = await read(`/${pull.repository}/pulls/1`);
    expect(page.text).not.to.match(/<script|<img|href="javascript/);
    expect(page.text).to.include('&lt;script&gt;alert(&quot;title&quot;)&lt;/script&gt;');
    expect(page.headers.get('content-security-policy')).to.include("default-src 'none'");
    expect(page.headers.get('x-content-type-options')).to.equal('nosniff');
  });

  it('say so where there is nothing, or nothing for everybody', async () => {
    const wrong = [
      `/${secret}`,
      `/${secret}/pulls`,
      `/${pull.repository}/pulls/99`,
      '/nobody/here',
      '/a/b/c/d',
    ];
    for (const path of [...wrong, `/${pull.repository}/pulls/abc`, '/..%2f..%2fetc/passwd']) {
      const page = await read(path);
      expect(page.status, path).to.equal(404);
      expect(page.text).to.include('<h1>Not found</h1>');
    }
    const wrongPassword = { login: scene.bot.login, password: 'wrong' };
    expect((await read(`/${secret}`, wrongPassword)).status).to.equal(404);
    expect((await read(`/${secret}`, scene.bot)).status).to.equal(200);
  });

  it('have one stylesheet', async () => {
    const sheet = await read('/-/forge.css');
    expect(sheet.headers.get('content-type')).to.match(/^text\/css/);
  });
});
