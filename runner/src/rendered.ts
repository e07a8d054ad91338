import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { envValues, InputError, interpolate, readAbraSh } from '@cc-ci/core';
import { type ComposeFile, MAIN_COMPOSE_FILE, parseCompose } from './compose.js';
import { appEnvFile, recipeFolder, requireApp, type StageContext } from './context.js';
import { StageFailure } from './failure.js';
import { OVERLAY_FILE } from './overlay.js';

/** What the app's env file and the compose files in the tree ask for, before Docker has seen them. */
export interface RenderedApp {
  /** `COMPOSE_FILE` as the env file has it; empty when it does not. */
  listed: string;
  /** The recipe's own compose files that will be deployed, in order. */
  names: string[];
  files: ComposeFile[];
  /** The image of each service, variables replaced. */
  images: Map<string, string>;
  /** Docker's name of each secret, by its key. */
  secrets: Map<string, string>;
  /** What the compose files' variables stand for: the env file, the recipe's abra.sh, the stack's name. */
  values: Record<string, string>;
}

/**
 * Reads the compose files that the app's env file lists, from the tree as it is checked out now.
 * @throws StageFailure blaming the recipe when one is missing, cannot be parsed, or asks for a variable nobody sets
 */
export async function renderApp(context: StageContext): Promise<RenderedApp> {
  const env = envValues(await readFile(appEnvFile(context), 'utf8'));
  try {
    return await renderRecipe(recipeFolder(context), env, requireApp(context).stack);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new StageFailure('recipe', error.message, [], error);
  }
}

/**
 * Reads the compose files that these values of an env file list, from a recipe's tree.
 * @throws InputError when one is missing, cannot be parsed, or asks for a variable nobody sets
 */
export async function renderRecipe(
  dir: string,
  env: Readonly<Record<string, string>>,
  stack: string,
): Promise<RenderedApp> {
  const names = (env.COMPOSE_FILE || MAIN_COMPOSE_FILE)
    .split(':')
    .filter((name) => name && name !== OVERLAY_FILE);
  const files = await Promise.all(names.map((name) => readComposeFile(dir, name)));
  const values = { ...env, ...(await readAbraSh(dir)).exports, STACK_NAME: stack };
  return { listed: env.COMPOSE_FILE ?? '', names, files, values, ...resources(files, values) };
}

async function readComposeFile(dir: string, name: string): Promise<ComposeFile> {
  try {
    return parseCompose(name, await readFile(join(dir, name), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InputError(`COMPOSE_FILE names ${name}, which this version of the recipe does not have`);
  }
}

function resources(files: readonly ComposeFile[], values: Record<string, string>) {
  const images = new Map<string, string>();
  const secrets = new Map<string, string>();
  for (const file of files) {
    for (const [name, { image }] of Object.entries(file.services ?? {})) {
      images.set(name, image === undefined ? (images.get(name) ?? '') : interpolate(image, values));
    }
    for (const [key, secret] of Object.entries(file.secrets ?? {})) {
      secrets.set(key, interpolate(secret?.name ?? key, values));
    }
  }
  return { images, secrets };
}
