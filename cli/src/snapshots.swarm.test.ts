import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CcCiError,
  CommandFailedError,
  connectDocker,
  type Docker,
  disconnectDocker,
  listServiceContainers,
  listServicesByLabel,
  newRunId,
  run,
} from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { removeSnapshots } from '@cc-ci/runner';
import { ensureImages } from '@cc-ci/sandbox';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';

const IMAGE = 'cc-ci/restic:0.14.0';
const LABEL = 'coop-cloud.backupbot.enabled=true';
const PASSWORD = 'not-to-be-seen';

describe('backups left behind, with the real restic', function () {
  this.timeout(300_000);
  let docker: Docker;
  let bot: string;
  let container: string;
  let ours: string;
  let theirs: string;

  before(() => ensureImages(['restic']));
  beforeEach(async () => {
    docker = connectDocker();
    const id = newRunId();
    bot = `cc-ci-test-bot-${id}`;
    ours = `blog-${id}_ci_test`;
    theirs = `blog-${newRunId()}_ci_test`;
    await run('docker', ['secret', 'create', bot, '-'], { input: PASSWORD });
  });
  afterEach(async () => {
    await run('docker', ['service', 'rm', bot], { okCodes: [0, 1] });
    await until(async () => (await run('docker', ['ps', '-aq', '--filter', `name=${bot}`])).stdout === '');
    await run('docker', ['secret', 'rm', bot]);
    await disconnectDocker(docker);
  });
  after(async () => {
    const left = await run('docker', ['secret', 'ls', '--filter', 'name=cc-ci-test-bot', '--quiet']);
    expect(left.stdout).to.equal('');
  });

  /** As the recipe backup-bot-two is deployed: repository as variable, password as secret. */
  const startBot = async (replicas = 1) => {
    await run('docker', [
      'service',
      'create',
      '--detach',
      '--quiet',
      '--name',
      bot,
      '--label',
      LABEL,
      '--replicas',
      String(replicas),
      '--env',
      'RESTIC_REPOSITORY=/repository',
      '--secret',
      `source=${bot},target=restic_password`,
      '--no-resolve-image',
      IMAGE,
    ]);
    if (replicas === 0) return;
    const [service] = await listServicesByLabel(docker, LABEL);
    await until(async () => {
      container = (await listServiceContainers(docker, service?.ID ?? ''))[0] ?? '';
      return container !== '';
    });
  };
  const inBot = (argv: readonly string[], env: readonly string[] = []) =>
    run('docker', [
      'exec',
      ...['RESTIC_PASSWORD_FILE=/run/secrets/restic_password', ...env].flatMap((it) => ['--env', it]),
      container,
      ...argv,
    ]);
  const save = async (flags: readonly string[], ...volumes: string[]) => {
    const paths = volumes.map((name) => `/var/lib/docker/volumes/${name}/_data`);
    for (const path of paths) await inBot(['mkdir', '-p', path]);
    for (const path of paths) await inBot(['cp', '/etc/os-release', path]);
    await inBot(['restic', 'backup', '--quiet', ...flags, ...(paths.length > 0 ? paths : ['/etc/hostname'])]);
    const { stdout } = await inBot(['restic', 'snapshots', '--json', '--latest', '1']);
    const all = JSON.parse(stdout) as { id: string; time: string }[];
    return all.sort((a, b) => a.time.localeCompare(b.time)).at(-1)?.id ?? '';
  };
  const snapshots = async () => {
    const { stdout } = await inBot(['restic', 'snapshots', '--json']);
    return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  };
  const remove = (change: Partial<Parameters<typeof removeSnapshots>[2]> = {}) =>
    removeSnapshots(docker, ours, { timeoutMs: 60_000, ...change });

  it('are removed, all of the stack and none of another, and twice is the same as once', async () => {
    await startBot();
    await inBot(['restic', 'init']);
    const mine = [
      await save(['--tag', ours], `${ours}_data`),
      await save(['--host', ours]),
      await save([], `${ours}_db`, `${ours}_data`),
    ];
    const recorded = await save(['--tag', 'by-hand']);
    const kept = [
      await save(['--tag', theirs], `${theirs}_data`),
      await save(['--host', `${ours}x`, '--tag', `${ours}x`], `${ours}x_data`),
      await save(['--tag', ours, '--tag', theirs], `${ours}_data`, `${theirs}_data`),
    ];
    expect(new Set(await snapshots()).size).to.equal(7);
    const removed = await remove();
    expect(removed.sort()).to.deep.equal(mine.sort());
    expect((await snapshots()).sort()).to.deep.equal([recorded, ...kept].sort());
    expect(await remove({ recorded: [recorded.slice(0, 8)] })).to.deep.equal([recorded]);
    expect(await remove()).to.deep.equal([]);
    await inBot(['restic', 'check', '--quiet']);
    const other = await removeSnapshots(docker, theirs, { timeoutMs: 60_000 });
    expect(other).to.deep.equal([kept[0]]);
  });

  it('are none where there is no bot, no repository yet, or no app of that name', async () => {
    expect(await remove({ backedUp: true })).to.deep.equal([]);
    await startBot();
    expect(await remove({ backedUp: true })).to.deep.equal([]);
    await inBot(['restic', 'init']);
    expect(await remove({ backedUp: true })).to.deep.equal([]);
  });

  it('are not given up silently when the bot is down, unless there can be none', async () => {
    await startBot(0);
    expect(await remove()).to.deep.equal([]);
    for (const change of [{ backedUp: true }, { recorded: ['0123abcd'] }]) {
      const error = await remove(change).catch((thrown) => thrown);
      expect(error).to.be.instanceOf(CcCiError);
      expect(error.message).to.include(`${bot} does not run on this node`);
    }
  });

  it('are not saved after we have looked: a backup of ours that still runs is ended, others go on', async () => {
    await startBot();
    await inBot(['restic', 'init']);
    const backup = (stack: string) => {
      const env = ['--env', 'RESTIC_PASSWORD_FILE=/run/secrets/restic_password', '--env', `SERVICE=${stack}`];
      // It reads what it saves from a pipe that stays open: a backup that takes its time.
      return spawn('docker', [
        'exec',
        '--interactive',
        ...env,
        container,
        ...['restic', 'backup', '--stdin', '--tag', stack],
      ]);
    };
    const own = backup(ours);
    const other = backup(theirs);
    const ended = once(own, 'exit');
    const locks = async () =>
      (await inBot(['restic', 'list', 'locks', '--no-lock'])).stdout.trim().split('\n').filter(Boolean)
        .length;
    await until(async () => (await locks()) === 2);
    expect(await remove()).to.deep.equal([]);
    await ended;
    expect(other.exitCode).to.equal(null);
    // What the killed one has left of a lock is no hindrance, the other's lock is waited for.
    await save(['--tag', ours], `${ours}_data`);
    const removing = remove();
    other.stdin.end('saved');
    await once(other, 'exit');
    expect(await removing).to.have.length(1);
    expect(await snapshots()).to.have.length(1);
  });

  it('gives up in time when somebody else holds the repository', async () => {
    await startBot();
    await inBot(['restic', 'init']);
    await save(['--tag', ours], `${ours}_data`);
    const env = ['--env', 'RESTIC_PASSWORD_FILE=/run/secrets/restic_password'];
    const other = spawn('docker', ['exec', '-i', ...env, container, 'restic', 'backup', '--stdin']);
    await until(async () => (await inBot(['restic', 'list', 'locks', '--no-lock'])).stdout.trim() !== '');
    const error = await remove({ timeoutMs: 4_000 }).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(CcCiError);
    other.stdin.end();
    await once(other, 'exit');
    expect(await remove()).to.have.length(1);
  });

  it('are removed by the program that is configured instead', async () => {
    await startBot();
    const folder = await mkdtemp(join(tmpdir(), 'cc-ci-forget-'));
    const program = join(folder, 'forget');
    await writeFile(program, '#!/bin/sh\n[ "$#" = 1 ] || exit 3\necho "snapshot of $1"\n');
    await chmod(program, 0o755);
    expect(await remove({ program })).to.deep.equal([`snapshot of ${ours}`]);
    await writeFile(program, '#!/bin/sh\necho "no way" >&2\nexit 1\n');
    const error = await remove({ program }).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(CommandFailedError);
    expect(error.message).to.include('no way');
    await rm(folder, { recursive: true });
  });
});
