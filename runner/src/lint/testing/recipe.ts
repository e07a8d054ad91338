import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Finding } from '@cc-ci/core';
import { type RecipeModel, readModel } from '../model.js';

/** A recipe's files by name. */
export type Files = Record<string, string>;

/** A recipe that no rule finds anything in: an app, a database with dump and restore, one option. */
export const GOOD: Files = {
  'compose.yml': `version: "3.8"

services:
  app:
    image: example/app:1.2.3
    networks:
      - proxy
      - internal
    environment:
      - DB_HOST=\${STACK_NAME}_db
      - TITLE=\${TITLE}
      - COLOUR=\${COLOUR:-blue}
    configs:
      - source: app_conf
        target: /etc/app.conf
    secrets:
      - db_password
    volumes:
      - uploads:/uploads
    healthcheck:
      test: ["CMD", "true"]
    deploy:
      labels:
        - "coop-cloud.\${STACK_NAME}.version=1.0.0+1.2.3"
        - "backupbot.backup=\${ENABLE_BACKUPS:-true}"

  db:
    image: postgres:15.2
    networks:
      - internal
    secrets:
      - db_password
    volumes:
      - postgres:/var/lib/postgresql/data
    healthcheck:
      test: ["CMD", "pg_isready"]
    deploy:
      labels:
        backupbot.backup: "true"
        backupbot.backup.pre-hook: "sh -c 'pg_dump -U app app > /var/lib/postgresql/data/backup.sql'"
        backupbot.backup.post-hook: "rm -f /var/lib/postgresql/data/backup.sql"
        backupbot.backup.volumes.postgres.path: "backup.sql"
        backupbot.restore.post-hook: "sh -c 'psql -U app app < /var/lib/postgresql/data/backup.sql'"

networks:
  proxy:
    external: true
  internal:

volumes:
  uploads:
  postgres:

configs:
  app_conf:
    name: \${STACK_NAME}_app_conf_\${APP_CONF_VERSION}
    file: app.conf.tmpl

secrets:
  db_password:
    external: true
    name: \${STACK_NAME}_db_password_\${SECRET_DB_PASSWORD_VERSION}
`,
  'compose.smtp.yml': `version: "3.8"
services:
  app:
    environment:
      - SMTP_HOST=\${SMTP_HOST}
`,
  '.env.sample': `TYPE=example
DOMAIN=example.example.com
LETS_ENCRYPT_ENV=production
COMPOSE_FILE="compose.yml"

TITLE="An example"
SECRET_DB_PASSWORD_VERSION=v1 # length=32

## Mail
#COMPOSE_FILE="$COMPOSE_FILE:compose.smtp.yml"
#SMTP_HOST=mail.example.com
`,
  'abra.sh': 'export APP_CONF_VERSION=v1\n',
  'app.conf.tmpl': 'title = {{ env "TITLE" }}\n',
};

/** The files with one text in one of them replaced. @throws when it is not there: the test would prove nothing */
export function edited(files: Files, name: string, from: string, to: string): Files {
  const text = files[name];
  if (!text?.includes(from)) throw new Error(`${name} does not contain: ${from}`);
  return { ...files, [name]: text.replace(from, () => to) };
}

/** The good recipe with one text of compose.yml replaced. */
export const compose = (from: string, to: string) => edited(GOOD, 'compose.yml', from, to);

/** Writes files into a new folder. */
export async function writeRecipe(files: Files): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-lint-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

/** What a rule looks at, for these files. */
export async function modelOf(files: Files): Promise<RecipeModel> {
  const dir = await writeRecipe(files);
  try {
    return await readModel(dir, 'example');
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Findings in short: rule and place. */
export const brief = (findings: readonly Finding[]) =>
  findings.map(({ rule, where }) => `${rule} ${where ?? '-'}`);

/** The number of the line that holds this text, as `file:line`. */
export function lineOf(files: Files, name: string, text: string): string {
  const line = (files[name] ?? '').split('\n').findIndex((candidate) => candidate.includes(text));
  if (line < 0) throw new Error(`${name} does not contain: ${text}`);
  return `${name}:${line + 1}`;
}
