import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

/** The file every recipe has. */
export const MAIN_COMPOSE_FILE = 'compose.yml';

const namedResources = z
  .record(z.string(), z.looseObject({ name: z.string().optional() }).nullable())
  .optional();

/** A compose file, as far as we look into it; everything else is Docker's to judge. */
const composeFile = z.looseObject({
  version: z.union([z.string(), z.number()]).optional(),
  services: z
    .record(
      z.string(),
      z.looseObject({
        image: z.string().optional(),
        ports: z.array(z.unknown()).optional(),
        deploy: z
          .looseObject({
            endpoint_mode: z.string().optional(),
            labels: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).optional(),
          })
          .nullish(),
      }),
    )
    .optional(),
  secrets: namedResources,
  configs: namedResources,
});
export type ComposeFile = z.output<typeof composeFile>;

/**
 * Reads one compose file.
 * @throws InputError with the file's own error: file, line, column and what is wrong there
 */
export function parseCompose(name: string, text: string): ComposeFile {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: lines, prettyErrors: true, merge: true });
  const [error] = document.errors;
  if (error) throw new InputError(`${name}: ${error.message.trim()}`);
  const parsed = composeFile.safeParse(readValues(name, document));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    `${name}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not a compose file'}`,
  );
}

/** Aliases and merge keys (`<<`) are resolved here, and not all that parse can be. */
function readValues(name: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Reads every compose file of a recipe, by name.
 * @throws InputError when the main one is missing, has no `app` service, or any cannot be parsed
 */
export async function readComposeFiles(recipeDir: string): Promise<Map<string, ComposeFile>> {
  const names = (await readdir(recipeDir)).filter((name) => /^compose(\..+)?\.ya?ml$/.test(name)).sort();
  if (!names.includes(MAIN_COMPOSE_FILE)) {
    throw new InputError(`the recipe has no ${MAIN_COMPOSE_FILE}`, {
      hint: 'every recipe needs one, with a service called app',
    });
  }
  const files = new Map<string, ComposeFile>();
  for (const name of names)
    files.set(name, parseCompose(name, await readFile(join(recipeDir, name), 'utf8')));
  if (!files.get(MAIN_COMPOSE_FILE)?.services?.app) {
    throw new InputError(`${MAIN_COMPOSE_FILE} has no service called "app"`, {
      hint: 'abra and Traefik expect the main service under that name',
    });
  }
  return files;
}

/** What `${VERSION}` variables may grow to; abra's convention is v1, v2 and so on. */
const VERSION_ROOM = 'v99'.length;

/**
 * Length of the longest `<name>_<version>` among the secrets and configs of these files: what follows the stack's
 * name and an underscore in Docker's names.
 */
export function longestNamePart(files: Iterable<ComposeFile>): number {
  let longest = 0;
  for (const { secrets, configs } of files) {
    for (const [key, resource] of [...Object.entries(secrets ?? {}), ...Object.entries(configs ?? {})]) {
      const part = (resource?.name ?? key)
        .replace(/^\$\{?STACK_NAME\}?_/, '')
        .replace(/\$\{[^}]*\}|\$[A-Za-z_]+/g, 'x'.repeat(VERSION_ROOM));
      longest = Math.max(longest, part.length);
    }
  }
  return longest;
}

/** The version label of the main service (abra contract 5.5), or undefined where it has none. */
export function versionLabel(file: ComposeFile | undefined): string | undefined {
  const labels = file?.services?.app?.deploy?.labels ?? [];
  const pairs = Array.isArray(labels)
    ? labels.map(
        (label) => [label.slice(0, label.indexOf('=')), label.slice(label.indexOf('=') + 1)] as const,
      )
    : Object.entries(labels).map(([name, value]) => [name, String(value)] as const);
  return pairs.find(([name]) => /^coop-cloud\..+\.version$/.test(name))?.[1];
}
