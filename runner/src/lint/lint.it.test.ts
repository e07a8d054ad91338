import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledError, type Finding, InputError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { lintRecipe } from './index.js';
import type { Run } from './parser.js';
import { brief, compose, edited, type Files, GOOD, lineOf, writeRecipe } from './testing/recipe.js';

const TAG = '1.0.0+1.2.3';
const GIT_ENV = {
  PATH: process.env.PATH,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.org',
  GIT_COMMITTER_NAME: 'Somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.org',
};

describe('linting a recipe', () => {
  const folders: string[] = [];
  const { signal } = new AbortController();
  afterEach(async () => {
    for (const dir of folders.splice(0)) await rm(dir, { recursive: true });
  });

  const git = (dir: string, ...args: string[]) => run('git', ['-C', dir, ...args], { env: GIT_ENV });
  async function commit(dir: string) {
    await git(dir, 'add', '--all');
    await git(dir, 'commit', '--quiet', '--message', 'Change');
  }

  /** A repository with these files in one commit. */
  async function repository(files: Files): Promise<string> {
    const dir = await writeRecipe(files);
    folders.push(dir);
    await git(dir, 'init', '--quiet', '--template=');
    await commit(dir);
    return dir;
  }

  /** Runs this shell script instead of the Docker client. */
  async function fakeDocker(script: string): Promise<Run> {
    const tools = await mkdtemp(join(tmpdir(), 'cc-ci-tools-'));
    folders.push(tools);
    await writeFile(join(tools, 'docker'), `#!/bin/sh\n${script}`, { mode: 0o755 });
    return (file, args, options) => run(file === 'docker' ? join(tools, file) : file, args, options);
  }

  const lint = (dir: string, runner: Run = run) =>
    lintRecipe({ dir, recipe: 'example', run: runner, signal });
  const lintFiles = async (files: Files, runner: Run = run) => lint(await repository(files), runner);
  const only = (findings: readonly Finding[], rule: string) =>
    findings.filter((found) => found.rule === rule);
  const option = (name: string, text: string): Files => ({
    ...edited(GOOD, '.env.sample', '## Mail', `#COMPOSE_FILE="$COMPOSE_FILE:compose.${name}.yml"\n## Mail`),
    [`compose.${name}.yml`]: `version: "3.8"\n${text}`,
  });

  it('finds nothing in a good one', async () => {
    const dir = await repository(GOOD);
    await git(dir, 'tag', '--annotate', '--message', 'First', TAG);
    expect(await lint(dir)).to.deep.equal([]);
  });

  it('takes less than three seconds for a usual recipe', async () => {
    const dir = await repository(option('more', 'services: {}\n'));
    const started = performance.now();
    expect(await lint(dir)).to.deep.equal([]);
    expect(performance.now() - started).to.be.lessThan(3_000);
  });

  it('does not try every combination where there are very many, and says so', async () => {
    const many = Array.from({ length: 5 }, (_, n) => n);
    const files = { ...GOOD };
    for (const n of many) files[`compose.${n}.yml`] = GOOD['compose.smtp.yml'] ?? '';
    files['.env.sample'] += many.map((n) => `#COMPOSE_FILE="$COMPOSE_FILE:compose.${n}.yml"\n`).join('');
    const found = await lintFiles(files);
    expect(brief(found)).to.deep.equal(['compose-combinations-capped .env.sample']);
    expect(found[0]?.message).to.include('offers 64 combinations; 23 were tried');
  });

  it('reports in the order of the rules, each finding once', async () => {
    const files = compose(
      '    image: example/app:1.2.3\n',
      '    privileged: true\n    image: example/app\n    bogus: 1\n',
    );
    expect(brief(await lintFiles(files))).to.deep.equal([
      `compose-default ${lineOf(files, 'compose.yml', 'bogus')}`,
      `image-unpinned ${lineOf(files, 'compose.yml', 'image: example/app')}`,
      `host-privileged ${lineOf(files, 'compose.yml', 'privileged')}`,
    ]);
  });

  it('refuses what is no compose file at all', async () => {
    const dir = await repository({ ...GOOD, 'compose.yml': 'services: [' });
    const error = await lint(dir).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(InputError);
    expect(error.message).to.match(/^compose\.yml: .*line 1/);
  });

  it('can be stopped', async () => {
    const dir = await repository(GOOD);
    const stop = AbortSignal.abort();
    const error = await lintRecipe({ dir, recipe: 'example', run, signal: stop }).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(CancelledError);
  });

  describe('the compose files of the default', () => {
    const refused = async (files: Files) => {
      const found = await lintFiles(files);
      expect(
        found.map(({ rule }) => rule),
        JSON.stringify(found),
      ).to.deep.equal(['compose-default']);
      const [{ message, where, severity } = {}] = found;
      expect(severity).to.equal('error');
      return `${where} ${message}`;
    };

    it('are read by Docker, whose words get the line they speak of', async () => {
      const files = compose('    secrets:\n', '    ports:\n      - "80"\n      - "a:b"\n    secrets:\n');
      expect(await refused(files)).to.equal(
        `${lineOf(files, 'compose.yml', 'a:b')} as .env.sample comes, the recipe cannot be deployed: Docker's parser says "services.app.ports.1 Does not match format 'ports'"; correct that`,
      );
      expect(await refused(compose('pg_isready"]', 'pg_isready"]\n      nonsense: 1'))).to.match(
        /^compose\.yml:\d+ .*Additional property nonsense is not allowed/,
      );
    });

    it('are of one version', async () => {
      const files = edited(option('odd', 'services: {}\n'), 'compose.odd.yml', '3.8', '3.7');
      const found = await lintFiles(files);
      expect(found[0]).to.include({ rule: 'compose-option', where: 'compose.odd.yml' });
      expect(found[0]?.message).to.match(/^with compose\.odd\.yml .*version mismatched/);
    });

    it('have their required variables', async () => {
      const files = compose('- TITLE=${TITLE}', '- TITLE=${TITLE:?how is it called}');
      expect(await lintFiles(files)).to.deep.equal([]);
      const found = await lintFiles(edited(files, '.env.sample', 'TITLE=', '#TITLE='));
      expect(brief(found)).to.deep.equal([
        `compose-default ${lineOf(files, 'compose.yml', 'TITLE=')}`,
        'env-variable-commented-out .env.sample:6',
      ]);
    });

    it('declare what their services use', async () => {
      for (const [from, to, kind] of [
        ['- uploads:/uploads', '- up:/uploads', 'volumes'],
        ['      - internal\n    env', '      - inner\n    env', 'networks'],
        ['- source: app_conf', '- source: conf', 'configs'],
        ['- db_password', '- password', 'secrets'],
      ] as const) {
        const files = compose(from, to);
        expect(await refused(files)).to.match(
          new RegExp(`^compose\\.yml:\\d+ .*under ${kind}; declare it there$`),
        );
      }
    });

    it('bring the files they name, and no others of this machine', async () => {
      const { 'app.conf.tmpl': _, ...lacking } = GOOD;
      expect(await refused(lacking)).to.match(
        /app_conf is read from app\.conf\.tmpl, and there is no such file/,
      );
      for (const path of ['/etc/passwd', '../outside', '..']) {
        expect(await refused(compose('file: app.conf.tmpl', `file: ${path}`)), path).to.include(
          'not in the recipe',
        );
      }
      const folder = { ...compose('file: app.conf.tmpl', 'file: conf'), 'conf/a': '' };
      expect(await refused(folder)).to.include('conf, which is a folder');
      const environment = compose('    environment:\n', '    env_file: /etc/shadow\n    environment:\n');
      expect(await refused(environment)).to.include(
        'service app is read from /etc/shadow, which is not in the recipe',
      );
      const dir = await repository(lacking);
      await symlink('/etc/passwd', join(dir, 'app.conf.tmpl'));
      expect((await lint(dir))[0]?.message).to.include('which is not in the recipe');
    });
  });

  describe('the options', () => {
    const withOptions = (...names: string[]): Files => {
      const files = { ...GOOD };
      for (const name of names) {
        files[`compose.${name}.yml`] = 'version: "3.8"\nservices: {}\n';
        files['.env.sample'] += `#COMPOSE_FILE="$COMPOSE_FILE:compose.${name}.yml"\n`;
      }
      return files;
    };
    /** A Docker client that refuses these files together, in this order, and takes everything else. */
    const dockerRefusing = (...files: string[]) =>
      fakeDocker(`case "$*" in *${files.join('*')}*) echo "not these together" >&2; exit 1;; esac\n`);

    it('each work on their own', async () => {
      const files = option('mail', 'services:\n  app:\n    volumes:\n      - mails:/mails\n');
      const found = await lintFiles(files);
      expect(brief(found)).to.deep.equal(['compose-option compose.mail.yml:5']);
      expect(found[0]?.severity).to.equal('error');
      expect(found[0]?.message).to.match(
        /^with compose\.mail\.yml the recipe cannot be deployed: .*declare it there$/,
      );
    });

    it('get the values that stand commented out beside them', async () => {
      const files = option('mail', 'services:\n  app:\n    environment:\n      - A=${SMTP_HOST:?which}\n');
      expect(await lintFiles(files)).to.deep.equal([]);
    });

    it('do not get what only suggests another value than the default', async () => {
      const files = edited(
        compose('example/app:1.2.3', 'example/app:${APP_VERSION:-1.2.3}'),
        '.env.sample',
        'TYPE',
        '#APP_VERSION=latest\nTYPE',
      );
      expect(await lintFiles(files)).to.deep.equal([]);
    });

    it('may bring compose files in folders', async () => {
      const named = edited(GOOD, '.env.sample', ':compose.smtp.yml', ':tuning/compose.db.yml');
      const files = {
        ...named,
        'tuning/compose.db.yml': 'version: "3.8"\nservices: { db: { image: postgres } }\n',
      };
      expect(brief(await lintFiles(files))).to.deep.equal([
        'compose-not-offered compose.smtp.yml',
        'image-unpinned tuning/compose.db.yml:2',
      ]);
      const broken = await lintFiles({ ...named, 'tuning/compose.db.yml': '[' }).catch((thrown) => thrown);
      expect(broken).to.be.instanceOf(InputError);
      expect(broken.message).to.match(/^tuning\/compose\.db\.yml: /);
    });

    it('name files that are there', async () => {
      const { 'compose.smtp.yml': _, ...files } = GOOD;
      expect(brief(await lintFiles(files))).to.deep.equal([
        `compose-option ${lineOf(GOOD, '.env.sample', 'smtp')}`,
      ]);
      const beginning = edited(GOOD, '.env.sample', 'COMPOSE_FILE="compose.yml"\n', '');
      const found = await lintFiles(beginning);
      expect(brief(found)).to.deep.equal([`compose-option ${lineOf(beginning, '.env.sample', 'smtp')}`]);
      expect(found[0]?.message).to.include('add COMPOSE_FILE="compose.yml" before');
      const elsewhere = edited(GOOD, '.env.sample', ':compose.smtp.yml', ':/etc/passwd');
      expect((await lintFiles(elsewhere))[0]?.message).to.include('no such file');
    });

    it('that fail only together may exclude each other', async () => {
      const files = withOptions('one', 'two', 'three');
      const found = await lintFiles(files, await dockerRefusing('compose.one.yml', 'compose.two.yml'));
      expect(brief(found)).to.deep.equal(['compose-options-together compose.two.yml']);
      expect(found[0]).to.include({
        severity: 'warning',
        message:
          'compose.one.yml with compose.two.yml cannot be deployed: Docker\'s parser says "not these together"; correct that, or say in .env.sample that they exclude each other',
      });
      expect(await lintFiles(files), 'Docker itself').to.deep.equal([]);
    });

    it('may take the place of what is on by default', async () => {
      const line = '#COMPOSE_FILE="$COMPOSE_FILE:compose.one.yml"';
      const files = edited(withOptions('one', 'two'), '.env.sample', line, line.slice(1));
      const found = await lintFiles(files, await dockerRefusing('compose.one.yml', 'compose.two.yml'));
      expect(brief(found)).to.deep.equal(['compose-options-together compose.two.yml']);
      expect(found[0]?.message).to.match(
        /^compose\.two\.yml with what \.env\.sample switches on by default cannot/,
      );
      const never = await lintFiles(files, await dockerRefusing('compose.two.yml'));
      expect(brief(never)).to.deep.equal(['compose-option compose.two.yml']);
    });

    it('are needed for every compose file to be tested: others are named', async () => {
      const files = { ...GOOD, 'compose.forgotten.yml': 'version: "3.8"\nservices: {}\n' };
      const found = await lintFiles(files);
      expect(brief(found)).to.deep.equal(['compose-not-offered compose.forgotten.yml']);
      expect(found[0]).to.include({ severity: 'note' });
    });
  });

  describe("Docker's parser", () => {
    it('is done without where the client has none: our own checks, and a note', async () => {
      // What Docker 20.10 answers.
      const oldDocker = await fakeDocker('echo "unknown flag: --compose-file" >&2; exit 125\n');
      expect(brief(await lintFiles(GOOD, oldDocker))).to.deep.equal(['compose-parser-missing -']);
      const required = edited(compose('=${TITLE}', '=${TITLE:?why}'), '.env.sample', 'TITLE=', '#TITLE=');
      const found = await lintFiles(required, oldDocker);
      expect(found.map(({ rule }) => rule)).to.deep.equal([
        'compose-default',
        'compose-parser-missing',
        'env-variable-commented-out',
      ]);
    });

    it('sees the variables of the recipe and nothing else of ours', async () => {
      const seen: { args: readonly string[]; env: NodeJS.ProcessEnv | undefined }[] = [];
      const watched: Run = (file, args, options = {}) => {
        if (file === 'docker') seen.push({ args, env: options.env });
        return run(file, args, options);
      };
      const hostile = edited(
        compose('- TITLE=${TITLE}', '- TITLE=${TITLE} ${PATH} ${LD_PRELOAD} ${DOCKER_CONFIG}'),
        '.env.sample',
        'TYPE',
        'PATH=./bin\nLD_PRELOAD=./evil.so\nDOCKER_CONFIG=./evil\nUNUSED=x\nTYPE',
      );
      expect(await lintFiles(hostile, watched)).to.deep.equal([]);
      // Combinations are looked at side by side: this is the one without options.
      const plain = seen.find(
        ({ args }) => args.includes('compose.yml') && !args.includes('compose.smtp.yml'),
      );
      expect(Object.keys(plain?.env ?? {}).sort()).to.deep.equal([
        'APP_CONF_VERSION',
        'ENABLE_BACKUPS',
        'LC_ALL',
        'PATH',
        'SECRET_DB_PASSWORD_VERSION',
        'STACK_NAME',
        'TITLE',
      ]);
      expect(plain?.env?.PATH).to.equal(process.env.PATH);
    });
  });

  describe('the tags', () => {
    it('are fine when annotated; a label of one of them is named once the compose files differ', async () => {
      const dir = await repository(GOOD);
      await git(dir, 'tag', '--annotate', '--message', 'First', TAG);
      await writeFile(join(dir, 'README.md'), 'new');
      await commit(dir);
      expect(await lint(dir)).to.deep.equal([]);
      await writeFile(join(dir, 'compose.smtp.yml'), `${GOOD['compose.smtp.yml']}# new\n`);
      await commit(dir);
      const found = await lint(dir);
      expect(brief(found)).to.deep.equal([`version-published ${lineOf(GOOD, 'compose.yml', TAG)}`]);
    });

    it('are at fault when lightweight, or no versions', async () => {
      const dir = await repository(GOOD);
      await git(dir, 'tag', TAG);
      await git(dir, 'tag', '--annotate', '--message', 'Old', 'v1');
      const found = await lint(dir);
      expect(brief(found)).to.deep.equal(['tag-lightweight -', 'tag-malformed -']);
      expect(only(found, 'tag-lightweight')[0]?.message).to.match(/^1\.0\.0\+1\.2\.3: /);
      expect(only(found, 'tag-malformed')[0]?.message).to.match(/^v1: /);
    });
  });
});
