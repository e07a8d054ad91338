import { InputError, listContainers, type RunOptions, type RunResult } from '@cc-ci/core';
import type { App } from './app.js';
import type { Abra } from './context.js';
import { dockerClient, NO_TIMEOUT_MS } from './docker-client.js';

/** The id of a running container of one of the app's services. @throws InputError when there is none */
export async function containerOf(abra: Abra, app: Pick<App, 'stack'>, service: string): Promise<string> {
  const name = `${app.stack}_${service}`;
  const containers = await listContainers(abra.docker, app.stack);
  const found = containers.find((container) => container.service === name && container.state === 'running');
  if (!found) {
    throw new InputError(`no running container of ${name}`, {
      hint: "is the app deployed and up, and is that the service's name?",
    });
  }
  return found.id;
}

/**
 * Runs a command in a container, without a terminal, for as long as it takes.
 * @throws CcCiError when it ends with an exit code that is not accepted
 */
export function execIn(
  abra: Abra,
  container: string,
  command: readonly string[],
  options: RunOptions & { user?: string | undefined } = {},
): Promise<RunResult> {
  const { user, ...runOptions } = options;
  const args = ['exec', ...(user === undefined ? [] : ['--user', user]), container, ...command];
  return dockerClient(abra, args, { timeoutMs: NO_TIMEOUT_MS, ...runOptions });
}

/** The best shell a container has. */
export async function shellIn(abra: Abra, container: string): Promise<'bash' | 'sh'> {
  const any = Array.from({ length: 256 }, (_, code) => code);
  const { exitCode } = await execIn(abra, container, ['bash', '-c', 'true'], { okCodes: any });
  return exitCode === 0 ? 'bash' : 'sh';
}
