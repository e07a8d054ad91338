import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { ABRA_EXECUTABLE } from './index.js';
import { type AbraHome, createAbraHome } from './testing/abra-home.js';
import { createRepository, type FixtureRecipe, fixtureFiles, OLD_VERSION } from './testing/fixture-recipe.js';

/** What ends before Docker is asked for anything. */
describe('the stand-in for abra, refusing', () => {
  const domain = 'x.example.test';
  const files = fixtureFiles('fixture', 'tiny:1');
  let folder: string;
  let home: AbraHome;
  let recipe: FixtureRecipe;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'abra-refusals-'));
    home = createAbraHome(ABRA_EXECUTABLE, join(folder, 'abra'), { ABRA_STANDIN_ORIGIN: folder });
    recipe = await createRepository(folder, 'fixture');
    await home.ok('server', 'add', '--local');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const newApp = (...args: string[]) => home.ok('app', 'new', 'fixture', '-n', `--domain=${domain}`, ...args);
  const deployFails = async (...args: string[]) =>
    (await home.fails('app', 'deploy', domain, '-n', ...args)).stderr;
  const compose = (text: string) => files['compose.yml']?.replace('    command: ["/start.sh"]\n', text) ?? '';

  it('lightweight tags, whichever version is meant', async () => {
    await recipe.commit(files);
    await recipe.tag('0.8.0+1.27.1', 'lightweight');
    await recipe.tag(OLD_VERSION);
    await newApp();
    expect(await deployFails()).to.match(/^FATA critical errors .* R014 .*lightweight: 0\.8\.0\+1\.27\.1$/m);
    const lint = await home.ok('recipe', 'lint', 'fixture', '-e');
    expect(lint.stdout).to.match(/^R014 .* error +no +lightweight/m);
    expect(lint.stdout).to.match(/^R009 .* error +yes$/m);
    expect(lint.stderr).to.include('WARN critical errors present in fixture config');
  });

  it('unstable images, and recipes without a service called app', async () => {
    await recipe.commit({
      ...files,
      'compose.yml': compose('').replace('  app:', '  web:').replace('tiny:1', 'tiny:latest'),
    });
    await recipe.tag(OLD_VERSION);
    await newApp();
    const stderr = await deployFails();
    expect(stderr).to.match(/R004 no unstable tags: web \(latest\)/);
    expect(stderr).to.match(/R009 one service named 'app': there are web, worker/);
    expect(await deployFails('-C')).to.match(/^FATA fixture has no service called "app"/m);
  });

  it('compose files that cannot be read, with the place of the fault', async () => {
    await recipe.commit({ ...files, 'compose.yml': compose('    command: ["/start.sh"\n') });
    await recipe.tag(OLD_VERSION);
    await newApp();
    for (const args of [[], ['-C']])
      expect(await deployFails(...args)).to.match(/^FATA compose\.yml:\d+:\d+: /m);
  });

  it('versions that are not there, and options that contradict each other', async () => {
    await recipe.commit(files);
    await recipe.tag(OLD_VERSION);
    await newApp();
    for (const version of ['9.9.9+1', 'main', '--upload-pack=x', 'deadbeef']) {
      expect((await home.fails('app', 'deploy', domain, '-n', '--', version)).stderr).to.include(
        `FATA fixture has no version "${version}"`,
      );
    }
    expect(await deployFails('-C', OLD_VERSION)).to.include('cannot use [version] and --chaos together');
    expect((await home.fails('app', 'upgrade', domain, '-n')).stderr).to.include('is not deployed?');
    expect((await home.fails('app', 'secret', 'generate', domain)).stderr).to.include('or --all');
    expect((await home.fails('app', 'secret', 'remove', domain, '-a', '-n')).stderr).to.include(
      'no secrets to remove?',
    );
    expect((await home.fails('app', 'secret', 'insert', domain, 'nobody', 'v1', 'x')).stderr).to.include(
      'it has licence',
    );
    expect((await home.fails('app', 'config', domain)).stderr).to.include(`write ${home.dir}`);
    expect((await home.fails('app', 'run', domain, 'app', 'true')).stderr).to.include(
      'the input device is not a TTY',
    );
  });

  it('names that do not fit into 64 characters', async () => {
    await recipe.commit({
      ...files,
      'compose.yml': (files['compose.yml'] ?? '').replace('_token_', `_${'t'.repeat(60)}_`),
    });
    await recipe.tag(OLD_VERSION);
    await newApp();
    expect((await home.fails('app', 'secret', 'generate', domain, '-a')).stderr).to.match(
      /secret token is > 64 chars/,
    );
  });

  it('places where an app could not be', async () => {
    await recipe.commit(files);
    const args = ['app', 'new', 'fixture', '-n'];
    expect((await home.fails(...args)).stderr).to.include('no domain provided');
    expect((await home.fails(...args, '-D', '../x')).stderr).to.include('cannot be the domain');
    expect((await home.fails(...args, '-D', domain, '-s', 'far')).stderr).to.include(
      'server "far" is not registered',
    );
    expect((await home.fails('server', 'add', 'far.test')).stderr).to.include('--local');
    expect((await home.fails('server', 'rm', 'far')).stderr).to.include('not registered');
    await home.ok('server', 'rm', 'default');
    expect((await home.fails(...args, '-D', domain)).stderr).to.include('no server provided');
  });

  it('nothing of a recipe without versions: its head is what is deployed', async () => {
    const head = await recipe.commit({ ...files, '.env.sample': undefined });
    expect((await home.fails('app', 'new', 'fixture', '-n', '-D', domain)).stderr).to.match(
      /\.env\.sample does not exist\?/,
    );
    expect(await home.head('fixture')).to.equal(head);
    await recipe.commit({ '.env.sample': files['.env.sample'] });
    await newApp();
    await recipe.tag(OLD_VERSION);
    const versions = JSON.parse((await home.ok('recipe', 'versions', 'fixture', '-m')).stdout) as unknown;
    expect(versions).to.deep.equal([]);
    await home.ok('app', 'secret', 'list', domain);
    expect(JSON.parse((await home.ok('recipe', 'versions', 'fixture', '-m')).stdout)).to.deep.equal([
      { version: OLD_VERSION, service: 'app', image: 'tiny', tag: '1' },
      { version: OLD_VERSION, service: 'worker', image: 'tiny', tag: '1' },
    ]);
    expect(JSON.parse((await home.ok('recipe', 'ls', '-m', '-p', 'fix')).stdout)).to.deep.equal([
      { name: 'fixture', version: OLD_VERSION },
    ]);
  });

  it('an engine that is not there', async () => {
    const env = { DOCKER_HOST: `unix://${folder}/none.sock` };
    const answer = await home.call(['server', 'add', '--local'], { env });
    expect(answer).to.include({ exitCode: 1, stdout: '' });
    expect(answer.stderr).to.match(/^FATA the Docker engine does not answer \(ENOENT\) \(.*\.\/setup\)\n$/);
    await writeFile(join(home.dir, 'servers/default', `${domain}.env`), 'TYPE=fixture\n');
    expect((await home.call(['app', 'undeploy', domain, '-n'], { env })).exitCode).to.equal(1);
  });
});
