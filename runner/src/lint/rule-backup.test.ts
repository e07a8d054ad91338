import { expect } from 'chai';
import { describe, it } from 'mocha';
import { checkBackup } from './rule-backup.js';
import { brief, compose, edited, type Files, GOOD, lineOf, modelOf } from './testing/recipe.js';

const check = async (files: Files) => checkBackup(await modelOf(files));
const PRE = `        backupbot.backup.pre-hook: "sh -c 'pg_dump -U app app > /var/lib/postgresql/data/backup.sql'"\n`;
const PATH = '        backupbot.backup.volumes.postgres.path: "backup.sql"\n';
const RESTORE = `        backupbot.restore.post-hook: "sh -c 'psql -U app app < /var/lib/postgresql/data/backup.sql'"\n`;
const preHook = (command: string) =>
  compose(PRE, `        backupbot.backup.pre-hook: ${JSON.stringify(command)}\n`);
const without = (files: Files, text: string) => edited(files, 'compose.yml', text, '');

/** Rules and lines; a rule alone where the line says nothing. */
async function expectFound(files: Files, rule: string, at?: string) {
  const found = await check(files);
  expect(found.map((one) => one.rule)).to.deep.equal([rule]);
  if (at !== undefined) expect(brief(found)).to.deep.equal([`${rule} ${lineOf(files, 'compose.yml', at)}`]);
  return found[0]?.message ?? '';
}

describe('backup labels', () => {
  it('are fine with a dump in a volume and its restore; the post-hook may remove the dump', async () => {
    expect(await check(GOOD)).to.deep.equal([]);
  });

  it('are missing where a recipe has volumes: only named', async () => {
    const none = without(
      compose('backupbot.backup: "true"', 'a: b'),
      '        - "backupbot.backup=${ENABLE_BACKUPS:-true}"\n',
    );
    const message = await expectFound(none, 'backup-none');
    expect(message).to.include('uploads, postgres');
    const off = compose('backupbot.backup: "true"', 'backupbot.backup: "false"');
    expect(
      await check(without(off, '        - "backupbot.backup=${ENABLE_BACKUPS:-true}"\n')),
    ).to.have.length(1);
  });

  it('are missing rightly where there is no volume', async () => {
    const files = { 'compose.yml': 'services:\n  app:\n    image: x:1\n', '.env.sample': '' };
    expect(await check(files)).to.deep.equal([]);
  });

  it('count as switched on, whatever the operator’s default is', async () => {
    const files = edited(without(GOOD, PRE), '.env.sample', 'TYPE', 'ENABLE_BACKUPS=false\nTYPE');
    const onlyApp = without(without(without(files, '        backupbot.backup: "true"\n'), PATH), RESTORE);
    await expectFound(onlyApp, 'backup-no-dump');
  });

  it('do nothing on containers', async () => {
    const files = compose(
      '    healthcheck:\n      test: ["CMD", "true"]\n',
      '    labels: ["backupbot.backup=true", "a=b"]\n',
    );
    expect(brief(await check(files))).to.deep.equal([]);
    const misplaced = edited(
      files,
      'compose.yml',
      'labels: ["backupbot.backup=',
      'labels: ["backupbot.backup.post-hook=',
    );
    await expectFound(misplaced, 'backup-label-misplaced', 'backupbot.backup.post-hook=');
  });

  it('are not of both versions', async () => {
    const files = compose(PATH, `${PATH}        backupbot.backup.path: "/var/lib/postgresql/data"\n`);
    const message = await expectFound(files, 'backup-labels-mixed', 'backupbot.backup.path');
    expect(message).to.include(lineOf(files, 'compose.yml', 'volumes.postgres.path'));
  });

  it('name volumes that are there and mounted', async () => {
    const typo = compose(PATH, `${PATH}        backupbot.backup.volumes.upload: "false"\n`);
    expect(await expectFound(typo, 'backup-volume-unknown', 'volumes.upload:')).to.include(
      'has none of that name',
    );
    const spare = edited(
      compose(PATH, `${PATH}        backupbot.backup.volumes.spare: "false"\n`),
      'compose.yml',
      '  uploads:\n  postgres:\n',
      '  uploads:\n  postgres:\n  spare:\n',
    );
    expect(await expectFound(spare, 'backup-volume-unknown')).to.include('no service mounts');
    const other = compose(PATH, `${PATH}        backupbot.backup.volumes.uploads: "false"\n`);
    expect(await check(other), 'another service mounts it').to.deep.equal([]);
  });

  it('may name a volume that an option brings', async () => {
    const files = {
      ...compose(PATH, `${PATH}        backupbot.backup.volumes.mails: "false"\n`),
      'compose.smtp.yml': `${GOOD['compose.smtp.yml']}    volumes: [mails:/mails]\nvolumes:\n  mails:\n`,
    };
    expect(await check(files)).to.deep.equal([]);
  });

  it('of version 1 name a path on a volume', async () => {
    const version1 = (path: string) =>
      edited(
        without(GOOD, PATH),
        'compose.yml',
        '- "backupbot.backup=${',
        `- "backupbot.backup.path=${path}"\n        - "backupbot.backup=\${`,
      );
    expect(await check(version1('/uploads'))).to.deep.equal([]);
    expect(await check(version1('/uploads/a,/uploads/b'))).to.deep.equal([]);
    const message = await expectFound(version1('/uploads,/srv/x'), 'backup-path-outside', 'backup.path=');
    expect(message).to.include('says /srv/x');
    await expectFound(version1('/uploads2'), 'backup-path-outside');
  });
});

