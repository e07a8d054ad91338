import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { parse } from 'yaml';
import { z } from 'zod';
import { readDefinitions } from '../images/definitions.js';
import { createRecipeRepository, listSampleRecipes, type RecipeRepository, readHistory } from './index.js';

const named = z.object({ name: z.string(), file: z.string().optional(), external: z.boolean().optional() });
const compose = z.object({
  version: z.literal('3.8'),
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      healthcheck: z.object({ test: z.array(z.string()) }),
      deploy: z.object({
        endpoint_mode: z.undefined().optional(),
        labels: z.array(z.string()),
        update_config: z.object({ failure_action: z.literal('rollback'), order: z.string() }),
      }),
    }),
  ),
  configs: z.record(z.string(), named).optional(),
  secrets: z.record(z.string(), named).optional(),
  volumes: z.record(z.string(), z.unknown()).optional(),
  networks: z.object({ proxy: z.object({ external: z.literal(true) }) }),
});

/** Docker's limit for a name, less a run's stack (`wordpress_k3f9x2ab_ci_commoninternet_net`) and the underscore. */
const LONGEST_PART = 64 - 40 - 1;

describe('the sample recipes', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-recipes-'));
  });
  after(() => rm(dir, { recursive: true }));

  it('are custom-html, radicale and wordpress, and asking for another says so', async () => {
    expect(await listSampleRecipes()).to.deep.equal(['custom-html', 'radicale', 'wordpress']);
    const error = await createRecipeRepository('mediawiki', '/nowhere').catch((thrown) => thrown);
    expect(error).to.be.instanceOf(InputError);
    expect(error.hint).to.equal('there are: custom-html, radicale, wordpress');
  });

  it('move the image of an app by a new version, where there are two names for one', async () => {
    for (const recipe of ['custom-html', 'wordpress']) {
      const made = await createRecipeRepository(recipe, join(dir, recipe));
      const images = Object.keys(made.versions).map(async (version) => {
        const text = await run('git', ['--git-dir', made.dir, 'show', `${version}:compose.yml`]);
        return compose.parse(parse(text.stdout)).services.app?.image;
      });
      const [older, newer] = await Promise.all(images);
      expect(newer, recipe).to.satisfy((image: string) => image.startsWith(`${older}.`));
    }
  });

  it('have tests of their own in one, in every state since it brought them', async () => {
    const made = await createRecipeRepository('radicale', join(dir, 'radicale'));
    const testsAt = async (ref: string) =>
      (await run('git', ['--git-dir', made.dir, 'ls-tree', '-r', '--name-only', ref, 'tests/'])).stdout;
    const [older = '', newer = ''] = Object.keys(made.versions);
    expect(await testsAt(older)).to.equal('');
    for (const ref of [newer, ...Object.keys(made.branches)]) {
      expect(await testsAt(ref), ref).to.equal('tests/caldav.test.ts\ntests/playwright/web.spec.ts\n');
    }
  });
});

