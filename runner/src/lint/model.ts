import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AbraSh, type Finding, readAbraSh, readFileIfAny } from '@cc-ci/core';
import { MAIN_COMPOSE_FILE, parseCompose, readComposeFiles } from '../compose.js';
import { type Selection, selectionsOf } from './combinations.js';
import { type Compose, mergeSources } from './compose.js';
import { type ComposeSource, parseSource } from './compose-source.js';
import { choose, ENV_SAMPLE, type EnvSample, parseEnvSample } from './env-sample.js';
import { fileProblem } from './own-files.js';
import { once } from './rules.js';

/** abra cuts stack names here (abra contract 5.2). */
const STACK_NAME_LIMIT = 45;

/** Compose files that can be deployed together, with the values they get. */
export interface Combination extends Selection {
  sources: ComposeSource[];
  env: Record<string, string>;
  compose: Compose;
}

/** All that the rules look at, read once. */
export interface RecipeModel {
  dir: string;
  recipe: string;
  /** The stack's name if it were deployed as `<recipe>.example.com`. */
  stack: string;
  sample: EnvSample | undefined;
  abraSh: AbraSh;
  sources: Map<string, ComposeSource>;
  /** The default first. */
  combinations: Combination[];
  /** How many combinations `.env.sample` offers; more than `combinations` where those were capped. */
  offered: number;
}

/**
 * Reads a recipe's files.
 * @throws InputError when compose.yml is missing, has no service app, or a compose file is no YAML
 */
export async function readModel(dir: string, recipe: string): Promise<RecipeModel> {
  const names = [...(await readComposeFiles(dir)).keys()];
  const sampleText = await readFileIfAny(join(dir, ENV_SAMPLE));
  const sample = sampleText === undefined ? undefined : parseEnvSample(sampleText);
  const offered = sample ? [...choose(sample).files, ...sample.options.flatMap(({ files }) => files)] : [];
  const model: RecipeModel = {
    dir,
    recipe,
    stack: `${recipe}.example.com`.replaceAll('.', '_').slice(0, STACK_NAME_LIMIT),
    sample,
    abraSh: await readAbraSh(dir),
    sources: await readSources(dir, new Set([...names, ...offered])),
    combinations: [],
    offered: 1,
  };
  const found = sample
    ? selectionsOf(sample)
    : { offered: 1, selections: [{ options: [], files: [MAIN_COMPOSE_FILE], values: {}, commented: {} }] };
  return {
    ...model,
    offered: found.offered,
    combinations: found.selections.map((selection) => combinationOf(model, selection)),
  };
}

/** Compose files by name; names that lead to no file of the recipe are passed over. */
async function readSources(dir: string, names: ReadonlySet<string>): Promise<Map<string, ComposeSource>> {
  const sources = new Map<string, ComposeSource>();
  for (const name of names) {
    if (name === '' || (await fileProblem(dir, name))) continue;
    const text = await readFile(join(dir, name), 'utf8');
    // Those in folders have not been looked at yet; refused like the others when they are no YAML.
    parseCompose(name, text);
    sources.set(name, parseSource(name, text));
  }
  return sources;
}

/** What a selection of the sample's options amounts to. */
export function combinationOf(model: RecipeModel, selection: Selection): Combination {
  // A list that begins with nothing is reported; what was meant is plain.
  const sources = selection.files.flatMap((file) => model.sources.get(file || MAIN_COMPOSE_FILE) ?? []);
  const env = {
    ...valuesBeside(model, selection),
    ...selection.values,
    ...model.abraSh.exports,
    DOMAIN: `${model.recipe}.example.com`,
    STACK_NAME: model.stack,
    // What the recipe does when an operator wants backups is what is looked at.
    ENABLE_BACKUPS: 'true',
  };
  return { ...selection, sources, env, compose: mergeSources(sources, env) };
}

/**
 * Whoever switches an option on fills in what stands commented out beside it, as far as the option's files need it:
 * other values in comments are only suggestions.
 */
function valuesBeside({ sources }: RecipeModel, { options, commented }: Selection): Record<string, string> {
  const files = options.flatMap((option) => option.files);
  const needed = new Set(
    files
      .flatMap((file) => sources.get(file)?.variables ?? [])
      .filter(({ hasDefault }) => !hasDefault)
      .map(({ name }) => name),
  );
  return Object.fromEntries(Object.entries(commented).filter(([name]) => needed.has(name)));
}

/** The default, and it with each single option: what rules about services look at. */
export function views(model: RecipeModel): Combination[] {
  return model.combinations.filter(
    // One that lacks a file cannot be deployed: there is more to say about it only once it can.
    ({ options, files }) =>
      options.length === 0 ||
      (options.length === 1 && files.every((file) => file === '' || model.sources.has(file))),
  );
}

/** What a rule finds in the views; the same in several is one finding. */
export function inViews(model: RecipeModel, check: (compose: Compose) => Finding[]): Finding[] {
  return once(views(model).flatMap(({ compose }) => check(compose)));
}
