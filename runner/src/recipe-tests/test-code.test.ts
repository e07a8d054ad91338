import { mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { recipeFolder, type StageContext } from '../context.js';
import { StageFailure } from '../failure.js';
import { testContext, writeSomeFacts } from '../testing/context.js';
import { findOwnTests, runMocha } from './run-tests.js';
import { copyTests, type TestSource } from './test-code.js';

describe('the copy of test code', () => {
  let context: StageContext;
  let dispose: () => Promise<void>;
  beforeEach(async () => {
    ({ context, dispose } = await testContext('recipe-tests'));
  });
  afterEach(() => dispose());

  const write = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  const ours = (name: string) => join(context.config.runner.testsDir, 'custom-html', name);
  const refused = async (source: TestSource): Promise<StageFailure> => {
    const error = await copyTests(context, source).catch((thrown: unknown) => thrown);
    return error instanceof StageFailure ? error : expect.fail(`not refused: ${String(error)}`);
  };

  it('holds the folder of the recipe, and nothing of others', async () => {
    await write(ours('install.test.ts'), 'one');
    await write(ours('data/page.html'), 'two');
    await write(ours('node_modules/chai/index.js'), 'another chai');
    await write(join(context.config.runner.testsDir, 'radicale/install.test.ts'), 'three');
    const { root, show } = await copyTests(context, 'cc-ci');
    const { stdout } = await run('find', ['.', '-type', 'f'], { cwd: root });
    expect(stdout.trim().split('\n').sort()).to.deep.equal([
      './package.json',
      './tests/custom-html/data/page.html',
      './tests/custom-html/install.test.ts',
      './tsconfig.json',
    ]);
    expect(show(`at file://${root}/tests/a.ts:1:2 (${root}/tests/b.ts)`)).to.equal(
      'at tests/a.ts:1:2 (tests/b.ts)',
    );
  });

  it('is made anew each time', async () => {
    await write(ours('install.test.ts'), 'one');
    const { root } = await copyTests(context, 'cc-ci');
    await writeFile(join(root, 'tests/custom-html/install.test.ts'), 'spoilt by a test');
    await writeFile(join(root, 'left behind'), '');
    await copyTests(context, 'cc-ci');
    expect(await readFile(join(root, 'tests/custom-html/install.test.ts'), 'utf8')).to.equal('one');
    expect((await run('ls', [root])).stdout).to.not.include('left behind');
  });

  it('keeps links within the tests, and refuses those that lead out or nowhere', async () => {
    await write(ours('data/page.html'), 'two');
    await symlink('data/page.html', ours('page.html'));
    const { root } = await copyTests(context, 'cc-ci');
    expect(await readlink(join(root, 'tests/custom-html/page.html'))).to.equal('data/page.html');
    for (const target of ['/etc/passwd', '../../../..', ours('data/page.html')]) {
      await symlink(target, ours('data/link'));
      expect((await refused('cc-ci')).message).to.equal(
        'tests/custom-html/data/link is a link that leads out of the tests; put the file itself in its place',
      );
      await run('rm', [ours('data/link')]);
    }
    await symlink('not-there', ours('data/link'));
    expect((await refused('cc-ci')).message).to.include('leads nowhere');
    expect((await refused('cc-ci')).blame).to.equal('tests');
  });

  describe("of the recipe's own repository", () => {
    const repo = (name: string) => join(recipeFolder(context), name);
    const git = async (...args: string[]) => {
      const identity = ['-c', 'user.name=M', '-c', 'user.email=m@example.org'];
      return (await run('git', ['-C', recipeFolder(context), ...identity, ...args])).stdout.trim();
    };
    const committed = async () => {
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '-m', 'x');
      context.plan.request.ref = await git('rev-parse', 'HEAD');
    };
    beforeEach(async () => {
      await mkdir(recipeFolder(context), { recursive: true });
      await git('init', '--quiet');
      await write(repo('compose.yml'), 'services: {}');
    });

    it('is of the commit under test, whatever is in the working tree', async () => {
      await write(repo('tests/deep/pages.test.ts'), 'asked for');
      await write(repo('tests/a.test.mjs'), '');
      await write(repo('tests/ui/open.spec.ts'), '');
      await write(repo('tests/helper.ts'), '');
      await write(repo('tests/node_modules/x/x.test.js'), '');
      await write(repo('src/other.test.ts'), '');
      await committed();
      await write(repo('tests/deep/pages.test.ts'), 'changed since');
      await write(repo('tests/new.test.ts'), 'added since');
      await git('rm', '--quiet', '--cached', 'tests/a.test.mjs');
      const before = await git('status', '--porcelain');
      expect(await findOwnTests(context)).to.deep.equal({
        mocha: ['tests/a.test.mjs', 'tests/deep/pages.test.ts'],
        specs: 'tests',
      });
      const { root } = await copyTests(context, 'recipe');
      expect(await readFile(join(root, 'tests/deep/pages.test.ts'), 'utf8')).to.equal('asked for');
      const { stdout } = await run('find', ['.', '-type', 'f'], { cwd: root });
      expect(stdout).to.include('helper.ts').and.not.include('x.test.js').and.not.include('compose.yml');
      expect(await git('status', '--porcelain')).to.equal(before);
    });

    it('is empty where the repository has no tests', async () => {
      await committed();
      expect(await findOwnTests(context)).to.deep.equal({ mocha: [] });
    });

    it('refuses links that lead out', async () => {
      await mkdir(repo('tests'));
      await symlink('../../../../secrets.json', repo('tests/data.json'));
      await committed();
      expect((await refused('recipe')).message).to.include('tests/data.json is a link that leads');
    });

    it('is run with the harness at hand, marked as its own', async () => {
      await writeSomeFacts(context.dir);
      await write(
        repo('tests/pages.test.ts'),
        `import { app } from '@cc-ci/runner/harness';
         import { expect } from 'chai';
         import { describe, it } from 'mocha';
         await Promise.resolve();
         describe('pages', () => { it('knows the app', () => expect(app.recipe).to.equal('custom-html')); });`,
      );
      await write(repo('tests/plain.test.js'), `import { it } from 'mocha'; it('is JavaScript', () => {});`);
      await committed();
      const { mocha } = await findOwnTests(context);
      await runMocha(context, mocha, { source: 'recipe' });
      expect(
        context.stage.record.tests.map(({ source, suite, title }) => [source, suite, title]),
      ).to.deep.equal([
        ['recipe', 'plain.test.js', 'is JavaScript'],
        ['recipe', 'pages', 'knows the app'],
      ]);
    });
  });
});
