import type { Reading } from './read-many.js';

/** Folders in the order they are best read in. */
export interface ReadingOrder {
  readings: readonly Reading[];
  /** To be called for each that was read. @returns the recipe of which there is nothing more to read now, if there is one */
  readOne(folder: string): string | undefined;
}

/**
 * The runs of a recipe one after the other, so that its pages can be made while others are read. First come runs that no
 * engine knows: their recipe is in their record alone. Should one of these belong to a recipe that was thought complete,
 * then that has changed once more.
 * @param recipeOf the recipe of a run that an engine knows
 */
export function orderByRecipe(
  readings: readonly Reading[],
  recipeOf: (folder: string) => string | undefined,
): ReadingOrder {
  const unknown: Reading[] = [];
  const groups = new Map<string, Reading[]>();
  const recipes = new Map<string, string>();
  for (const reading of readings) {
    const recipe = recipeOf(reading.folder);
    const group = recipe === undefined ? unknown : (groups.get(recipe) ?? []);
    group.push(reading);
    if (recipe === undefined) continue;
    groups.set(recipe, group);
    recipes.set(reading.folder, recipe);
  }
  const left = new Map([...groups].map(([recipe, group]) => [recipe, group.length]));
  return {
    readings: [...unknown, ...[...groups.values()].flat()],
    readOne(folder) {
      const recipe = recipes.get(folder);
      if (recipe === undefined) return undefined;
      const number = (left.get(recipe) ?? 0) - 1;
      left.set(recipe, number);
      return number === 0 ? recipe : undefined;
    },
  };
}
