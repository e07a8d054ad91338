// What tests of other rooms need: a tiny image, recipe repositories made on the spot, and the contract of an edge.
export { createRepository, type FixtureRecipe, type RecipeFiles } from '../abra/testing/fixture-recipe.js';
export { type EdgeUnderTest, edgeContract } from '../edge/testing/edge-contract.js';
export {
  createBackupbotRecipe,
  createTraefikRecipe,
  NEWER,
  OLDER,
  REAL_TRAEFIK,
  traefikImage,
} from './host-recipes.js';
export { ensureTinyImage } from './tiny-image.js';
