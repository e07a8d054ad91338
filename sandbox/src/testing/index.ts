// What tests of other rooms need: a tiny image, and recipe repositories made on the spot.
export { createRepository, type FixtureRecipe, type RecipeFiles } from '../abra/testing/fixture-recipe.js';
export {
  createBackupbotRecipe,
  createTraefikRecipe,
  NEWER,
  OLDER,
  traefikImage,
} from './host-recipes.js';
export { ensureTinyImage } from './tiny-image.js';
