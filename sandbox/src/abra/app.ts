import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type EnvEntry, InputError, parseEnvFile, readFileIfAny, writeFileAtomic } from '@cc-ci/core';
import { type Abra, recipeFolder } from './context.js';
import { namesIn } from './folders.js';
import { requireRecipeName, syncRecipe, withoutDirtyMark } from './recipe.js';

/** The server that is this machine's own Swarm. */
export const LOCAL_SERVER = 'default';
/** abra cuts stack names here. */
const STACK_NAME_LIMIT = 45;

/** An app: one env file. */
export interface App {
  /** Name of the env file; by custom the app's domain. */
  name: string;
  server: string;
  envFile: string;
  recipe: string;
  /** The recipe's clone. */
  folder: string;
  /** The version that the env file pins. */
  pin: string | undefined;
  /** The env file, with the comments in which modifiers stand. */
  entries: ReadonlyMap<string, EnvEntry>;
  /** The env file's values and STACK_NAME. */
  env: Readonly<Record<string, string>>;
  stack: string;
}

/** An app's name may be whatever DNS allows; never a path. */
const APP_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** The path of an app's env file. @throws InputError when the name cannot be a domain */
export function envFileOf(abra: Abra, server: string, name: string): string {
  if (!APP_NAME.test(name)) throw new InputError(`"${name}" cannot be the domain of an app`);
  return join(abra.dir, 'servers', server, `${name}.env`);
}

/** The stack's name: the domain with dots as underscores, at most 45 characters; `STACK_NAME` overrides. */
export function stackName(name: string, env: Readonly<Record<string, string>>): string {
  return env.STACK_NAME || name.replaceAll('.', '_').slice(0, STACK_NAME_LIMIT);
}

/** The servers that are registered. */
export async function listServers(abra: Abra): Promise<string[]> {
  const folder = join(abra.dir, 'servers');
  const names = await namesIn(folder);
  // A server may be a symbolic link to a folder.
  const isFolder = await Promise.all(
    names.map(async (name) => (await stat(join(folder, name))).isDirectory()),
  );
  return names.filter((_, index) => isFolder[index]);
}

/** Every app there is. */
export async function listApps(abra: Abra): Promise<App[]> {
  const apps: App[] = [];
  for (const server of await listServers(abra)) {
    for (const file of await namesIn(join(abra.dir, 'servers', server))) {
      if (file.endsWith('.env')) apps.push(await readApp(abra, server, basename(file, '.env')));
    }
  }
  return apps;
}

/** Finds an app on the local server. @throws InputError when there is none, or it is on another server */
export async function loadApp(abra: Abra, name: string): Promise<App> {
  for (const server of await listServers(abra)) {
    if ((await readFileIfAny(envFileOf(abra, server, name))) === undefined) continue;
    if (server !== LOCAL_SERVER) {
      throw new InputError(
        `${name} is on server ${server}; this stand-in knows the server "${LOCAL_SERVER}" only`,
      );
    }
    return readApp(abra, server, name);
  }
  throw new InputError(`cannot find app with name ${name}`, { hint: 'abra app ls lists what there is' });
}

/** Finds an app and brings its recipe to what the app pins; with `chaos` the recipe stays as it lies there. */
export async function loadAppSynced(abra: Abra, name: string, chaos: boolean): Promise<App> {
  const app = await loadApp(abra, name);
  await syncRecipe(abra, app.recipe, { chaos, pin: app.pin });
  return app;
}

async function readApp(abra: Abra, server: string, name: string): Promise<App> {
  const envFile = envFileOf(abra, server, name);
  const entries = parseEnvFile(await readFile(envFile, 'utf8'));
  const values = Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
  const type = values.TYPE || values.RECIPE;
  if (!type) throw new InputError(`${envFile} does not say its recipe`, { hint: 'add TYPE=<recipe>' });
  const at = type.indexOf(':');
  const recipe = requireRecipeName(at < 0 ? type : type.slice(0, at));
  const stack = stackName(name, values);
  return {
    name,
    server,
    envFile,
    recipe,
    folder: recipeFolder(abra, recipe),
    pin: at < 0 ? undefined : withoutDirtyMark(type.slice(at + 1)),
    entries,
    env: { ...values, STACK_NAME: stack },
    stack,
  };
}

/** Writes the version into the env file's `TYPE=` or `RECIPE=` line; the rest stays as it is. */
export async function pinVersion(app: Pick<App, 'envFile' | 'recipe'>, version: string): Promise<void> {
  const text = await readFile(app.envFile, 'utf8');
  const line = /^(\s*(?:TYPE|RECIPE)\s*=).*$/gm;
  await writeFileAtomic(
    app.envFile,
    text.replace(line, (_, key: string) => `${key}${app.recipe}:${version}`),
  );
}
