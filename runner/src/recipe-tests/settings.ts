import { z } from 'zod';

/** Stages a recipe's test folder may decline, with the reason that everybody will read. */
const SKIPPABLE = ['upgrade', 'backup', 'recipe-tests'] as const;

const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable');
/** One line of an env file: it is written there as it is. */
const envValue = z.string().regex(/^[^\r\n]*$/, 'expected a single line');
const serviceName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'expected a service of the compose file');
const seconds = z.number().min(1).max(7200);
const reason = z.string().min(10, 'expected a reason, in words that a maintainer understands');

/** What `tests/<recipe>/recipe.ts` says besides its hooks. Every key has a default; an unknown one is refused. */
export const recipeSettings = z.strictObject({
  /** What the app must answer before any test is run. */
  health: z
    .strictObject({
      /** Path on the app, default `/`. */
      path: z.string().startsWith('/').default('/'),
      /** HTTP codes that mean healthy; default: every one below 500. */
      status: z.array(z.number().int().min(100).max(599)).min(1).optional(),
    })
    .prefault({}),
  /** Ports inside the stack that must accept connections, `connects` times in a row, before any test is run. */
  tcp: z
    .array(
      z.strictObject({
        service: serviceName,
        port: z.number().int().min(1).max(65_535),
        connects: z.number().int().min(1).max(100).default(3),
      }),
    )
    .default([]),
  /** Added to the app's env file in every deployment. */
  env: z.record(envName, envValue).default({}),
  /** Added wherever the commit under test is deployed, and not where the published version is. */
  envAfterUpgrade: z.record(envName, envValue).default({}),
  /** Values for secrets that abra does not generate (`generate=false`), by the secret's name in the compose file. */
  secrets: z.record(z.string().min(1), z.string().min(1)).default({}),
  /** Limits in seconds. */
  timeouts: z
    .strictObject({
      /** One deployment, until it is healthy; default: the runner's. */
      deploy: seconds.optional(),
      /** All test files of one stage together; default: the runner's. */
      tests: seconds.optional(),
      /** One hook. */
      hook: seconds.default(120),
    })
    .prefault({}),
  /** Stages that do not apply, each with the reason. */
  skip: z.partialRecord(z.enum(SKIPPABLE), reason).default({}),
});
/** The settings with their defaults, as the runner works with them. */
export type RecipeSettings = z.output<typeof recipeSettings>;
/** The settings as a test folder writes them. */
export type RecipeSettingsInput = z.input<typeof recipeSettings>;

/**
 * What a recipe's data is, done through the app's own interface. The runner calls them, each once a step:
 * `seed` puts data in, `verify` looks for exactly these and throws where they are not, `mutate` changes or deletes
 * them so that `verify` would fail.
 */
export const HOOKS = ['seed', 'verify', 'mutate'] as const;
export type HookName = (typeof HOOKS)[number];

/** The settings of a recipe without a `recipe.ts`. */
export const DEFAULT_SETTINGS: RecipeSettings = recipeSettings.parse({});
