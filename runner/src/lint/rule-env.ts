import type { Finding } from '@cc-ci/core';
import type { LocatedUse, Path } from './compose-source.js';
import { ENV_SAMPLE } from './env-sample.js';
import { type RecipeModel, views } from './model.js';
import { finding } from './rules.js';

/** What abra or its conventions give a value without `.env.sample`, or what may be empty (abra contract 5.4). */
const KNOWN_TO_ABRA = [
  'COMPOSE_FILE',
  'DOMAIN',
  'ENABLE_BACKUPS',
  'EXTRA_DOMAINS',
  'LETS_ENCRYPT_ENV',
  'RECIPE',
  'STACK_NAME',
  'TIMEOUT',
  'TYPE',
];

/** Whether `.env.sample` covers what the compose files need. */
export function checkEnvSample(model: RecipeModel): Finding[] {
  if (!model.sample) {
    return [
      finding(
        'env-sample-missing',
        'the recipe has no .env.sample; add one with TYPE, DOMAIN and every variable that the compose files use',
        ENV_SAMPLE,
      ),
    ];
  }
  return [...unknownVariables(model), ...commentedOut(model)];
}

function unknownVariables(model: RecipeModel): Finding[] {
  const known = new Set([
    ...KNOWN_TO_ABRA,
    ...Object.keys(model.abraSh.exports),
    ...(model.sample?.assignments ?? []).map(({ name }) => name),
  ]);
  const sources = new Set(views(model).flatMap((view) => view.sources));
  const uses = [...sources].flatMap(({ variables }) => variables);
  return firstOfEach(uses.filter(({ name, hasDefault }) => !hasDefault && !known.has(name))).map(
    ({ name, where }) =>
      finding(
        'env-variable-unknown',
        `\${${name}} has no value: neither .env.sample nor abra.sh knows it; add it to .env.sample, or give it a default, \${${name}:-...}`,
        where,
      ),
  );
}

/** Options bring their own variables, which may well be commented out as they are: only the default is looked at. */
function commentedOut(model: RecipeModel): Finding[] {
  const active = new Set([
    ...KNOWN_TO_ABRA,
    ...Object.keys(model.abraSh.exports),
    ...(model.sample?.assignments ?? []).filter((line) => line.active).map(({ name }) => name),
  ]);
  const [usual] = model.combinations;
  const uses = (usual?.sources ?? []).flatMap(({ variables }) => variables);
  const needed = uses.filter(
    ({ name, hasDefault, required, path }) =>
      !active.has(name) && !hasDefault && (required || mustBeSet(path)),
  );
  return firstOfEach(needed).flatMap(({ name, where }) => {
    const line = model.sample?.assignments.find((assignment) => assignment.name === name)?.line;
    if (line === undefined) return []; // named by the other rule
    return finding(
      'env-variable-commented-out',
      `${name} is needed at ${where} and commented out; switch it on, or give it a default there`,
      `${ENV_SAMPLE}:${line}`,
    );
  });
}

/** Places where nothing instead of a value makes a wrong name. */
function mustBeSet(path: Path): boolean {
  const last = path.at(-1);
  if (path[0] === 'services') return path.length === 3 && last === 'image';
  return (
    ['secrets', 'configs', 'volumes', 'networks'].includes(String(path[0])) &&
    ['name', 'file'].includes(String(last))
  );
}

function firstOfEach(uses: readonly LocatedUse[]): LocatedUse[] {
  return [...new Map([...uses].reverse().map((use) => [use.name, use])).values()].reverse();
}
