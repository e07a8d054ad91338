import { defineRecipe } from '@cc-ci/runner/harness';
import { expectPage, publishPage, spoilPage } from './page.js';

// What cc-ci must know of the recipe. Copy this folder to tests/<recipe>, keep what you need and delete the rest: every
// key may be left out, and these are all there are. `app` and `http` may be used inside of functions only: while this
// file is loaded there is no app yet.
export default defineRecipe({
  // What the app must answer before any test is run: a path of it, and the codes that mean it is healthy. Without
  // `status` every code below 500 does.
  health: { path: '/', status: [200] },

  // Ports inside the stack that must take connections, `connects` times in a row (3 when not said), before any test is
  // run. For what has no health check of its own. Example: [{ service: 'db', port: 5432, connects: 5 }]
  tcp: [],

  // Added to the app's env file in every deployment. Example: { SITE_TITLE: 'Welcome' }
  env: {},

  // Added once the commit under test is deployed over the published version, and from then on: for settings that only
  // the new version knows. Example: { NEW_FEATURE: 'on' }
  envAfterUpgrade: {},

  // Values for secrets that abra does not generate (`generate=false`), by their name in the compose file. Nobody should
  // have to keep them secret: they are for tests. Example: { smtp_password: 'not-a-real-password' }
  secrets: {},

  // Limits in seconds: `deploy` until one deployment is healthy and `tests` for one stage's test files (both the
  // server's when not said), `hook` for one call of a function below. Example: { deploy: 1200, tests: 900, hook: 120 }
  timeouts: { hook: 120 },

  // Stages that make no sense for this recipe, each with the reason that everybody will read. Example:
  // { upgrade: 'every version starts from an empty database', backup: '...', 'recipe-tests': '...' }
  skip: {},

  // The app's data, through its own interface. `seed` puts data in, `verify` throws unless exactly these are there,
  // `mutate` changes them so that `verify` throws. Each is called in a process of its own.
  seed: publishPage,
  verify: expectPage,
  mutate: spoilPage,
});
