import { StageSkip } from '../failure.js';
import type { LoadedRecipe } from '../recipe-tests/hooks.js';
import type { RecipeSettings } from '../recipe-tests/settings.js';

/** @throws StageSkip where the recipe's test folder declines the stage, with its reason */
export function requireWanted({ settings }: LoadedRecipe, stage: keyof RecipeSettings['skip']): void {
  const reason = settings.skip[stage];
  if (reason) throw new StageSkip('declared-skip', reason);
}
