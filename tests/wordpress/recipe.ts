import { defineRecipe } from '@cc-ci/runner/harness';
import { expectArticle, publishArticle, spoilArticle } from './article.js';
import { install, signIn } from './site.js';

export default defineRecipe({
  // Leads to the installation form until that was filled in; an error of WordPress' is a 500.
  health: { path: '/wp-login.php', status: [200, 302] },
  async seed() {
    await install();
    await publishArticle(await signIn());
  },
  verify: expectArticle,
  async mutate() {
    await spoilArticle(await signIn());
  },
});
