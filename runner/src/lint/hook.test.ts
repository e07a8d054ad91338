import { expect } from 'chai';
import { describe, it } from 'mocha';
import { effectsOf, makesDump } from './hook.js';

const writes = (command: string) => effectsOf(command).writes.map(({ path }) => path);
const removes = (command: string) => effectsOf(command).removes.map(({ path, order }) => `${order} ${path}`);

describe('hooks', () => {
  it('write where output is redirected to', () => {
    expect(writes('pg_dump app > /data/x.sql')).to.deep.equal(['/data/x.sql']);
    expect(writes(`sh -c 'PGPASSWORD="$(cat /run/secrets/pw)" pg_dump app>/data//x.sql'`)).to.deep.equal([
      '/data/x.sql',
    ]);
    expect(writes('pg_dump app | gzip >> "/data/x.sql.gz" && chmod 600 /data/x.sql.gz')).to.deep.equal([
      '/data/x.sql.gz',
    ]);
    expect(writes('bash -c "(pg_dump app 1>/data/x.sql)"')).to.deep.equal(['/data/x.sql']);
  });

  it('do not write where only messages go, or what is no file', () => {
    expect(writes('pg_dump app 2>/tmp/err.log > /dev/null 2>&1 &>/tmp/all')).to.deep.equal([]);
    expect(writes('cat < /data/x.sql > $FILE')).to.deep.equal([]);
    expect(writes('rm -f /data/x && [ -f /data/y ] && test -f /z && gzip -f /w')).to.deep.equal([]);
  });

  it('write files that their programs are told', () => {
    expect(writes('su postgres -c "pg_dump -Fc -f /data/x.dump app"')).to.deep.equal(['/data/x.dump']);
    expect(writes('/usr/bin/pg_dumpall --file=/data/all.sql')).to.deep.equal(['/data/all.sql']);
    expect(writes('mysqldump --result-file /data/x.sql app')).to.deep.equal(['/data/x.sql']);
    expect(writes('mongodump --archive=/data/x.archive --gzip')).to.deep.equal(['/data/x.archive']);
    expect(writes('tar -czf /data/x.tgz /srv')).to.deep.equal(['/data/x.tgz']);
    expect(writes('pg_dump app | tee /data/x.sql')).to.deep.equal(['/data/x.sql']);
    expect(writes('pg_dump app > /tmp/x && mv /tmp/x /data/x.sql')).to.deep.equal(['/tmp/x', '/data/x.sql']);
    expect(writes('/pg_backup.sh backup')).to.deep.equal([]);
  });

  it('remove files, before or after', () => {
    expect(removes('rm -rf /data/x.sql /data/y; pg_dump app > /data/x.sql')).to.deep.equal([
      '0 /data/x.sql',
      '0 /data/y',
    ]);
    expect(removes('pg_dump app > /data/x && rm /data/x')).to.deep.equal(['1 /data/x']);
    expect(removes('echo alarm > /data/form')).to.deep.equal([]);
  });

  it('dump a database if they name a program for it', () => {
    expect(
      ['pg_dump -h db x', 'sh -c "mariadb-dump x"', '/backup.sh', 'tar c /dumps'].map(makesDump),
    ).to.deep.equal([true, true, false, false]);
  });
});
