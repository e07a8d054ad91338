import { defineRecipe } from '@cc-ci/runner/harness';
import { expectDiary, keepDiary, spoilDiary } from './diary.js';

export default defineRecipe({
  health: { path: '/.web/', status: [200] },
  seed: keepDiary,
  verify: expectDiary,
  mutate: spoilDiary,
});
