import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { MAIN_COMPOSE_FILE } from '../compose.js';
import type { Located, ResourceKind } from './compose.js';
import { ENV_SAMPLE } from './env-sample.js';
import type { Combination, RecipeModel } from './model.js';
import type { Complaint } from './parser.js';

/**
 * What would stop a deployment and Docker's parser does not look at: compose files that are not there, resources that
 * no file declares, files that are missing or are not the recipe's own.
 */
export async function checkReferences(model: RecipeModel, combination: Combination): Promise<Complaint[]> {
  const { compose } = combination;
  const services = [...compose.services.values()];
  const undeclared = services.flatMap((service) => {
    const complaints = (kind: ResourceKind, used: readonly Located[]) =>
      used
        .filter(({ value }) => !compose[kind].has(value))
        .map(({ value, where }) => ({
          message: `service ${service.name} uses ${value}, which no file of this combination declares under ${kind}; declare it there`,
          where,
        }));
    const volumes = service.mounts.filter(({ type, source }) => type === 'volume' && source !== '');
    const networks = [...service.networks].map(([value, { where }]) => ({ value, where }));
    return [
      ...complaints(
        'volumes',
        volumes.map(({ source, where }) => ({ value: source, where })),
      ),
      // Docker makes a network "default" of its own.
      ...complaints(
        'networks',
        networks.filter(({ value }) => value !== 'default'),
      ),
      ...complaints('secrets', service.secrets),
      ...complaints('configs', service.configs),
    ];
  });
  return [
    ...missingComposeFiles(model, combination),
    ...undeclared,
    ...(await checkFiles(model, combination)),
  ];
}

function missingComposeFiles({ sources }: RecipeModel, { files, options }: Combination): Complaint[] {
  const line = options.at(-1)?.line;
  const where = line === undefined ? ENV_SAMPLE : `${ENV_SAMPLE}:${line}`;
  return files
    .filter((file) => !sources.has(file))
    .map((file) => ({
      where,
      message:
        file === ''
          ? `COMPOSE_FILE begins with nothing, because no line above sets it; add COMPOSE_FILE="${MAIN_COMPOSE_FILE}" before the lines that add to it`
          : `COMPOSE_FILE names ${file}, and the recipe has no compose file of that name; add it or take the line out`,
    }));
}

async function checkFiles({ dir }: RecipeModel, { compose }: Combination): Promise<Complaint[]> {
  const resources = [...compose.configs, ...compose.secrets].flatMap(([key, { file, external, where }]) =>
    file === undefined || external ? [] : [{ who: key, value: file, where }],
  );
  const envFiles = [...compose.services.values()].flatMap(({ name, envFiles }) =>
    envFiles.map((file) => ({ who: `service ${name}`, ...file })),
  );
  const found = await Promise.all(
    [...resources, ...envFiles].map(async ({ who, value, where }) => {
      const problem = await fileProblem(dir, value);
      return problem === undefined ? [] : [{ message: `${who} is read from ${value}, ${problem}`, where }];
    }),
  );
  return found.flat();
}

/** A file elsewhere on the machine that deploys would end up in the app: the recipe may only bring its own. */
async function fileProblem(dir: string, file: string): Promise<string | undefined> {
  const outside = 'which is not in the recipe; a recipe may only use files of its own';
  if (!isBelow(dir, resolve(dir, file))) return outside;
  try {
    const [root, real] = await Promise.all([realpath(dir), realpath(resolve(dir, file))]);
    return isBelow(root, real) ? undefined : outside;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return 'and there is no such file; add it';
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}
