import { MAIN_COMPOSE_FILE } from '../compose.js';
import type { Located, ResourceKind } from './compose.js';
import { ENV_SAMPLE } from './env-sample.js';
import type { Combination, RecipeModel } from './model.js';
import { fileProblem } from './own-files.js';
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
  return files
    .filter((file) => !sources.has(file))
    .map((file) => {
      const option = file === '' ? options[0] : options.find((candidate) => candidate.files.includes(file));
      const message =
        file === ''
          ? `COMPOSE_FILE begins with nothing, because no line above sets it; add COMPOSE_FILE="${MAIN_COMPOSE_FILE}" before the lines that add to it`
          : `COMPOSE_FILE names ${file}, and the recipe has no such file; add it or take the line out`;
      return { message, where: option ? `${ENV_SAMPLE}:${option.line}` : ENV_SAMPLE };
    });
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
