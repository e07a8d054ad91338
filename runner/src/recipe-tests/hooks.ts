import { join } from 'node:path';
import { pathKind, readJson, writeJson } from '@cc-ci/core';
import { z } from 'zod';
import type { StageContext } from '../context.js';
import { StageFailure } from '../failure.js';
import { headlineOf } from './headline.js';
import { type RecipeOutcome, recipeOutcome } from './recipe-definition.js';
import { DEFAULT_SETTINGS, HOOKS, type HookName, recipeSettings } from './settings.js';
import { copyTests, ourTestsFolder, type TestCode, testCodeFolder } from './test-code.js';
import { type ProcessEnd, runTestProcess, withTypeScript } from './test-process.js';
import { readUntrusted } from './untrusted-file.js';

/** Seconds that evaluating a file may take, without anything being called in it. */
const LOAD_TIMEOUT = 60;
const MAX_OUTCOME_BYTES = 2 ** 20;

/** What a recipe's test folder says of the recipe. */
const loadedSchema = z.strictObject({
  settings: recipeSettings,
  /** Those it has. */
  hooks: z.array(z.enum(HOOKS)),
  /** Its name as people know it, `tests/<recipe>/recipe.ts`; absent where there is none and all is default. */
  file: z.string().optional(),
});
export type LoadedRecipe = z.output<typeof loadedSchema>;

/** It may hold values of secrets. */
const loadedFile = (dir: string) => join(testCodeFolder(dir), 'recipe.json');

/** A hook did not do what it is for. */
export class HookError extends StageFailure {
  /** The hook ran and threw; otherwise it could not be run to its end, and nothing is known. */
  readonly thrown: boolean;

  constructor(thrown: boolean, message: string, evidence: readonly string[]) {
    super(thrown ? 'recipe' : 'tests', message, evidence);
    this.thrown = thrown;
  }
}

/**
 * The recipe's settings and the hooks it has, from `tests/<recipe>/recipe.ts`; the defaults where there is none.
 * Needs no app. Evaluated once a run: every stage goes by the same.
 * @throws StageFailure blaming the tests when the file cannot be loaded or says something we do not know
 */
export async function loadRecipe(context: StageContext): Promise<LoadedRecipe> {
  const known = await readJson(loadedFile(context.dir), loadedSchema);
  if (known) return known;
  const recipe = await evaluateRecipe(context);
  await writeJson(loadedFile(context.dir), recipe, 0o600);
  return recipe;
}

async function evaluateRecipe(context: StageContext): Promise<LoadedRecipe> {
  const folder = await ourTestsFolder(context);
  if (!folder || (await pathKind(join(folder, 'recipe.ts'))) !== 'file')
    return { settings: DEFAULT_SETTINGS, hooks: [] };
  const file = `tests/${context.plan.request.recipe}/recipe.ts`;
  const code = await copyTests(context, 'cc-ci');
  const { outcome, end } = await evaluate(context, code, ['describe', file], {
    timeout: LOAD_TIMEOUT,
    withApp: false,
  });
  if (outcome && 'settings' in outcome) return { ...outcome, file };
  throw notLoaded(file, outcome, end);
}

/**
 * Calls one hook of the recipe in a process of its own.
 * @param options.record keeps it as a test of the stage; leave it out where the hook is expected to throw
 * @param options.title of that test, default: the hook's name
 * @throws HookError when it threw (`thrown`, blaming the recipe) or could not be run to its end (blaming the tests)
 */
export async function runHook(
  context: StageContext,
  recipe: LoadedRecipe,
  hook: HookName,
  options: { record?: boolean; title?: string } = {},
): Promise<void> {
  const { file } = recipe;
  if (!file || !recipe.hooks.includes(hook)) throw new Error(`recipe.ts has no ${hook} hook`);
  const started = performance.now();
  const code = await copyTests(context, 'cc-ci');
  const { outcome, end } = await evaluate(context, code, ['call', file, hook], {
    timeout: recipe.settings.timeouts.hook,
    withApp: true,
  });
  const error = hookError(file, hook, outcome, end);
  if (options.record) {
    await context.stage.test({
      source: 'cc-ci',
      suite: 'recipe.ts',
      title: options.title ?? hook,
      state: error ? 'failed' : 'passed',
      durationMs: performance.now() - started,
      ...(error ? { message: [error.message, ...error.evidence].join('\n') } : {}),
    });
  }
  if (error) throw error;
}

function hookError(
  file: string,
  hook: HookName,
  outcome: RecipeOutcome | undefined,
  end: ProcessEnd,
): HookError | undefined {
  if (end.how === 'timeout' || end.how === 'limit')
    return new HookError(false, `${file}: ${hook} ${end.what}`, end.output);
  if (outcome && 'done' in outcome) return undefined;
  if (outcome && 'threw' in outcome) {
    const { headline, rest } = headlineOf(outcome.threw);
    return new HookError(true, `${file}: ${hook} failed: ${headline}`, rest);
  }
  if (outcome && 'problems' in outcome)
    return new HookError(false, `${file} ${outcome.problems.join('; ')}`, end.output);
  return new HookError(
    false,
    `${file}: ${hook} ended its process (${end.what}) before it was done; let it return or throw`,
    end.output,
  );
}

function notLoaded(file: string, outcome: RecipeOutcome | undefined, end: ProcessEnd): StageFailure {
  if (end.how === 'timeout' || end.how === 'limit')
    return new StageFailure('tests', `${file} ${end.what} while it was loaded`, end.output);
  if (!outcome || !('problems' in outcome))
    return new StageFailure('tests', `${file} ended its process while it was loaded`, end.output);
  const { headline, rest } = headlineOf(outcome.problems.join('\n'));
  const count = outcome.problems.length;
  return new StageFailure(
    'tests',
    count > 1 ? `${file} has ${count} mistakes, first: ${headline}` : `${file} ${headline}`,
    rest,
  );
}

/** Runs `run-recipe` and reads what it came to; nothing where it left nothing that makes sense. */
async function evaluate(
  context: StageContext,
  code: TestCode,
  args: readonly string[],
  options: { timeout: number; withApp: boolean },
): Promise<{ outcome: RecipeOutcome | undefined; end: ProcessEnd }> {
  const process = { args: [...withTypeScript('run-recipe.js'), ...args], cwd: code.root, show: code.show };
  const { end, results } = await runTestProcess(context, { ...process, ...options }, async (path) => {
    const { text } = await readUntrusted(path, MAX_OUTCOME_BYTES);
    try {
      return shown(recipeOutcome.safeParse(JSON.parse(text)).data, code);
    } catch {
      return undefined;
    }
  });
  return { outcome: results, end };
}

function shown(outcome: RecipeOutcome | undefined, { show }: TestCode): RecipeOutcome | undefined {
  if (outcome && 'threw' in outcome) return { threw: show(outcome.threw) };
  if (outcome && 'problems' in outcome) return { problems: outcome.problems.map(show) };
  return outcome;
}
