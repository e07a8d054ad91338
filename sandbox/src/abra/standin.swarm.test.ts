import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envValues, newRunId, run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { ensureTinyImage } from '../testing/tiny-image.js';
import { ABRA_EXECUTABLE } from './index.js';
import { type AbraHome, createAbraHome, deployedLabels, leftoversOf, sweep } from './testing/abra-home.js';
import { createFixtureRecipe, NEW_VERSION, OLD_VERSION } from './testing/fixture-recipe.js';

/** What the contract leaves open, or asks of the stand-in alone. */
describe('the stand-in for abra, on the swarm', function () {
  this.timeout(300_000);
  let folder: string;
  let home: AbraHome;
  const domain = `standin-${newRunId()}.example.test`;
  const stack = domain.replaceAll('.', '_');
  /** Its stack's name begins with ours. */
  const neighbour = `${domain}.next`;
  const clone = () => join(home.dir, 'recipes/fixture');
  const envFile = () => join(home.dir, 'servers/default', `${domain}.env`);
  const setEnv = async (line: string) =>
    writeFile(envFile(), `${await readFile(envFile(), 'utf8')}${line}\n`);
  const shell = async (script: string) =>
    (await home.ok('app', 'run', domain, 'app', '-t', '--', 'sh', '-c', script)).stdout;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'abra-standin-'));
    await createFixtureRecipe(folder, 'fixture', await ensureTinyImage());
    home = createAbraHome(ABRA_EXECUTABLE, join(folder, 'abra'), {
      ABRA_STANDIN_ORIGIN: `${folder}/`,
      ABRA_STANDIN_BACKUPS: join(folder, 'backups'),
    });
    await home.ok('server', 'add', '--local');
  });
  after(async () => {
    await sweep(stack);
    await sweep(neighbour.replaceAll('.', '_'));
    await rm(folder, { recursive: true, force: true });
  });

  it('fetches a recipe from where it is told to, once', async () => {
    const lost = await home.call(['recipe', 'fetch', 'fixture'], { env: { ABRA_STANDIN_ORIGIN: undefined } });
    expect(lost.text).to.include('set ABRA_STANDIN_ORIGIN');
    await home.ok('recipe', 'fetch', 'fixture');
    await home.checkout('fixture', OLD_VERSION);
    expect((await home.ok('recipe', 'fetch', 'fixture')).text).to.include('already fetched');
    expect(await home.head('fixture')).to.equal(await home.checkout('fixture', OLD_VERSION));
    await home.ok('recipe', 'fetch', 'fixture', '--force');
    expect((await home.fails('recipe', 'fetch', 'nothing')).text).to.match(/^FATA git clone: /m);
    expect((await home.fails('recipe', 'fetch', '../up')).text).to.include('no recipe can be called "../up"');
  });

  it('makes a new app of the latest version, and shows the secrets it made on the way', async () => {
    const { stdout } = await home.ok('app', 'new', 'fixture', '-n', '-S', '-D', domain);
    expect(envValues(await readFile(envFile(), 'utf8')).TYPE).to.equal(`fixture:${NEW_VERSION}`);
    expect(stdout).to.match(/^token +[0-9a-f]{32}$/m);
    await home.ok('app', 'secret', 'insert', domain, 'licence', 'v1', 'granted', '-n');
    const next = await home.ok('app', 'secret', 'generate', domain, 'token', 'v2', '-m');
    expect(JSON.parse(next.stdout)).to.have.nested.property('[0].name', 'token');
    expect(await leftoversOf(stack)).to.include.members([
      `secret ${stack}_token_v1`,
      `secret ${stack}_token_v2`,
    ]);
    await home.ok('app', 'new', 'fixture', '-n', '-S', '-D', neighbour);
  });

  it('asks nobody', async () => {
    expect((await home.fails('app', 'deploy', domain)).text).to.match(/FATA deploy .*use --no-input/);
  });

  it('says at a missing key what the sample has', async () => {
    const before = await readFile(envFile(), 'utf8');
    await writeFile(envFile(), before.replace(/^GREETING=.*\n/m, ''));
    expect((await home.ok('app', 'check', domain)).stdout).to.match(/^GREETING +missing$/m);
    const { text } = await home.ok('app', 'deploy', domain, '-n');
    expect(text).to.include(`WARN GREETING missing from ${domain}.env`);
    await writeFile(envFile(), before);
  });

  it('shows tables to people', async () => {
    const table = async (...args: string[]) => (await home.ok('app', ...args)).stdout;
    expect(await table('ls', '-S', '-r', 'fixture')).to.match(
      new RegExp(
        `^default +fixture +${domain} +deployed +false +${NEW_VERSION.replaceAll('+', '\\+')} +latest$`,
        'm',
      ),
    );
    expect(await table('ls', '-r', 'other')).to.match(/^SERVER.*\n$/);
    expect(await table('ps', domain)).to.match(/^worker +cc-ci\/tiny:1 .* running$/m);
    expect(await table('services', domain)).to.match(/^worker +cc-ci\/tiny:1$/m);
    expect(await table('secret', 'ls', domain)).to.match(
      new RegExp(`^token +v1 +${stack}_token_v1 +true$`, 'm'),
    );
    expect(await table('volume', 'ls', domain)).to.match(new RegExp(`^${stack}_data +/`, 'm'));
    expect(await table('cmd', 'ls', domain)).to.equal('greet\nfail\n');
  });

  it('goes back to the newest older version', async () => {
    await home.ok('app', 'rollback', domain, '-n');
    expect(await deployedLabels(stack)).to.include({ version: OLD_VERSION });
    expect((await home.ok('app', 'rollback', domain, '-n')).text).to.include('no available downgrades');
    const wrong = await home.fails('app', 'upgrade', domain, OLD_VERSION, '-n');
    expect(wrong.text).to.include(`${OLD_VERSION} is not an upgrade for ${OLD_VERSION}?`);
  });

  it('restarts a service', async () => {
    const filter = `label=com.docker.swarm.service.name=${stack}_worker`;
    const containers = async () => (await run('docker', ['ps', '--quiet', '--filter', filter])).stdout;
    const before = await containers();
    expect((await home.fails('app', 'restart', domain, '-n')).text).to.include('missing [service]');
    await home.ok('app', 'restart', domain, 'worker', '-n');
    expect(await containers())
      .to.match(/^[0-9a-f]{12}\n$/)
      .and.not.equal(before);
  });

  it('follows logs until it is told to end, and then ends at once', async () => {
    const abra = spawn(ABRA_EXECUTABLE, ['app', 'logs', domain, 'app'], {
      env: { ...process.env, ABRA_DIR: home.dir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await shell('echo hello > /proc/1/fd/1');
    const [line] = (await once(abra.stdout.setEncoding('utf8'), 'data')) as [string];
    expect(line).to.include(`${stack}_app`);
    const told = performance.now();
    abra.kill('SIGTERM');
    expect(await once(abra, 'exit')).to.deep.equal([128 + 15, null]);
    expect(performance.now() - told).to.be.below(3_000);
    const left = await run('pgrep', ['--full', '--list-full', `service logs .*${stack}`], {
      okCodes: [0, 1],
    });
    expect(left.stdout).to.equal('');
  });

  describe('backups', () => {
    const backup = async () =>
      /snapshot ([0-9a-f]{8}) saved/.exec((await home.ok('app', 'backup', 'create', domain)).stdout)?.[1] ??
      '';

    it('need a bot', async () => {
      for (const command of [['backup', 'create'], ['backup', 'snapshots'], ['restore']]) {
        const answer = await home.call(['app', ...command, domain], {
          env: { ABRA_STANDIN_BACKUPS: undefined },
        });
        expect(answer).to.include({ exitCode: 1 });
        expect(answer.stderr).to.match(/^FATA no backupbot discovered/);
      }
    });

    it('are kept apart: the newest is restored, or the one that is named', async () => {
      expect((await home.fails('app', 'restore', domain)).text).to.include(`no snapshots of ${stack}`);
      await shell('echo one > /data/notes; echo not kept > /cache/x');
      const first = await backup();
      await shell('echo two > /data/notes');
      const second = await backup();
      const { stdout } = await home.ok('app', 'backup', 'snapshots', domain);
      expect(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(' ')[1]),
      ).to.deep.equal([first, second]);
      await shell('echo three > /data/notes; echo changed > /cache/x');
      await home.ok('app', 'restore', domain);
      expect(await shell('cat /data/notes /cache/x')).to.equal('two\nchanged\n');
      await home.ok('app', 'restore', domain, '-s', first);
      expect(await shell('cat /data/notes')).to.equal('one\n');
      expect((await home.fails('app', 'restore', domain, '-s', 'ffffffff')).text).to.include(
        'no snapshot ffffffff',
      );
    });

    it('can be looked into and taken away', async () => {
      const { stdout } = await home.ok('app', 'backup', 'list', domain);
      expect(stdout.split('\n')).to.include.members(['/data', '/data/dump', '/data/notes']);
      expect(stdout).to.not.include('index.html');
      expect((await home.ok('app', 'backup', 'ls', domain, '-a', '-t')).stdout).to.match(
        /Z \/data\/www\/index\.html$/m,
      );
      await home.call(['app', 'backup', 'download', domain, '-p', 'data/notes'], { cwd: folder });
      const packed = await run('tar', ['-tzf', join(folder, 'backup.tar.gz')]);
      expect(packed.stdout).to.equal('./data/notes\n');
    });

    it('bring owners, modes and folders back that are gone', async () => {
      await shell(
        'mkdir -p /data/deep/er; echo x > /data/deep/er/f; chown 33:44 /data/deep/er/f; chmod 640 /data/deep/er/f',
      );
      await writeFile(
        join(clone(), 'compose.paths.yml'),
        'version: "3.8"\nservices:\n  app:\n    deploy:\n      labels:\n        - backupbot.backup.volumes.data.path=deep/er,nowhere\n        - "backupbot.backup.pre-hook=exit 7"\n',
      );
      await setEnv('COMPOSE_FILE="$COMPOSE_FILE:compose.paths.yml"');
      await home.ok('app', 'deploy', domain, '-n', '-C');
      const { stderr } = await home.ok('app', 'backup', 'create', domain, '-C');
      // As the bot does it: said, and passed over.
      expect(stderr).to.match(/^ERRO Failed to run command exit 7 in app: /m);
      expect(stderr).to.match(/^ERRO .*_data: nowhere does not exist$/m);
      await shell('rm -r /data/deep; echo newer > /data/notes');
      await home.ok('app', 'restore', domain, '-C');
      expect(await shell('stat -c "%u %g %a" /data/deep/er/f; cat /data/notes')).to.equal(
        '33 44 640\nnewer\n',
      );
    });

    it('leave nothing half made', async () => {
      const kept = await readdir(join(folder, 'backups', stack));
      expect(kept.filter((name) => !/^[0-9a-f]{8}$/.test(name))).to.deep.equal([]);
      expect(kept).to.have.lengthOf(3);
    });
  });

  describe('a deploy that goes wrong', () => {
    const overlay = (text: string) =>
      writeFile(join(clone(), 'compose.paths.yml'), `version: "3.8"\n${text}`);

    it('ends with file, line and column of what Docker does not like in a compose file', async () => {
      await overlay('services:\n  app:\n    imagee: x\n');
      const { stderr } = await home.fails('app', 'deploy', domain, '-n', '-C');
      expect(stderr).to.match(
        /^FATA compose\.paths\.yml:4:13: services\.app Additional property imagee is not allowed$/m,
      );
    });

    it("ends with Docker's words at a config that changed but kept its name", async () => {
      await overlay('services: {}\n');
      await writeFile(join(clone(), 'start.sh.tmpl'), '#!/bin/sh\nexec sleep 1\n');
      const { stderr } = await home.fails('app', 'deploy', domain, '-n', '-C');
      expect(stderr).to.match(/^FATA .*only updates to Labels are allowed/m);
      await run('git', ['-C', clone(), 'checkout', '--quiet', 'start.sh.tmpl']);
    });

    it('fails when Swarm rolls it back, and says why', async () => {
      await overlay(
        'services:\n  app:\n    entrypoint: ["sh", "-c", "exit 9"]\n    deploy:\n      restart_policy: {condition: none}\n      update_config: {failure_action: rollback, monitor: 500ms}\n',
      );
      const { stderr, exitCode } = await home.call(['app', 'deploy', domain, '-n', '-C']);
      expect(stderr).to.match(/^FATA deploy failed$/m);
      expect(stderr).to.match(new RegExp(`^ERRO ${stack}_app .*rollback`, 'm'));
      expect(exitCode).to.equal(1);
    });

    it('times out when it never comes up, stays as it is, and may be left unwatched', async () => {
      await overlay(
        'services:\n  app:\n    entrypoint: ["sh", "-c", "exit 9"]\n    deploy:\n      update_config: {failure_action: continue}\n',
      );
      await setEnv('TIMEOUT=10');
      const { stderr } = await home.fails('app', 'deploy', domain, '-n', '-C');
      expect(stderr).to.match(new RegExp(`^ERRO ${stack}_app 0/1: .*non-zero exit \\(9\\)`, 'm'));
      expect(stderr).to.match(/^FATA deploy timed out$/m);
      expect(await leftoversOf(stack)).to.include(`service ${stack}_app`);
      await home.ok('app', 'deploy', domain, '-n', '-C', '--no-converge-checks');
    });
  });

  // In a group of its own: mocha runs the groups after the tests beside them.
  describe('the end', () => {
    it('removes all of an app, and nothing of one whose name begins alike', async () => {
      const before = await leftoversOf(neighbour.replaceAll('.', '_'));
      expect(before).to.have.lengthOf(2);
      expect((await home.fails('app', 'remove', domain, '-f')).text).to.include('is still deployed');
      await home.ok('app', 'undeploy', domain, '-n');
      await home.ok('app', 'remove', domain, '-f');
      expect(await leftoversOf(stack)).to.deep.equal(before);
      expect(await readdir(join(home.dir, 'servers/default'))).to.deep.equal([`${neighbour}.env`]);
      expect(await leftoversOf(neighbour.replaceAll('.', '_'))).to.deep.equal(before);
    });
  });
});
