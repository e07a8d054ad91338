import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core/errors';
import { z } from 'zod';

/** What a test may know of the app it tests. Written for test processes only, readable by this user only. */
export const appFacts = z.strictObject({
  recipe: z.string(),
  url: z.string(),
  domain: z.string(),
  stack: z.string(),
  env: z.record(z.string(), z.string()),
  /** Values by secret name (the compose key). */
  secrets: z.record(z.string(), z.string()),
  edge: z.strictObject({
    /** Connect here instead of asking DNS. */
    address: z.strictObject({ host: z.string(), port: z.number() }).optional(),
    /** PEM text of the authority to trust beside the public ones. */
    ca: z.string().optional(),
  }),
});
export type AppFacts = z.output<typeof appFacts>;

/** The variable that tells a test process where the facts are. */
export const APP_FILE_VARIABLE = 'CC_CI_APP_FILE';

export const appFile = (dir: string) => join(dir, 'app.json');

/** The app's facts were asked for where there is no app. */
export class NoAppError extends InputError {}

/**
 * The facts of the app under test, in a process that cc-ci started for tests or a hook.
 * @throws NoAppError anywhere else
 */
export function readAppFacts(): AppFacts {
  const path = process.env[APP_FILE_VARIABLE];
  if (!path) {
    throw new NoAppError('there is no app under test here', {
      hint: 'recipe tests are run by cc-ci: npx cc-ci run <recipe> --ref <commit> --src <url>',
    });
  }
  return appFacts.parse(JSON.parse(readFileSync(path, 'utf8')));
}
