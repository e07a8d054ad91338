import { type HttpClient, httpClient } from '../recipe-tests/http.js';
import type { RecipeSettingsInput } from '../recipe-tests/settings.js';
import { facts } from './app.js';

export { eventually } from '../eventually.js';
export type { HttpClient, HttpInit, HttpResponse } from '../recipe-tests/http.js';
export { type App, type AppService, app, type ExecOptions, type ExecResult } from './app.js';

let client: HttpClient | undefined;
function connected(): HttpClient {
  client ??= httpClient(facts());
  return client;
}

/**
 * HTTP to the app: `http.get('/')`. Trusts the edge's certificate, which must be valid for the app's name; follows no
 * redirects; throws only when there is no answer, so look at `status`.
 */
export const http: HttpClient = {
  get: (path, init) => connected().get(path, init),
  request: (method, path, init) => connected().request(method, path, init),
  async close() {
    await client?.close();
    client = undefined;
  },
};

/** What `tests/<recipe>/recipe.ts` exports as its default: settings and hooks. Every part may be left out. */
export type RecipeDefinition = RecipeSettingsInput & RecipeHooks;

/**
 * What a recipe's data is, done through the app's own interface. cc-ci calls these, each in a process of its own, so
 * nothing can be handed from one to the other but through the app.
 */
export interface RecipeHooks {
  /** Puts data into the app. Called once for what was deployed from nothing: the commit under test, or the published version. */
  seed?: () => void | Promise<void>;
  /** Looks for exactly what `seed` put in, and throws when anything is missing or changed. Changes nothing itself. */
  verify?: () => void | Promise<void>;
  /** Changes or deletes what `seed` put in, so that `verify` throws. */
  mutate?: () => void | Promise<void>;
}

/** Gives the definition back as it is; there for the editor's sake. */
export function defineRecipe(definition: RecipeDefinition): RecipeDefinition {
  return definition;
}
