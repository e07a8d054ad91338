import type { Docker, DockerService, RunOptions } from '@cc-ci/core';
import { CcCiError } from '@cc-ci/core/errors';
import { type AppFacts, readAppFacts } from '../recipe-tests/app-file.js';

const EXEC_TIMEOUT_MS = 60_000;

/** A service of the app as Swarm sees it. */
export interface AppService {
  /** Its key in the compose file. */
  name: string;
  /** As the deployed service names it, with its digest where it has one. */
  image: string;
  /** Tasks that run (and are healthy, where there is a health check), and that should. */
  running: number;
  desired: number;
}

/** How a program is run in a container. */
export interface ExecOptions {
  /** Given on stdin, which is closed after it. Default: no stdin. */
  input?: string | Uint8Array;
  /** Milliseconds it may take, default 60 s. The program itself may go on in the container. */
  timeoutMs?: number;
  /** User in the container, by name or number, as `docker exec --user`. Default: the container's. */
  user?: string;
}

/** What a program in a container answered. */
export interface ExecResult {
  /** Always 0: anything else is thrown. */
  exitCode: number;
  /** The last 4 MiB of each. */
  stdout: string;
  stderr: string;
}

/**
 * The app under test. Its facts are those of the deployment at hand, so use it inside tests and hooks: while a file is
 * being loaded there may be no app yet.
 */
export interface App {
  /** `https://<domain>`, without a slash at its end. */
  readonly url: string;
  /** The app's name in DNS. */
  readonly domain: string;
  /** Docker's stack name; its services are called `<stack>_<service>`. */
  readonly stack: string;
  readonly recipe: string;
  /** The app's env file: what the recipe's `.env.sample` says, `recipe.ts` adds, and cc-ci sets (`DOMAIN`). */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Values of the app's secrets, by their name in the compose file; the same through all stages of a run. They are
   * hidden wherever the run shows text.
   */
  readonly secrets: Readonly<Record<string, string>>;

  /**
   * Runs a program in the running container of a service, without a shell; the newest one, where an update has left
   * more than one. For a shell say so: `app.exec('app', ['sh', '-c', 'echo "$1" > /tmp/x', 'sh', text])`.
   * @param service its key in the compose file
   * @param argv the program and its arguments
   * @throws CommandFailedError when the exit code is not 0; its message has service, program and output
   * @throws CommandTimeoutError when it takes longer than `timeoutMs`
   * @throws CcCiError when there is no such service, or it has no running container
   */
  exec(service: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;

  /**
   * What a service has logged so far, stdout and stderr of all its containers.
   * @throws CcCiError when there is no such service
   */
  logs(service: string): Promise<string>;

  /** All services of the app. */
  services(): Promise<AppService[]>;
}

let known: AppFacts | undefined;
/** The facts, read when they are first asked for: loading a file needs no app. */
export function facts(): AppFacts {
  known ??= readAppFacts();
  return known;
}

// Most hooks and tests speak HTTP only. There are many of these processes, and loading what speaks to Docker is a good
// part of their time: it is loaded by whoever asks for it.
let connected: Docker | undefined;
async function docker() {
  const { connectDocker, listServices, listTasks } = await import('@cc-ci/core/docker');
  connected ??= connectDocker();
  const [client, { stack }] = [connected, facts()];
  return { services: () => listServices(client, stack), tasks: () => listTasks(client, stack) };
}

/** @param inWords what its errors call the command */
async function runDocker(args: readonly string[], options: RunOptions, inWords?: string) {
  const { run } = await import('@cc-ci/core/process');
  // A test file may have been loaded by require(), and all it imports with it: these are the classes that `run` has.
  const { CommandFailedError, CommandTimeoutError } = await import('@cc-ci/core/errors');
  try {
    return await run('docker', args, options);
  } catch (error) {
    if (inWords === undefined) throw error;
    if (error instanceof CommandTimeoutError)
      throw new CommandTimeoutError({ ...error.trace, command: inWords }, options.timeoutMs ?? 0);
    if (!(error instanceof CommandFailedError)) throw error;
    throw new CommandFailedError(
      { ...error.trace, command: inWords },
      error.exitCode,
      error.exitCode === undefined ? 'a signal' : undefined,
    );
  }
}

export const app: App = {
  get url() {
    return facts().url;
  },
  get domain() {
    return facts().domain;
  },
  get stack() {
    return facts().stack;
  },
  get recipe() {
    return facts().recipe;
  },
  get env() {
    return facts().env;
  },
  get secrets() {
    return facts().secrets;
  },

  async exec(service, argv, { input, timeoutMs = EXEC_TIMEOUT_MS, user } = {}) {
    const container = await runningContainer(await findService(service));
    const args = [
      'exec',
      ...(input === undefined ? [] : ['--interactive']),
      ...(user === undefined ? [] : ['--user', user]),
      container,
      ...argv,
    ];
    const { exitCode, stdout, stderr } = await runDocker(
      args,
      { timeoutMs, ...(input === undefined ? {} : { input }) },
      `${argv.join(' ')} (in service ${service})`,
    );
    return { exitCode, stdout, stderr };
  },

  async logs(service) {
    const { Spec } = await findService(service);
    const { stdout, stderr } = await runDocker(['service', 'logs', '--raw', Spec.Name], {
      timeoutMs: EXEC_TIMEOUT_MS,
    });
    return stdout + stderr;
  },

  async services() {
    const services = await (await docker()).services();
    return services.map((service) => ({
      name: shortName(service),
      image: service.Spec.TaskTemplate.ContainerSpec.Image,
      running: service.ServiceStatus?.RunningTasks ?? 0,
      desired: service.ServiceStatus?.DesiredTasks ?? 0,
    }));
  },
};

function shortName({ Spec }: DockerService): string {
  return Spec.Name.slice(facts().stack.length + 1);
}

async function findService(name: string): Promise<DockerService> {
  const services = await (await docker()).services();
  const found = services.find((service) => shortName(service) === name);
  if (found) return found;
  const names = services.map(shortName).sort().join(', ');
  throw new CcCiError(`the app has no service ${name}; it has ${names || 'none at all'}`);
}

/** Id of the container of a service's newest running task. */
async function runningContainer(service: DockerService): Promise<string> {
  const tasks = (await (await docker()).tasks()).filter((task) => task.ServiceID === service.ID);
  const running = tasks.find(
    ({ DesiredState, Status }) => DesiredState === 'running' && Status.State === 'running',
  );
  const container = running?.Status.ContainerStatus?.ContainerID;
  if (container) return container;
  const [newest] = tasks;
  const state = newest ? `its newest task is ${newest.Status.State}` : 'it has no task';
  const why = newest?.Status.Err ? ` (${newest.Status.Err})` : '';
  throw new CcCiError(`service ${shortName(service)} has no running container: ${state}${why}`);
}
