import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envValues, newRunId, run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { ensureTinyImage } from '../../testing/tiny-image.js';
import { type AbraHome, createAbraHome, deployedLabels, leftoversOf, sweep } from './abra-home.js';
import { createFixtureRecipe, type FixtureRecipe, NEW_VERSION, OLD_VERSION } from './fixture-recipe.js';

/** Which abra is held to the contract, and what it can do where it runs. */
export interface ContractSubject {
  /** The executable. */
  abra: string;
  /** Variables it needs besides ABRA_DIR; in `folder` (removed at the end) it may keep what it likes. */
  env?: (folder: string) => NodeJS.ProcessEnv;
  /** Whether a backup bot (or what stands for it) is there. */
  backups: boolean;
}

/** What cc-ci relies on of any abra: one app from its creation until nothing of it is left. */
export function abraContract(name: string, subject: ContractSubject): void {
  describe(`abra as ${name}`, () => {
    let folder: string;
    let home: AbraHome;
    let recipe: FixtureRecipe;
    let secrets: Record<string, string> = {};
    const domain = `contract-${newRunId()}.example.test`;
    const stack = domain.replaceAll('.', '_');

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'abra-contract-'));
      recipe = await createFixtureRecipe(folder, 'fixture', await ensureTinyImage());
      home = createAbraHome(subject.abra, join(folder, 'abra'), subject.env?.(folder));
      await home.clone(recipe);
    });
    after(async () => {
      await sweep(stack);
      await rm(folder, { recursive: true, force: true });
    });

    const envFile = () => join(home.dir, 'servers/default', `${domain}.env`);
    const page = async () =>
      (await home.ok('app', 'run', domain, 'app', '-t', '--', 'wget', '-qO-', 'http://127.0.0.1:8080/'))
        .stdout;
    const listed = async () => {
      const { stdout } = await home.ok('app', 'ls', '-S', '-m');
      const answer = JSON.parse(stdout) as Record<string, { apps: Record<string, string>[] }>;
      return answer.default?.apps.find((app) => app.appName === domain);
    };

    it('says its version', async () => {
      expect((await home.ok('--version')).stdout).to.match(/^abra version \S+\n$/);
    });

    it('registers the local server', async () => {
      await home.ok('server', 'add', '--local');
      const servers = JSON.parse((await home.ok('server', 'ls', '-m')).stdout) as { name: string }[];
      expect(servers.map((server) => server.name)).to.deep.equal(['default']);
    });

    it("makes an app from the recipe's sample, pinned to the version it was asked for", async () => {
      const args = ['app', 'new', 'fixture', OLD_VERSION, '-n', `--domain=${domain}`, '--server=default'];
      await home.ok(...args);
      const env = envValues(await readFile(envFile(), 'utf8'));
      expect(env).to.include({ TYPE: `fixture:${OLD_VERSION}`, DOMAIN: domain, GREETING: 'good day' });
      const again = await home.fails(...args);
      expect(again.text).to.match(/FATA .*already exists/);
    });

    it('does not deploy before every secret is there', async () => {
      const { text } = await home.fails('app', 'deploy', domain, '-n', '-D');
      expect(text).to.match(/FATA .*secret not (?:generated|inserted)/);
      expect(await leftoversOf(stack)).to.deep.equal([]);
    });

    it('generates secrets once, by the modifiers in the env file', async () => {
      const { stdout } = await home.ok('app', 'secret', 'generate', domain, '--all', '-n', '-m');
      const generated = JSON.parse(stdout) as { name: string; value: string }[];
      secrets = Object.fromEntries(generated.map(({ name: key, value }) => [key, value]));
      expect(secrets).to.have.all.keys('token', 'passphrase');
      expect(secrets.token).to.match(/^[0-9a-f]{32}$/);
      expect(secrets.passphrase).to.have.length.above(20);
      const again = await home.fails('app', 'secret', 'generate', domain, '--all', '-n', '-m');
      expect(again.text).to.match(/no secrets generated/i);
    });

    it('takes a secret that it must not make up, once', async () => {
      const file = join(folder, 'licence');
      await writeFile(file, 'granted\n');
      await home.ok('app', 'secret', 'insert', domain, 'licence', 'v1', file, '-f', '-n');
      const again = await home.fails('app', 'secret', 'insert', domain, 'licence', 'v1', file, '-f', '-n');
      expect(again.text).to.match(/already ?exists/i);
      const { stdout } = await home.ok('app', 'secret', 'list', domain, '-m');
      const names = (JSON.parse(stdout) as { name: string }[]).map((secret) => secret.name);
      expect(names).to.have.members(['token', 'passphrase', 'licence']);
    });

    it('deploys the pinned version and waits until it is up', async () => {
      await home.ok('app', 'deploy', domain, '-n', '-D');
      expect(await page()).to.equal('good day from the old page\n');
      expect(await deployedLabels(stack)).to.include({
        recipe: 'fixture',
        version: OLD_VERSION,
        chaos: 'false',
      });
      expect(await listed()).to.include({
        server: 'default',
        recipe: 'fixture',
        status: 'deployed',
        chaos: 'false',
        version: OLD_VERSION,
        upgrade: NEW_VERSION,
      });
    });

    it("shows the app's containers", async () => {
      const { stdout } = await home.ok('app', 'ps', domain, '-m');
      const containers = Object.values(JSON.parse(stdout) as Record<string, Record<string, string>>);
      expect(containers.map(({ service }) => service)).to.have.members(['app', 'worker']);
      for (const container of containers)
        expect(container).to.include({ state: 'running', version: OLD_VERSION });
    });

    it('gives the main service its own variables, what the env file says, and the secrets', async () => {
      const { stdout } = await home.ok('app', 'run', domain, 'app', '-t', '--', 'env');
      const env = Object.fromEntries(stdout.split('\n').map((line) => line.split('=', 2)));
      expect(env).to.include({
        DOMAIN: domain,
        GREETING: 'good day',
        PRICE: '5$',
        SECRET_TOKEN_VERSION: 'v1',
      });
      const token = await home.ok('app', 'run', domain, 'app', '-t', '--', 'cat', '/run/secrets/token');
      expect(token.stdout.trim()).to.equal(secrets.token);
    });

    it('refuses to deploy over what runs', async () => {
      expect((await home.fails('app', 'deploy', domain, '-n', '-D')).text).to.match(
        /FATA .*is already deployed/,
      );
    });

    it('upgrades to the newest version, and says when there is none', async () => {
      await home.ok('app', 'upgrade', domain, '-n', '-D');
      expect(await page()).to.equal('good day from the new page\n');
      expect(await deployedLabels(stack)).to.include({ version: NEW_VERSION, chaos: 'false' });
      expect(envValues(await readFile(envFile(), 'utf8')).TYPE).to.equal(`fixture:${NEW_VERSION}`);
      expect(await listed()).to.include({ version: NEW_VERSION, upgrade: 'latest' });
      expect((await home.ok('app', 'upgrade', domain, '-n', '-D')).text).to.match(/no available upgrades/i);
    });

    it('deploys with chaos what is checked out, and nothing else', async () => {
      const head = await home.checkout('fixture', 'origin/main');
      await home.ok('app', 'deploy', domain, '-n', '-C', '-o', '-D');
      expect(await page()).to.equal('good day from the head page\n');
      expect(await home.head('fixture')).to.equal(head);
      expect(await deployedLabels(stack)).to.include({ chaos: 'true', 'chaos-version': head.slice(0, 8) });
      expect(await listed()).to.include({ chaos: 'true', chaosVersion: head.slice(0, 8) });
    });

    it('marks a tree that is not as it was committed, and deploys it with chaos only', async () => {
      await writeFile(join(home.dir, 'recipes/fixture/compose.extra.yml'), 'version: "3.8"\n');
      const refused = await home.fails('app', 'deploy', domain, NEW_VERSION, '-n', '-f', '-D');
      expect(refused.text).to.match(/FATA .*has locally unstaged changes/);
      await home.ok('app', 'deploy', domain, '-n', '-C', '-D');
      const head = await home.head('fixture');
      expect((await deployedLabels(stack))['chaos-version']).to.equal(`${head.slice(0, 8)}+U`);
    });

    it('runs commands in a service', async () => {
      const echo = await home.ok('app', 'run', domain, 'worker', '-t', '--', 'echo', '-n', '$HOME', 'a  b');
      expect(echo.stdout.trimEnd()).to.equal('$HOME a  b');
      await home.fails('app', 'run', domain, 'worker', '-t', '--', 'false');
      await home.fails('app', 'run', domain, 'nobody', '-t', '--', 'true');
    });

    it("runs functions of the recipe's abra.sh, in a service and here", async () => {
      const there = await home.ok('app', 'cmd', domain, 'worker', 'greet', '-t', '-C', '--', 'you');
      expect(there.stdout.trim()).to.equal(`worker of ${domain} in ${stack}: you`);
      const here = await home.ok('app', 'cmd', '--local', '-C', domain, 'greet');
      expect(here.stdout.trim()).to.equal(`local of ${domain} in ${stack}:`);
      await home.fails('app', 'cmd', domain, 'worker', 'fail', '-t', '-C');
      await home.fails('app', 'cmd', domain, 'worker', 'nothing', '-t', '-C');
    });

    it('copies files into a service and back', async () => {
      const file = join(folder, 'notes');
      await writeFile(file, 'first\n');
      await home.ok('app', 'cp', domain, file, 'app:/data/notes');
      await home.ok('app', 'cp', domain, 'app:/data/notes', join(folder, 'copy'));
      expect(await readFile(join(folder, 'copy'), 'utf8')).to.equal('first\n');
    });

    if (subject.backups) {
      it('backs up, and brings back what was changed since', async () => {
        const { text } = await home.ok('app', 'backup', 'create', domain, '-C');
        expect(text).to.include('backup finished');
        const write = (script: string) =>
          home.ok('app', 'run', domain, 'app', '-t', '--', 'sh', '-c', script);
        await write('echo second > /data/notes; echo kept > /data/later; rm -f /data/dump');
        await home.ok('app', 'restore', domain, '-C');
        const { stdout } = await write('cat /data/notes /data/dump /data/restored /data/later');
        expect(stdout).to.equal('first\nfirst\nfirst\nkept\n');
      });
    }

    it('does not remove the data of an app that runs', async () => {
      await home.fails('app', 'volume', 'remove', domain, '-n');
      await home.fails('app', 'remove', domain, '-n');
    });

    it('undeploys: the data and the secrets stay, everything else is gone', async () => {
      await home.ok('app', 'undeploy', domain, '-n');
      const volumes = [`volume ${stack}_cache`, `volume ${stack}_data`];
      const kept = ['licence', 'passphrase', 'token'].map((key) => `secret ${stack}_${key}_v1`);
      expect(await leftoversOf(stack)).to.deep.equal([...kept, ...volumes]);
      expect((await home.fails('app', 'undeploy', domain, '-n')).text).to.match(/FATA .*is not deployed/);
      expect(await listed()).to.include({ status: 'unknown', version: 'unknown' });
    });

    it('removes volumes and secrets: nothing is left', async () => {
      await home.ok('app', 'volume', 'remove', domain, '-n');
      await home.ok('app', 'secret', 'remove', domain, '--all', '-n', '-C');
      expect(await leftoversOf(stack)).to.deep.equal([]);
    });

    it('knows its flags', async () => {
      await home.fails('app', 'deploy', domain, '-n', '--no-such-flag');
      await home.fails('app', 'undeploy', domain, '-n', '--chaos');
      await home.fails('app', 'volume', 'remove', domain, '-n', '--chaos');
      await home.fails('app', 'upgrade', domain, '-n', '--chaos');
      await home.fails('app', 'undeploy', `nobody-${domain}`, '-n');
    });

    it('names a compose file that this version of the recipe does not have', async () => {
      await run('git', ['-C', join(home.dir, 'recipes/fixture'), 'clean', '--force', '--quiet']);
      await writeFile(
        envFile(),
        `${await readFile(envFile(), 'utf8')}COMPOSE_FILE="$COMPOSE_FILE:compose.none.yml"\n`,
      );
      expect((await home.fails('app', 'deploy', domain, '-n', '-C', '-D')).text).to.include(
        'compose.none.yml',
      );
    });
  });
}