describe('dumps', () => {
  const label = 'backupbot.backup.pre-hook';

  it('must not be written into the container', async () => {
    const message = await expectFound(preHook('pg_dump app > /tmp/backup.sql'), 'backup-dump-outside', label);
    expect(message).to.equal(
      'the dump of service db, /tmp/backup.sql, is written into the container, not into a volume; write it below /var/lib/postgresql/data',
    );
    await expectFound(preHook('pg_dump -f /backup.sql app'), 'backup-dump-outside', label);
    await expectFound(
      preHook('pg_dump app > /var/lib/postgresql/data2/backup.sql'),
      'backup-dump-outside',
      label,
    );
  });

  it('must not be written into another kind of mount', async () => {
    const files = edited(
      preHook('pg_dump app > /dump/backup.sql'),
      'compose.yml',
      '      - postgres:/var',
      '      - /srv/dump:/dump\n      - postgres:/var',
    );
    await expectFound(files, 'backup-dump-outside', label);
    await expectFound(edited(files, 'compose.yml', '/srv/dump:/dump', '/dump'), 'backup-dump-outside');
  });

  it('may be made elsewhere and moved there', async () => {
    const command = 'pg_dump app > /tmp/x && mv /tmp/x /var/lib/postgresql/data/backup.sql && rm -f /tmp/x';
    expect(await check(preHook(command))).to.deep.equal([]);
  });

  it('may be made by a script or under a name that is not known: that is not judged', async () => {
    expect(await check(preHook('/pg_backup.sh backup'))).to.deep.equal([]);
    expect(await check(preHook('pg_dump app > $$PGDATA/backup.sql'))).to.deep.equal([]);
    expect(await check(preHook('pg_dump app > /var/lib/postgresql/data/x-$$(date).sql'))).to.deep.equal([]);
  });

  it('must be among what is backed up', async () => {
    const other = preHook('pg_dump app > /var/lib/postgresql/data/dump.sql');
    const message = await expectFound(other, 'backup-dump-left-out', label);
    expect(message).to.include(
      '/var/lib/postgresql/data/dump.sql, is not among the paths of volume postgres',
    );
    expect(await check(without(other, PATH)), 'the whole volume').to.deep.equal([]);
    expect(
      await check(edited(other, 'compose.yml', '"backup.sql"\n', '"x, *.sql"\n')),
      'a pattern',
    ).to.deep.equal([]);
    const below = preHook('pg_dump app > /var/lib/postgresql/data/dumps/a.sql');
    expect(await check(edited(below, 'compose.yml', '"backup.sql"\n', '"/dumps/"\n'))).to.deep.equal([]);
    const excluded = edited(
      other,
      'compose.yml',
      'volumes.postgres.path: "backup.sql"',
      'volumes.postgres: "false"',
    );
    await expectFound(excluded, 'backup-dump-left-out', label);
  });

  it('must be left by the pre-hook; one of the last time may go first', async () => {
    const file = '/var/lib/postgresql/data/backup.sql';
    await expectFound(preHook(`pg_dump app > ${file} && rm -f ${file}`), 'backup-dump-removed', label);
    expect(await check(preHook(`rm -f ${file}; pg_dump app > ${file}`))).to.deep.equal([]);
  });

  it('are needed by a database whose volume is backed up', async () => {
    const none = without(without(without(GOOD, PRE), PATH), RESTORE);
    const message = await expectFound(none, 'backup-no-dump', '  db:');
    expect(message).to.include('volume postgres');
    const excluded = edited(
      GOOD,
      'compose.yml',
      PATH,
      '        backupbot.backup.volumes.postgres: "false"\n',
    );
    expect(await check(without(without(excluded, PRE), RESTORE))).to.deep.equal([]);
    expect(await check(edited(none, 'compose.yml', 'postgres:15.2', 'redis:7')), 'no database').to.deep.equal(
      [],
    );
  });

  it('are needed even where no label is on the database itself: all volumes of the stack are backed up', async () => {
    const none = without(without(without(GOOD, PRE), PATH), RESTORE);
    await expectFound(without(none, '        backupbot.backup: "true"\n'), 'backup-no-dump');
  });

  it('may be made by another service over the network', async () => {
    const byApp = edited(
      without(without(without(GOOD, PRE), PATH), RESTORE),
      'compose.yml',
      '- "backupbot.backup=${',
      `- "backupbot.backup.pre-hook=pg_dump -h db app > /uploads/db.sql"
        - "backupbot.restore.post-hook=psql -h db app < /uploads/db.sql"
        - "backupbot.backup=\${`,
    );
    expect(await check(byApp)).to.deep.equal([]);
    await expectFound(
      edited(byApp, 'compose.yml', 'pg_dump -h db app > /uploads', 'true > /uploads'),
      'backup-no-dump',
    );
  });

  it('are not needed by what only uses a database’s image', async () => {
    const cron = compose(
      '  db:\n',
      '  cron:\n    image: postgres:15.2\n    volumes: [uploads:/backups]\n  db:\n',
    );
    expect(await check(cron)).to.deep.equal([]);
  });

  it('need a hook that loads them', async () => {
    const message = await expectFound(without(GOOD, RESTORE), 'backup-no-restore', label);
    expect(message).to.include('add backupbot.restore.post-hook to service db');
    expect(await check(compose('backupbot.restore.post-hook', 'backupbot.restore.pre-hook'))).to.deep.equal(
      [],
    );
    const elsewhere = edited(
      without(GOOD, RESTORE),
      'compose.yml',
      '- "backupbot.backup=${',
      '- "backupbot.restore.post-hook=/clear-cache"\n        - "backupbot.backup=${',
    );
    await expectFound(elsewhere, 'backup-no-restore');
  });
});
