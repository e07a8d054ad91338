import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDocker, disconnectDocker, listServices, newRunId } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { ABRA_EXECUTABLE } from '../abra/index.js';
import { type AbraHome, createAbraHome, leftoversOf, sweep } from '../abra/testing/abra-home.js';
import { ensureImages } from '../images/index.js';
import { createRecipeRepository } from './index.js';

/** A sample recipe as an app on the swarm, driven by abra's stand-in. */
interface Site {
  home: AbraHome;
  domain: string;
  stack: string;
  /** @param ref a branch or a version */
  deploy(ref: string): Promise<void>;
  /** Runs a script in a service. @returns what it printed, ended by a line's end */
  shell(service: string, script: string): Promise<string>;
  /** @returns the snapshot's id */
  backUp(): Promise<string>;
  close(): Promise<void>;
}

async function newSite(recipe: string, services: readonly string[]): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'cc-ci-deployed-'));
  const home = createAbraHome(ABRA_EXECUTABLE, join(folder, 'abra'), {
    ABRA_STANDIN_ORIGIN: `${folder}/`,
    ABRA_STANDIN_BACKUPS: join(folder, 'backups'),
  });
  const domain = `${recipe}-${newRunId()}.ci.test`;
  const stack = domain.replaceAll('.', '_');
  const clone = join(home.dir, 'recipes', recipe);
  const { branches, versions } = await createRecipeRepository(recipe, join(folder, `${recipe}.git`));
  await home.ok('server', 'add', '--local');
  await home.ok('app', 'new', recipe, '-n', '-S', '-D', domain);
  // Where the kernel has no IPVS no service reaches another by a virtual IP; where it has, this does no harm.
  const dnsrr = services.map((name) => `  ${name}: { deploy: { endpoint_mode: dnsrr } }\n`);
  await writeFile(join(clone, 'compose.dnsrr.yml'), `version: "3.8"\nservices:\n${dnsrr.join('')}`);
  const settings = 'LETS_ENCRYPT_ENV=\nTIMEOUT=60\nCOMPOSE_FILE="compose.yml:compose.dnsrr.yml"\n';
  await appendFile(join(home.dir, 'servers/default', `${domain}.env`), settings);
  return {
    home,
    domain,
    stack,
    deploy: async (ref) => {
      await home.checkout(recipe, branches[ref] ?? versions[ref] ?? expect.fail(`no ${ref}`));
      await home.ok('app', 'deploy', domain, '-n', '-C', '-o', '-D');
    },
    shell: async (service, script) =>
      (await home.ok('app', 'run', domain, service, '-t', '--', 'bash', '-c', script)).stdout,
    backUp: async () => {
      const { stdout } = await home.ok('app', 'backup', 'create', domain, '-C', '-o');
      return /snapshot ([0-9a-f]{8}) saved/.exec(stdout)?.[1] ?? expect.fail(stdout);
    },
    close: async () => {
      await sweep(stack);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describe('wordpress, deployed', function () {
  this.timeout(300_000);
  let site: Site;
  let snapshot: string;
  const UPLOAD = '/var/www/html/wp-content/uploads/2026/tides.txt';
  const sql = (text: string) =>
    site.shell(
      'db',
      `MYSQL_PWD=$(</run/secrets/db_password) mariadb --host=127.0.0.1 --user=wordpress --skip-column-names --execute='${text}' wordpress`,
    );
  const signInPage = () =>
    site.shell(
      'app',
      'curl --silent --output /dev/null --write-out %{http_code} http://127.0.0.1/wp-login.php',
    );
  const images = async () => {
    const docker = connectDocker();
    try {
      const found = await listServices(docker, site.stack);
      return found.map(({ Spec }) => Spec.TaskTemplate.ContainerSpec.Image).sort();
    } finally {
      await disconnectDocker(docker);
    }
  };
  const expectData = async () => {
    expect(await sql('SELECT * FROM notes')).to.equal('first tide\n');
    expect(await sql('SHOW TABLES')).to.equal('notes\n');
    expect(await site.shell('app', `cat ${UPLOAD}; stat --format=%U ${UPLOAD}`)).to.equal(
      '06:12\nwww-data\n',
    );
  };

  before(async function () {
    this.timeout(600_000);
    await ensureImages(['mariadb', 'wordpress']);
    site = await newSite('wordpress', ['app', 'db']);
  });
  after(() => site?.close());

  it('comes up with its database, and answers before it is installed', async () => {
    await site.deploy('1.0.0+6.1.9');
    expect(await signInPage()).to.equal('302\n');
    await sql('CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ("first tide")');
    const folder = UPLOAD.replace(/\/[^/]*$/, '');
    await site.shell(
      'app',
      `install -d -o www-data ${folder}; echo 06:12 > ${UPLOAD}; chown www-data ${UPLOAD}`,
    );
  });

  it('moves to the next version with its data', async () => {
    expect(await images()).to.deep.equal(['mariadb:10.11', 'wordpress:6.1']);
    await site.deploy('1.1.0+6.1.9');
    expect(await images()).to.deep.equal(['mariadb:10.11', 'wordpress:6.1.9']);
    expect(await signInPage()).to.equal('302\n');
    await expectData();
  });

  it('backs up the uploads and a dump, not the files of the running database', async () => {
    snapshot = await site.backUp();
    const { stdout } = await site.home.ok('app', 'backup', 'list', site.domain, '-a');
    expect(stdout.trim().split('\n')).to.deep.equal([
      '/mariadb',
      '/mariadb/backup.sql.gz',
      '/uploads',
      '/uploads/2026',
      '/uploads/2026/tides.txt',
    ]);
  });

  it('gets back what was changed and deleted, and loses what came later', async () => {
    await sql('UPDATE notes SET text = "no tide"; CREATE TABLE later (id INT)');
    await site.shell('app', `rm -r ${UPLOAD}`);
    await site.home.ok('app', 'restore', site.domain, '-s', snapshot, '-C', '-o');
    await expectData();
  });

  it('refuses half a dump, and keeps what it has', async () => {
    const dump = '/var/lib/mysql/backup.sql.gz';
    const half = `gunzip --stdout ${dump} | head --lines=-1 | gzip > /tmp/half.gz; cp /tmp/half.gz ${dump}`;
    const load = 'db-backup load 2>&1 || echo "exit code $?"';
    expect(await site.shell('db', `${half}; ${load}`)).to.equal(`${dump} is not complete\nexit code 1\n`);
    await expectData();
  });

  it('gets everything back on a clean deployment', async () => {
    await site.home.ok('app', 'undeploy', site.domain, '-n');
    await site.home.ok('app', 'volume', 'remove', site.domain, '-n');
    expect((await leftoversOf(site.stack)).filter((item) => !item.startsWith('secret '))).to.deep.equal([]);
    await site.deploy('good-change');
    expect(await images()).to.deep.equal(['mariadb:10.11.19', 'wordpress:6.1.9']);
    expect(await sql('SHOW TABLES')).to.equal('');
    await site.home.ok('app', 'restore', site.domain, '-s', snapshot, '-C', '-o');
    await expectData();
  });
});

describe('radicale, deployed', function () {
  this.timeout(300_000);
  let site: Site;
  before(async () => {
    await ensureImages(['radicale']);
    site = await newSite('radicale', ['app']);
  });
  after(() => site?.close());

  it('gets its files back as its own, though this machine does not know its user', async () => {
    await site.deploy('main');
    const folder = '/data/collections/collection-root/admin';
    await site.shell('app', `mkdir -p ${folder}; echo tea > ${folder}/note; chmod 640 ${folder}/note`);
    const snapshot = await site.backUp();
    await site.shell('app', `rm -r ${folder}`);
    await site.home.ok('app', 'restore', site.domain, '-s', snapshot, '-C', '-o');
    const state = `cat ${folder}/note; stat --format="%U %G %a" ${folder}/note`;
    expect(await site.shell('app', state)).to.equal('tea\nradicale radicale 640\n');
  });
});