for (const recipe of await listSampleRecipes()) {
  describe(`the sample recipe ${recipe}`, () => {
    let dir: string;
    let made: RecipeRepository;
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'cc-ci-recipe-'));
      made = await createRecipeRepository(recipe, join(dir, 'one'));
    });
    after(() => rm(dir, { recursive: true }));

    const git = async (...args: string[]) => (await run('git', ['--git-dir', made.dir, ...args])).stdout;
    const show = (ref: string, file: string) => git('show', `${ref}:${file}`);
    const composeOf = async (ref: string) => compose.parse(parse(await show(ref, 'compose.yml')));
    /** What a deployer's environment would hold: .env.sample and abra.sh, the latter's `export` left out. */
    const environmentOf = async (ref: string) => {
      const text = `${await show(ref, '.env.sample')}\n${await show(ref, 'abra.sh')}`;
      const found = text.matchAll(/^(?:export )?([A-Z][A-Z0-9_]*)=("?)([^"#\n]*?)\2 *(?:#.*)?$/gm);
      return new Map([...found].map(([, name = '', , value = '']) => [name, value]));
    };
    const deployable = () => [...Object.values(made.versions), ...refs('good-change', 'broken-change')];
    const refs = (...branches: string[]) =>
      branches.map((branch) => made.branches[branch] ?? expect.fail(branch));

    it('has two published versions on main, as annotated tags with their notes', async () => {
      const tags = (
        await git('for-each-ref', '--format=%(refname:short) %(objecttype) %(*objectname)', 'refs/tags')
      )
        .trim()
        .split('\n');
      expect(tags).to.deep.equal(
        Object.entries(made.versions).map(([tag, commit]) => `${tag} tag ${commit}`),
      );
      expect(tags).to.have.length(2);
      for (const tag of Object.keys(made.versions)) expect(tag).to.match(/^\d+\.\d+\.\d+\+\d+\.\d+\.\d+$/);
      const [, newest = ''] = Object.keys(made.versions);
      expect(made.versions[newest]).to.equal(made.branches.main);
      expect(await git('tag', '--list', '--format=%(contents)', newest)).to.include(
        (await show(newest, `release/${newest}`)).trim(),
      );
    });

    it('has a branch for each kind of pull request, each one commit ahead of main', async () => {
      expect(Object.keys(made.branches)).to.deep.equal([
        'main',
        'good-change',
        'broken-change',
        'unparsable',
      ]);
      for (const [branch, head] of Object.entries(made.branches)) {
        expect((await git('rev-parse', branch)).trim()).to.equal(head);
        if (branch !== 'main') expect((await git('rev-list', `main..${branch}`)).trim()).to.equal(head);
        expect((await git('log', '-1', '--format=%B', branch)).trim()).to.equal(made.messages[branch]);
      }
      expect((await git('symbolic-ref', '--short', 'HEAD')).trim()).to.equal('main');
      await git('fsck', '--strict');
    });

    it('is the same to the last bit wherever it is made', async () => {
      const again = await createRecipeRepository(recipe, join(dir, 'two'));
      expect(again).to.deep.equal({ ...made, dir: again.dir });
    });

    it('has compose files of the form that abra reads, with an app, its labels and images of ours', async () => {
      const images = [...(await readDefinitions()).values()].flatMap(({ tags }) => tags);
      for (const ref of deployable()) {
        const { services } = await composeOf(ref);
        expect(services).to.have.property('app');
        for (const { image } of Object.values(services)) expect(images).to.include(image);
        const labels = services.app?.deploy.labels.join('\n') ?? '';
        expect(labels)
          .to.include('traefik.http.routers.${STACK_NAME}.rule=Host(`${DOMAIN}`${EXTRA_DOMAINS})')
          .and.include('traefik.http.routers.${STACK_NAME}.entrypoints=web-secure')
          .and.include('coop-cloud.${STACK_NAME}.timeout=${TIMEOUT:-')
          .and.include('backupbot.backup=${ENABLE_BACKUPS:-true}');
      }
    });

    it('says in its label which version it is', async () => {
      const main = Object.keys(made.versions).at(-1) ?? '';
      for (const [version = '', ref] of [
        ...Object.entries(made.versions),
        [main, made.branches['good-change'] ?? ''],
      ]) {
        const { services } = await composeOf(ref ?? '');
        expect(services.app?.deploy.labels).to.include(`coop-cloud.\${STACK_NAME}.version=${version}`);
        const tag = services.app?.image.split(':')[1];
        expect(version.split('+')[1], 'the version says which app').to.satisfy(
          (upstream: string) => upstream === tag || upstream.startsWith(`${tag}.`),
        );
      }
    });

    it('names configs and secrets by versions that it sets, short enough for Docker', async () => {
      for (const ref of deployable()) {
        const { configs = {}, secrets = {} } = await composeOf(ref);
        const environment = await environmentOf(ref);
        for (const [key, { name, file, external }] of Object.entries({ ...configs, ...secrets })) {
          const variable =
            new RegExp(`^\\$\\{STACK_NAME\\}_${key}_\\$\\{([A-Z_]+)\\}$`).exec(name)?.[1] ?? '';
          expect(environment.get(variable), `${key}: ${variable}`).to.match(/^v\d+$/);
          expect(`${key}_${environment.get(variable)}`.length, key).to.be.at.most(LONGEST_PART);
          if (key in secrets) expect([external, variable.startsWith('SECRET_')]).to.deep.equal([true, true]);
          else expect(await show(ref, file ?? '')).to.not.equal('');
        }
      }
    });

    it('gives a config another version whenever its text changes: Docker never changes one in place', async () => {
      for (const ref of deployable()) {
        const parent = (await git('rev-list', '--parents', '-n', '1', ref)).trim().split(' ')[1];
        if (parent === undefined) continue;
        const [before, now] = [await environmentOf(parent), await environmentOf(ref)];
        const old = (await composeOf(parent)).configs ?? {};
        for (const [key, { name, file = '' }] of Object.entries((await composeOf(ref)).configs ?? {})) {
          if (!old[key] || (await show(ref, file)) === (await show(parent, old[key].file ?? ''))) continue;
          const variable = /\{([A-Z_]+VERSION)\}$/.exec(name)?.[1] ?? '';
          expect(now.get(variable), `${key} at ${ref}`).to.not.equal(before.get(variable));
        }
      }
    });

    it('brings an .env.sample with what abra asks for, and a README with the block that the catalogue reads', async () => {
      for (const ref of deployable()) {
        const environment = await environmentOf(ref);
        expect(environment.get('TYPE')).to.equal(recipe);
        expect(environment.get('DOMAIN')).to.equal(`${recipe}.example.com`);
        expect(environment.get('LETS_ENCRYPT_ENV')).to.equal('production');
        const readme = await show(ref, 'README.md');
        const block = readme.slice(
          readme.indexOf('<!-- metadata -->'),
          readme.indexOf('<!-- endmetadata -->'),
        );
        for (const field of [
          'Category',
          'Status',
          'Image',
          'Healthcheck',
          'Backups',
          'Email',
          'Tests',
          'SSO',
        ]) {
          expect(block).to.match(new RegExp(`\\* \\*\\*${field}\\*\\*: \\S`));
        }
      }
    });

    it('has one change whose compose file is no YAML', async () => {
      const text = await show('unparsable', 'compose.yml');
      expect(() => parse(text)).to.throw(/at line \d+/);
    });

    it('breaks in one change by its configuration alone, which YAML and Docker see nothing wrong with', async () => {
      const changed = (await git('diff', '--name-only', 'main', 'broken-change')).trim().split('\n');
      expect(changed).to.include('abra.sh').and.not.include('compose.yml');
      expect(changed.filter((file) => file.endsWith('.conf.tmpl'))).to.have.length(1);
    });

    it('has notes for what is not published yet with the good change', async () => {
      expect((await show('good-change', 'release/next')).trim()).to.not.equal('');
    });

    it('tells its steps in the order of their dates', async () => {
      const dates = (await readHistory(recipe)).steps.map(({ date }) => date);
      expect(dates).to.deep.equal([...dates].sort());
    });
  });
}
