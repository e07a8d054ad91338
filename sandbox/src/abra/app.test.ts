import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDocker, InputError } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { envFileOf, listApps, loadApp, pinVersion, stackName } from './app.js';
import { type Abra, createLog } from './context.js';

describe('apps', () => {
  let abra: Abra;
  beforeEach(async () => {
    abra = {
      dir: await mkdtemp(join(tmpdir(), 'abra-app-')),
      env: {},
      docker: connectDocker(),
      signal: new AbortController().signal,
      log: createLog(() => undefined),
      print: () => undefined,
      printError: () => undefined,
      awkward: new Set(),
      noInput: true,
      offline: false,
    };
    await mkdir(join(abra.dir, 'servers/default'), { recursive: true });
  });
  afterEach(() => rm(abra.dir, { recursive: true }));

  const write = (server: string, name: string, text: string) =>
    writeFile(join(abra.dir, 'servers', server, `${name}.env`), text);

  it('are env files: recipe, pin, values, and the name of the stack', async () => {
    await write('default', 'my-wiki.example.test', 'TYPE=wiki:1.0.0+2.0\nA=1\nB="$A 2"\n');
    const app = await loadApp(abra, 'my-wiki.example.test');
    expect(app).to.include({
      server: 'default',
      recipe: 'wiki',
      pin: '1.0.0+2.0',
      stack: 'my-wiki_example_test',
      folder: join(abra.dir, 'recipes/wiki'),
    });
    expect(app.env).to.include({ B: '1 2', STACK_NAME: 'my-wiki_example_test' });
  });

  it('may say RECIPE, pin nothing, or pin the tree of a chaos deploy', async () => {
    await write('default', 'a.test', 'RECIPE=wiki\n');
    await write('default', 'b.test', 'TYPE=wiki:eb96de94+U\n');
    expect((await loadApp(abra, 'a.test')).pin).to.equal(undefined);
    expect((await loadApp(abra, 'b.test')).pin).to.equal('eb96de94');
  });

  it('have stacks of at most 45 characters, or what STACK_NAME says', () => {
    expect(stackName(`${'x'.repeat(50)}.test`, {})).to.equal('x'.repeat(45));
    expect(stackName('a.test', { STACK_NAME: 'chosen' })).to.equal('chosen');
  });

  it('are listed server by server, through symbolic links too', async () => {
    await write('default', 'b.test', 'TYPE=wiki\n');
    await write('default', 'a.test', 'TYPE=wiki\n');
    await symlink(join(abra.dir, 'servers/default'), join(abra.dir, 'servers/other'));
    await writeFile(join(abra.dir, 'servers/note.txt'), '');
    const found = (await listApps(abra)).map(({ server, name }) => `${server} ${name}`);
    expect(found).to.deep.equal(['default a.test', 'default b.test', 'other a.test', 'other b.test']);
  });

  it('that are not there, not here, or not whole are refused', async () => {
    await mkdir(join(abra.dir, 'servers/far.test'));
    await write('far.test', 'c.test', 'TYPE=wiki\n');
    await write('default', 'd.test', 'DOMAIN=d.test\n');
    await write('default', 'e.test', 'TYPE=../../etc\n');
    expect(await refusal(loadApp(abra, 'nobody.test'))).to.include('cannot find app with name nobody.test');
    expect(await refusal(loadApp(abra, 'c.test'))).to.include('server far.test');
    expect(await refusal(loadApp(abra, 'd.test'))).to.include('does not say its recipe');
    expect(await refusal(loadApp(abra, 'e.test'))).to.include('../../etc');
    for (const name of ['', '../x', 'a/b', '.hidden', '-n']) {
      expect(() => envFileOf(abra, 'default', name), name).to.throw(InputError);
    }
  });

  it('are pinned in place, nothing else of the file is touched', async () => {
    await write('default', 'a.test', '# TYPE=no\nTYPE=wiki:1.0.0+2.0\n\nX=$1 # y\n');
    await pinVersion(await loadApp(abra, 'a.test'), '1.1.0+$&');
    expect(await readFile(envFileOf(abra, 'default', 'a.test'), 'utf8')).to.equal(
      '# TYPE=no\nTYPE=wiki:1.1.0+$&\n\nX=$1 # y\n',
    );
  });
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => {
      expect(error).to.be.instanceOf(InputError);
      return (error as Error).message;
    },
  );
}
