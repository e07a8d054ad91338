import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { artefactProblems } from './artefact.js';

const MARKER = '.marker';
const STACK = 'wiki-abcd1234_ci_test';
const MARIADB = '-- MariaDB dump 10.19\n\nINSERT INTO `wp_posts`;\n';
const POSTGRES = '--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE x ();\n';

describe("a backup's files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cc-ci-artefact-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  const problems = (...wanted: { volume: string; paths: string[] }[]) =>
    artefactProblems(folder, STACK, wanted, MARKER);
  const dump = (file = 'backup.sql') => problems({ volume: 'db', paths: [file] });

  it('are whole when every volume and path is there', async () => {
    await put(`data/${MARKER}`, 'x');
    await put('db/backup.sql', `${MARIADB}-- Dump completed on 2026-11-21\n`);
    expect(
      await problems({ volume: 'data', paths: [] }, { volume: 'db', paths: ['backup.sql'] }),
    ).to.deep.equal([]);
  });

  it("are found where the bot's own archive has them, too", async () => {
    await put(`var/lib/docker/volumes/${STACK}_data/_data/${MARKER}`, 'x');
    expect(await problems({ volume: 'data', paths: [] })).to.deep.equal([]);
  });

  it('are not mistaken for those of another volume or a longer name', async () => {
    await put(`other_data/${MARKER}`, 'x');
    await put('db/backup.sql.old', 'x');
    expect(await problems({ volume: 'data', paths: [] })).to.deep.equal(['volume data is not in the backup']);
    expect(await dump()).to.deep.equal(['backup.sql of volume db is not in the backup']);
  });

  it('may hold an empty folder, but no empty dump', async () => {
    await mkdir(join(folder, 'db', 'conf'), { recursive: true });
    await put('db/backup.sql', '');
    expect(await dump('conf')).to.deep.equal([]);
    expect(await dump()).to.deep.equal(['backup.sql of volume db is empty']);
  });

  it('are not whole when a dump was cut short', async () => {
    await put('db/mariadb.sql', MARIADB);
    await put('db/postgres.sql', POSTGRES);
    expect(await dump('mariadb.sql')).to.deep.equal([
      "mariadb.sql of volume db was cut short: mariadb-dump's last line is missing",
    ]);
    expect((await dump('postgres.sql'))[0]).to.include("pg_dump's last line is missing");
    await put(
      'db/postgres.sql',
      `${POSTGRES}${'x'.repeat(10_000)}\n--\n-- PostgreSQL database dump complete\n--\n`,
    );
    expect(await dump('postgres.sql')).to.deep.equal([]);
  });

  it('are not whole when a gzip file was cut short, or the dump in it', async () => {
    const whole = gzipSync(`${MARIADB}${'INSERT;\n'.repeat(9_999)}-- Dump completed on 2026-11-21\n`);
    await put('db/whole.sql.gz', whole);
    await put('db/torn.sql.gz', whole.subarray(0, whole.length - 9));
    await put('db/short.sql.gz', gzipSync(MARIADB));
    await put('db/text.sql.gz', 'not gzip at all');
    expect(await dump('whole.sql.gz')).to.deep.equal([]);
    expect((await dump('torn.sql.gz'))[0]).to.match(/is no whole gzip file: unexpected end/);
    expect((await dump('short.sql.gz'))[0]).to.include('was cut short');
    expect((await dump('text.sql.gz'))[0]).to.match(/is no whole gzip file: incorrect header/);
  });
});
