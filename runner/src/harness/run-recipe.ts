import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { argv, env } from 'node:process';
import { pathToFileURL } from 'node:url';
import { NoAppError } from '../recipe-tests/app-file.js';
import { describeRecipe, type RecipeOutcome } from '../recipe-tests/recipe-definition.js';
import { RESULTS_VARIABLE } from '../recipe-tests/result-lines.js';
import { leave } from './leave.js';
import { thrownText } from './thrown.js';

// Evaluates a recipe.ts: `describe <file>` or `call <file> <hook>`. What it came to goes into the results file, since
// stdout belongs to the code that is run.
const results = env[RESULTS_VARIABLE] ?? '';
const [, , action, file = '', hook = ''] = argv;

let definition: unknown;
try {
  ({ default: definition } = await import(pathToFileURL(resolve(file)).href));
} catch (error) {
  console.error(error);
  await end({ problems: [whyNotLoaded(error)] });
}
if (action === 'describe') await end(describeRecipe(definition));
// Also what a forgotten promise or an event handler throws: it is the hook that failed.
process.on('uncaughtException', threw);
try {
  await (definition as Record<string, () => unknown>)[hook]?.();
} catch (error) {
  await threw(error);
}
await end({ done: true });

function whyNotLoaded(error: unknown): string {
  if (error instanceof NoAppError)
    return `uses app or http while it is being loaded, when there is no app yet; use them inside of functions\n${thrownText(error)}`;
  return `cannot be loaded: ${thrownText(error)}`;
}

function threw(error: unknown): Promise<never> {
  console.error(error);
  return end({ threw: thrownText(error) });
}

function end(outcome: RecipeOutcome): Promise<never> {
  writeFileSync(results, JSON.stringify(outcome));
  return leave(0);
}
