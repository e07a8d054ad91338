import { join } from 'node:path';
import { InputError, interpolate, parseEnvFile, readFileIfAny } from '@cc-ci/core';
import { stackName } from '../app.js';
import { composeFileNames, mergeCompose, parseCompose, readCompose } from '../compose.js';
import { type Abra, recipeFolder, table } from '../context.js';
import { namesIn } from '../folders.js';
import { git } from '../git.js';
import { type LintSubject, lint } from '../lint.js';
import { cloneAnew, ensureExists, syncRecipe, versionsOf } from '../recipe.js';
import { arg, type Call, type Group } from '../verbs.js';

/** `abra recipe`. */
export const recipeGroup: Group = {
  name: 'recipe',
  about: 'Manage recipes',
  verbs: [
    {
      name: 'fetch',
      alias: 'f',
      about: 'Clone a recipe',
      args: '[recipe]',
      flags: ['all', 'force', 'ssh'],
      run: fetch,
    },
    {
      name: 'lint',
      alias: 'l',
      about: 'Look for mistakes in a recipe',
      args: '<recipe>',
      flags: ['error', 'chaos'],
      run: showLint,
    },
    {
      name: 'ls',
      alias: 'list',
      about: 'List the recipes that are cloned',
      flags: ['pattern', 'machine'],
      run: list,
    },
    {
      name: 'versions',
      alias: 'v',
      about: 'List the published versions of a recipe',
      args: '<recipe>',
      flags: ['machine'],
      run: versions,
    },
  ],
};

async function fetch(call: Call): Promise<void> {
  const { abra } = call;
  if (call.has('all')) throw new InputError('this stand-in has no catalogue to fetch all recipes from');
  if (call.has('ssh')) throw new InputError('--ssh is not supported by this stand-in');
  const recipe = call.args[0];
  if (!recipe) throw new InputError('missing [recipe]');
  if (call.has('force')) await cloneAnew(abra, recipe);
  else if (!(await ensureExists(abra, recipe))) abra.log.warn(`${recipe} is already fetched`);
}

async function showLint(call: Call): Promise<void> {
  const { abra } = call;
  const recipe = arg(call, 0);
  await syncRecipe(abra, recipe, { chaos: call.has('chaos'), pin: undefined });
  const subject = await sampleApp(abra, recipe);
  const findings = await lint(abra, subject, await readCompose(subject.folder, subject.env));
  const shown = findings.filter(({ level }) => level === 'error' || !call.has('error'));
  const rows = shown.map(({ rule, about, level, problem }) => [
    rule,
    about,
    level,
    problem ? 'no' : 'yes',
    problem ?? '',
  ]);
  for (const line of table([['REF', 'RULE', 'SEVERITY', 'SATISFIED', 'PROBLEM'], ...rows])) abra.print(line);
  if (findings.some(({ level, problem }) => level === 'error' && problem)) {
    abra.log.warn(`critical errors present in ${recipe} config`);
  }
}

/** The app that a recipe's own sample would make. */
async function sampleApp(abra: Abra, recipe: string): Promise<LintSubject> {
  const folder = recipeFolder(abra, recipe);
  const entries = parseEnvFile((await readFileIfAny(join(folder, '.env.sample'))) ?? '');
  const values = Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
  const stack = stackName(`${recipe}.example.com`, values);
  return { recipe, folder, entries, stack, env: { ...values, STACK_NAME: stack } };
}

async function list(call: Call): Promise<void> {
  const { abra } = call;
  const names = await namesIn(join(abra.dir, 'recipes'));
  const wanted = names.filter((name) => name.includes(call.text('pattern') ?? ''));
  const rows = await Promise.all(
    wanted.map(async (name) => ({ name, version: (await versionsOf(abra, name)).published.at(-1) ?? '' })),
  );
  if (call.has('machine')) {
    abra.print(JSON.stringify(rows));
    return;
  }
  for (const line of table([['NAME', 'VERSION'], ...rows.map(({ name, version }) => [name, version])]))
    abra.print(line);
}

async function versions(call: Call): Promise<void> {
  const { abra } = call;
  const recipe = arg(call, 0);
  await ensureExists(abra, recipe);
  const { published } = await versionsOf(abra, recipe);
  const rows = (await Promise.all(published.map((version) => imagesAt(abra, recipe, version)))).flat();
  if (call.has('machine')) {
    abra.print(JSON.stringify(rows));
    return;
  }
  const cells = rows.map(({ version, service, image, tag }) => [version, service, image, tag]);
  for (const line of table([['VERSION', 'SERVICE', 'IMAGE', 'TAG'], ...cells])) abra.print(line);
}

/** The services of a published version and what they run, as its own sample would have it. */
async function imagesAt(abra: Abra, recipe: string, version: string) {
  const show = async (path: string) => {
    const args = ['show', `refs/tags/${version}:${path}`];
    const { exitCode, stdout } = await git(abra, recipeFolder(abra, recipe), args, { okCodes: [0, 128] });
    return exitCode === 0 ? stdout : undefined;
  };
  const sample = parseEnvFile((await show('.env.sample')) ?? '');
  const env = Object.fromEntries([...sample].map(([key, { value }]) => [key, value]));
  const sources = await Promise.all(
    composeFileNames(env).map(async (name) => parseCompose(`${version}:${name}`, (await show(name)) ?? '')),
  );
  return [...mergeCompose(sources).services].map(([service, { image }]) => {
    const reference = interpolate(image ?? '', env);
    const [, name = reference, tag = ''] = /^(.*):([^/:]+)$/.exec(reference) ?? [];
    return { version, service, image: name, tag };
  });
}
