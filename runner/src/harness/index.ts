import { CcCiError, connectDocker, listContainers, listServices, run } from '@cc-ci/core';
import { readAppFacts } from '../recipe-tests/app-file.js';
import { httpClient } from '../recipe-tests/http.js';
import type { HookName, RecipeSettingsInput } from '../recipe-tests/settings.js';

export { eventually } from '../eventually.js';
export type { HttpClient, HttpInit, HttpResponse } from '../recipe-tests/http.js';

const facts = readAppFacts();
const docker = connectDocker();
const EXEC_TIMEOUT_MS = 60_000;

/** A service of the app as Swarm sees it; `name` is the compose key. */
export interface AppService {
  name: string;
  image: string;
  running: number;
  desired: number;
}

/** The app under test. */
export const app = {
  /** `https://<domain>` */
  url: facts.url,
  domain: facts.domain,
  /** Docker's stack name; services are `<stack>_<service>`. */
  stack: facts.stack,
  recipe: facts.recipe,
  /** The app's env file. */
  env: facts.env,
  /** Values of the generated secrets, by the secret's name in the compose file. */
  secrets: facts.secrets,

  /**
   * Runs a program in the running container of a service (compose key), without a shell.
   * @throws CommandFailedError when it fails; CcCiError when the service has no running container
   */
  async exec(
    service: string,
    argv: readonly string[],
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const containers = await listContainers(docker, facts.stack);
    const found = containers.find(
      (it) => it.service === `${facts.stack}_${service}` && it.state === 'running',
    );
    if (!found) throw new CcCiError(`${service} has no running container`);
    return run('docker', ['exec', found.id, ...argv], { timeoutMs: EXEC_TIMEOUT_MS });
  },

  /** The log of a service so far, stdout and stderr. */
  async logs(service: string): Promise<string> {
    const { stdout, stderr } = await run(
      'docker',
      ['service', 'logs', '--raw', `${facts.stack}_${service}`],
      {
        timeoutMs: EXEC_TIMEOUT_MS,
      },
    );
    return stdout + stderr;
  },

  /** All services of the app. */
  async services(): Promise<AppService[]> {
    const services = await listServices(docker, facts.stack);
    return services.map((service) => ({
      name: service.Spec.Name.slice(facts.stack.length + 1),
      image: service.Spec.TaskTemplate.ContainerSpec.Image,
      running: service.ServiceStatus?.RunningTasks ?? 0,
      desired: service.ServiceStatus?.DesiredTasks ?? 0,
    }));
  },
};

/** HTTP to the app: `http.get('/')`. Trusts the edge's certificate; follows no redirects. */
export const http = httpClient(facts);

/** What `tests/<recipe>/recipe.ts` exports as its default: settings and hooks. */
export type RecipeDefinition = RecipeSettingsInput & { [K in HookName]?: () => void | Promise<void> };

/** Gives the definition back as it is; there for the editor's sake. */
export function defineRecipe(definition: RecipeDefinition): RecipeDefinition {
  return definition;
}
