import { defineRecipe } from '@cc-ci/runner/harness';
import { expectSite, publishSite, spoilSite } from './site.js';

export default defineRecipe({
  health: { path: '/', status: [200] },
  seed: publishSite,
  verify: expectSite,
  mutate: spoilSite,
});
