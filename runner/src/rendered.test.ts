import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { appEnvFile, recipeFolder } from './context.js';
import { StageFailure } from './failure.js';
import { renderApp } from './rendered.js';
import { testContext } from './testing/context.js';

describe('what an app asks for', () => {
  let scene: Awaited<ReturnType<typeof testContext>>;

  beforeEach(async () => {
    scene = await testContext('install');
    scene.context.plan.app = { label: 'x', domain: 'x.ci.test', stack: 'x_ci_test' };
  });
  afterEach(() => scene.dispose());

  const write = async (files: Record<string, string>, env: string) => {
    const dir = recipeFolder(scene.context);
    for (const [path, text] of [
      ...Object.entries(files).map(([name, text]) => [join(dir, name), text] as const),
      [appEnvFile(scene.context), env] as const,
    ]) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  };
  const failing = async () => {
    const error = await renderApp(scene.context).then(
      () => undefined,
      (it: unknown) => it,
    );
    return error instanceof StageFailure ? error : expect.fail(`no StageFailure but ${error}`);
  };
  const COMPOSE = `services:
  app: { image: "wiki:\${WIKI_VERSION}" }
  db: { image: postgres:15 }
secrets:
  password: { external: true, name: "\${STACK_NAME}_password_\${SECRET_PASSWORD_VERSION}" }
  plain: {}
`;

  it('is read from the listed files in order, with values of env file and abra.sh', async () => {
    await write(
      {
        'compose.yml': COMPOSE,
        'compose.mariadb.yml': 'services: { db: { image: mariadb:10 }, cache: { image: "redis:7" } }',
        'abra.sh': 'export WIKI_VERSION=2.1\n',
      },
      'SECRET_PASSWORD_VERSION=v2\nCOMPOSE_FILE="compose.yml:compose.mariadb.yml:compose.cc-ci.yml"\n',
    );
    const rendered = await renderApp(scene.context);
    // Our own overlay is not the recipe's.
    expect(rendered.names).to.deep.equal(['compose.yml', 'compose.mariadb.yml']);
    expect([...rendered.images]).to.deep.equal([
      ['app', 'wiki:2.1'],
      ['db', 'mariadb:10'],
      ['cache', 'redis:7'],
    ]);
    expect([...rendered.secrets]).to.deep.equal([
      ['password', 'x_ci_test_password_v2'],
      ['plain', 'plain'],
    ]);
  });

  it('blames the recipe for a file it lists and does not have, and for one that cannot be parsed', async () => {
    await write({ 'compose.yml': COMPOSE }, 'COMPOSE_FILE=compose.yml:compose.gone.yml\n');
    expect(await failing())
      .to.include({ blame: 'recipe' })
      .and.property('message')
      .to.include('compose.gone.yml');
    await write({ 'compose.yml': 'services: [' }, '');
    expect(await failing())
      .to.include({ blame: 'recipe' })
      .and.property('message')
      .to.include('compose.yml: ');
  });

  it('blames the recipe for a variable that it requires and nobody sets', async () => {
    await write({ 'compose.yml': 'services: { app: { image: "wiki:${WIKI_VERSION:?say which}" } }' }, '');
    expect((await failing()).message)
      .to.include('WIKI_VERSION')
      .and.include('say which');
  });
});
