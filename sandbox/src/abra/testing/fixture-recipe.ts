import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '@cc-ci/core';

/** Files of a recipe by name; undefined takes one away. */
export type RecipeFiles = Record<string, string | undefined>;

/** A recipe's repository: what is published of it lies in a bare one. */
export interface FixtureRecipe {
  name: string;
  /** The bare repository, `<folder>/<name>.git`. */
  origin: string;
  /** Changes files and commits them to main. @returns the commit */
  commit(files: RecipeFiles): Promise<string>;
  /** Publishes the head under a version, by an annotated tag unless told otherwise. */
  tag(version: string, kind?: 'annotated' | 'lightweight'): Promise<void>;
}

/** The two versions that the fixture has; by their text the first would be the newer one. */
export const OLD_VERSION = '0.9.0+1.27.2';
export const NEW_VERSION = '0.10.0+1.27.2';

/**
 * Makes a recipe of two services in Co-op Cloud's format, as a bare repository below `folder`: `app` serves what is
 * in its volume `data`, `worker` waits. Published are OLD_VERSION and NEW_VERSION; main is one commit further.
 */
export async function createFixtureRecipe(
  folder: string,
  name: string,
  image: string,
): Promise<FixtureRecipe> {
  const recipe = await createRepository(folder, name);
  await recipe.commit(fixtureFiles(name, image));
  await recipe.tag(OLD_VERSION);
  await recipe.commit({
    ...composeAt(NEW_VERSION, image),
    'start.sh.tmpl': startScript('new'),
    'abra.sh': abraSh('v2'),
    'release/0.10.0+1.27.2': 'Brings a new page.\n',
  });
  await recipe.tag(NEW_VERSION);
  await recipe.commit({ 'start.sh.tmpl': startScript('head'), 'abra.sh': abraSh('v3') });
  return recipe;
}

/** An empty recipe repository. */
export async function createRepository(folder: string, name: string): Promise<FixtureRecipe> {
  const origin = join(folder, `${name}.git`);
  const work = join(folder, `${name}.work`);
  const git = (...args: string[]) =>
    run('git', ['-C', work, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  await mkdir(work, { recursive: true });
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', origin]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', origin);
  return {
    name,
    origin,
    commit: async (files) => {
      for (const [file, text] of Object.entries(files)) {
        const path = join(work, file);
        if (text === undefined) {
          await rm(path, { force: true });
          continue;
        }
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--message', 'change');
      await git('push', '--quiet', 'origin', 'main');
      return (await git('rev-parse', 'HEAD')).stdout.trim();
    },
    tag: async (version, kind = 'annotated') => {
      await git('tag', ...(kind === 'annotated' ? ['--annotate', '--message', version] : []), version);
      await git('push', '--quiet', 'origin', `refs/tags/${version}`);
    },
  };
}

/** The files of the fixture's first version. */
export function fixtureFiles(name: string, image: string): RecipeFiles {
  return {
    ...composeAt(OLD_VERSION, image),
    'compose.worker.yml': `version: "3.8"
services:
  worker:
    image: ${image}
    stop_signal: SIGKILL
    networks: [internal]
`,
    '.env.sample': `TYPE=${name}

DOMAIN=${name}.example.com
GREETING="good day"
# TIMEOUT=30
COMPOSE_FILE="compose.yml"
COMPOSE_FILE="$COMPOSE_FILE:compose.worker.yml"

SECRET_TOKEN_VERSION=v1 # length=32 charset=hex
SECRET_PASSPHRASE_VERSION=v1
SECRET_LICENCE_FILE_VERSION=v1 # generate=false
`,
    'abra.sh': abraSh('v1'),
    'start.sh.tmpl': startScript('old'),
    'README.md': `# ${name}\n`,
  };
}

function composeAt(version: string, image: string): RecipeFiles {
  return {
    'compose.yml': `version: "3.8"
services:
  app:
    image: ${image}
    command: ["/start.sh"]
    stop_signal: SIGKILL
    environment:
      - DOMAIN
      - PRICE=5$$
    networks: [internal]
    volumes:
      - data:/data
      - cache:/cache
    secrets: [token, passphrase, licence]
    configs:
      - source: start
        target: /start.sh
        mode: 0555
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"]
      interval: 1s
      retries: 20
    deploy:
      update_config:
        monitor: 500ms
      labels:
        - "traefik.enable=true"
        - "traefik.http.routers.\${STACK_NAME}.rule=Host(\`\${DOMAIN}\`)"
        - "coop-cloud.\${STACK_NAME}.version=${version}"
        - "coop-cloud.\${STACK_NAME}.timeout=\${TIMEOUT:-60}"
        - "backupbot.backup=\${ENABLE_BACKUPS:-true}"
        - "backupbot.backup.pre-hook=sh -c 'cat /data/notes > /data/dump'"
        - "backupbot.backup.post-hook=rm -f /data/dump"
        - "backupbot.backup.volumes.cache=false"
        - "backupbot.restore.post-hook=cp /data/dump /data/restored"
networks:
  internal: {}
volumes:
  data: {}
  cache: {}
configs:
  start:
    name: \${STACK_NAME}_start_\${START_VERSION}
    file: start.sh.tmpl
    template_driver: golang
secrets:
  token:
    external: true
    name: \${STACK_NAME}_token_\${SECRET_TOKEN_VERSION}
  passphrase:
    external: true
    name: \${STACK_NAME}_passphrase_\${SECRET_PASSPHRASE_VERSION}
  licence:
    external: true
    name: \${STACK_NAME}_licence_\${SECRET_LICENCE_FILE_VERSION}
`,
  };
}

function startScript(page: string): string {
  return `#!/bin/sh
mkdir -p /data/www
echo "{{ env "GREETING" }} from the ${page} page" > /data/www/index.html
exec httpd -f -p 8080 -h /data/www
`;
}

function abraSh(version: string): string {
  return `export START_VERSION=${version}

greet() {
  echo "$TARGET of $APP_NAME in $STACK_NAME:" "$@"
}

fail() {
  exit 3
}
`;
}
