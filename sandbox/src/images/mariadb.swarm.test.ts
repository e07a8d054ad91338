import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { ensureImages } from './index.js';

const ROOT_PASSWORD = 'r"o\\o\'t `x` $y';
const USER_PASSWORD = "it's ours";

describe('the image of MariaDB', () => {
  let folder: string;
  let container: string;

  before(async function () {
    this.timeout(600_000);
    await ensureImages(['mariadb']);
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-mariadb-'));
    for (const [name, text] of Object.entries({ root: ROOT_PASSWORD, user: USER_PASSWORD })) {
      await writeFile(join(folder, name), `${text}\n`);
      await chmod(join(folder, name), 0o444);
    }
  });
  after(() => rm(folder, { recursive: true }));

  const docker = (...args: string[]) =>
    run('docker', args, { okCodes: Array.from({ length: 256 }, (_, code) => code) });
  const create = async (...settings: string[]) =>
    (
      await docker(
        'create',
        ...settings.flatMap((text) => ['--env', text]),
        '--network=none',
        'mariadb:10.11',
      )
    ).stdout.trim();
  const configure = async (line: string) => {
    await writeFile(join(folder, 'recipe.cnf'), `[mysqld]\n${line}\n`);
    await docker('cp', join(folder, 'recipe.cnf'), `${container}:/etc/mysql/conf.d/recipe.cnf`);
  };
  const query = (user: string, password: string, sql: string) =>
    docker(
      ...['exec', '--env', `MYSQL_PWD=${password}`, container],
      ...['mariadb', `--user=${user}`, '--skip-column-names', `--execute=${sql}`],
    );
  /** Until the server lets root in; mocha's own limit ends the wait. */
  const up = async () => {
    await docker('start', container);
    while ((await query('root', ROOT_PASSWORD, 'SELECT 1')).exitCode !== 0) await delay(100);
  };
  const logs = async () => {
    const { stdout, stderr } = await docker('logs', container);
    return stdout + stderr;
  };

  beforeEach(async () => {
    container = await create(
      'MARIADB_ROOT_PASSWORD_FILE=/root-password',
      'MYSQL_PASSWORD_FILE=/user-password',
      'MYSQL_USER=site',
      'MARIADB_DATABASE=site',
    );
    await docker('cp', join(folder, 'root'), `${container}:/root-password`);
    await docker('cp', join(folder, 'user'), `${container}:/user-password`);
  });
  afterEach(() => docker('rm', '--force', '--volumes', container));

  it('makes database and accounts with the passwords that its files hold, and no others', async () => {
    await up();
    expect((await query('root', ROOT_PASSWORD, 'SELECT user, host FROM mysql.user')).stdout).to.equal(
      'site\t%\nmariadb.sys\tlocalhost\nroot\tlocalhost\n',
    );
    expect((await query('root', '', 'SELECT 1')).stderr).to.include('Access denied');
    expect((await query('site', USER_PASSWORD, 'SHOW DATABASES')).stdout).to.equal(
      'information_schema\nsite\n',
    );
    expect((await query('site', '', 'SELECT 1')).stderr).to.include('Access denied');
    expect(await logs())
      .to.not.include(ROOT_PASSWORD)
      .and.not.include(USER_PASSWORD);
  });

  it('keeps its data over a restart', async () => {
    await up();
    await query('site', USER_PASSWORD, 'CREATE TABLE site.notes (id INT); INSERT INTO site.notes VALUES (7)');
    await docker('restart', container);
    await up();
    expect((await query('site', USER_PASSWORD, 'SELECT * FROM site.notes')).stdout).to.equal('7\n');
  });

  it('says which setting it does not know, ends, and begins anew once that is mended', async () => {
    await configure('innodb_redo_log_capacity = 128M');
    await docker('start', container);
    const { stdout } = await docker('wait', container);
    expect(Number(stdout)).to.be.greaterThan(0);
    expect(await logs()).to.include("unknown variable 'innodb_redo_log_capacity=128M'");
    await configure('innodb_buffer_pool_size = 32M');
    await up();
    expect((await query('site', USER_PASSWORD, 'SELECT 1')).stdout).to.equal('1\n');
  });

  it('does not start without a password for root', async () => {
    await docker('rm', '--force', '--volumes', container);
    container = await create('MARIADB_DATABASE=site');
    await docker('start', container);
    expect((await docker('wait', container)).stdout).to.equal('1\n');
    expect(await logs()).to.equal('MARIADB_ROOT_PASSWORD_FILE, or MARIADB_ROOT_PASSWORD, must be set\n');
  });
});
