import { testUp } from '../checks.js';
import type { StageContext } from '../context.js';
import { ensureHead } from '../deployment.js';
import { StageSkip } from '../failure.js';
import { loadRecipe } from '../recipe-tests/hooks.js';
import { findOwnTests, runBrowserTests, runMocha } from '../recipe-tests/run-tests.js';
import { allFailures } from '../recipe-tests/stage-tests.js';
import { requireWanted } from './skip.js';

/** The tests that the recipe's own repository brings, at the commit under test, against the same live app. */
export async function recipeTests(context: StageContext): Promise<void> {
  const recipe = await loadRecipe(context);
  requireWanted(recipe, 'recipe-tests');
  const { mocha, specs } = await findOwnTests(context);
  if (mocha.length === 0 && !specs) {
    throw new StageSkip(
      'structural-skip',
      'the recipe has no tests of its own (tests/*.test.ts, tests/**/*.spec.ts)',
    );
  }
  const facts = await ensureHead(context, recipe.settings);
  const timeout = recipe.settings.timeouts.tests;
  await context.stage.phase('tests', false, () =>
    testUp(context, () =>
      allFailures([
        async () =>
          void (mocha.length > 0 && (await runMocha(context, mocha, { source: 'recipe', timeout }))),
        async () =>
          void (
            specs &&
            (await runBrowserTests(context, facts, specs, { source: 'recipe', generic: false, timeout }))
          ),
      ]),
    ),
  );
}
