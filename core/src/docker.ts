import { Agent, request } from 'undici';
import { z } from 'zod';
import { CcCiError, HttpStatusError, InputError, ToolMissingError } from './errors.js';
import { describeIssues } from './files.js';

/** A connection to a Docker engine's HTTP API. Paths carry no version: every engine answers with its own. */
export interface Docker {
  /** Base URL of requests. */
  origin: string;
  dispatcher: Agent;
}

/**
 * Connects to the engine that `DOCKER_HOST` names (unix:// or tcp://), by default the local socket.
 * Nothing is sent yet.
 */
export function connectDocker(host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'): Docker {
  const url = new URL(host);
  if (url.protocol === 'unix:') {
    // The event stream is silent for long times; calls that must not be are given their own deadline.
    return {
      origin: 'http://docker',
      dispatcher: new Agent({ connect: { socketPath: url.pathname }, bodyTimeout: 0 }),
    };
  }
  if (url.protocol === 'tcp:' || url.protocol === 'http:') {
    return { origin: `http://${url.host}`, dispatcher: new Agent({ bodyTimeout: 0 }) };
  }
  throw new InputError(`DOCKER_HOST=${host} is not supported`, {
    hint: 'use unix:///path or tcp://host:port',
  });
}

/** Closes the connection's sockets. */
export async function disconnectDocker(docker: Docker): Promise<void> {
  await docker.dispatcher.destroy();
}

const REQUEST_TIMEOUT_MS = 30_000;

type Query = Record<string, string | boolean | undefined>;

async function call(
  docker: Docker,
  method: 'GET' | 'DELETE',
  path: string,
  query: Query = {},
  signal?: AbortSignal,
) {
  const url = new URL(path, docker.origin);
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value));
  try {
    return await request(url, {
      method,
      dispatcher: docker.dispatcher,
      headersTimeout: REQUEST_TIMEOUT_MS,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES') {
      throw new ToolMissingError(`the Docker engine does not answer (${code})`, {
        hint:
          code === 'EACCES'
            ? 'add this user to the docker group'
            : 'start it: systemctl start docker, or ./setup',
        cause: error,
      });
    }
    throw error;
  }
}

async function get<S extends z.ZodType>(
  docker: Docker,
  path: string,
  schema: S,
  query?: Query,
): Promise<z.output<S>> {
  const response = await call(docker, 'GET', path, query);
  const text = await response.body.text();
  if (response.statusCode !== 200)
    throw new HttpStatusError(`Docker GET ${path}`, response.statusCode, messageOf(text));
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw new CcCiError(
      `Docker GET ${path} answered something unexpected: ${describeIssues(parsed.error).join('; ')}`,
    );
  }
  return parsed.data;
}

function messageOf(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    return text.slice(0, 500);
  }
}

const filters = (value: Record<string, string[]>) => JSON.stringify(value);

/** The label Docker puts on everything a stack brings. */
export const STACK_LABEL = 'com.docker.stack.namespace';

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

const service = z.object({
  ID: z.string(),
  CreatedAt: z.string(),
  UpdatedAt: z.string(),
  Spec: z.object({
    Name: z.string(),
    Labels: labels,
    // Whole, like the spec of a task below: whether they are equal says whether a task is up to date.
    TaskTemplate: z.looseObject({
      ContainerSpec: z.looseObject({ Image: z.string(), Env: z.array(z.string()).nullish() }),
      Networks: z.array(z.looseObject({ Target: z.string() })).nullish(),
    }),
    Mode: z.object({
      Replicated: z.object({ Replicas: z.number().optional() }).optional(),
      Global: z.object({}).optional(),
    }),
  }),
  UpdateStatus: z.object({ State: z.string().optional(), Message: z.string().optional() }).optional(),
  ServiceStatus: z.object({ RunningTasks: z.number(), DesiredTasks: z.number() }).optional(),
});
/** A swarm service, as far as we look at it. */
export type DockerService = z.output<typeof service>;

const task = z.object({
  ID: z.string(),
  ServiceID: z.string(),
  CreatedAt: z.string(),
  DesiredState: z.string(),
  Spec: z.looseObject({ ContainerSpec: z.looseObject({ Image: z.string() }).optional() }),
  Status: z.object({
    Timestamp: z.string(),
    State: z.string(),
    Message: z.string().optional(),
    Err: z.string().optional(),
    ContainerStatus: z
      .object({ ContainerID: z.string().optional(), ExitCode: z.number().optional() })
      .optional(),
  }),
  NetworksAttachments: z
    .array(
      z.object({
        Network: z.object({ ID: z.string(), Spec: z.object({ Name: z.string().optional() }) }),
        Addresses: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});
/** One task (one try to run a container) of a service. */
export type DockerTask = z.output<typeof task>;

const named = z.object({ ID: z.string(), Spec: z.object({ Name: z.string(), Labels: labels }) });
const volume = z.object({ Name: z.string(), Labels: labels });
const network = z.object({ Id: z.string(), Name: z.string(), Labels: labels });
const container = z.object({ Id: z.string(), Names: z.array(z.string()), State: z.string(), Labels: labels });

/** Services of one stack, or of all stacks, with their running and desired task counts. */
export function listServices(docker: Docker, stack?: string): Promise<DockerService[]> {
  const label = stack === undefined ? [STACK_LABEL] : [`${STACK_LABEL}=${stack}`];
  return get(docker, '/services', z.array(service), { status: true, filters: filters({ label }) });
}

/** Services that carry a label (`name` or `name=value`), of any stack or none. */
export function listServicesByLabel(docker: Docker, label: string): Promise<DockerService[]> {
  return get(docker, '/services', z.array(service), { filters: filters({ label: [label] }) });
}

/** Ids of all tasks that the swarm wants to be running now, of any service. */
export async function listWantedTasks(docker: Docker): Promise<Set<string>> {
  const tasks = await get(docker, '/tasks', z.array(z.object({ ID: z.string() })), {
    filters: filters({ 'desired-state': ['running'] }),
  });
  return new Set(tasks.map((item) => item.ID));
}

/** All tasks of a stack that the swarm still remembers, the newest first. */
export async function listTasks(docker: Docker, stack: string): Promise<DockerTask[]> {
  const tasks = await get(docker, '/tasks', z.array(task), {
    filters: filters({ label: [`${STACK_LABEL}=${stack}`] }),
  });
  return tasks.sort((a, b) => b.CreatedAt.localeCompare(a.CreatedAt));
}

/** Secrets whose name begins with `prefix`, as id and name (abra puts no stack label on the ones it makes). */
export async function listSecrets(docker: Docker, prefix: string): Promise<{ id: string; name: string }[]> {
  return byPrefix(await get(docker, '/secrets', z.array(named)), prefix);
}

/** Configs whose name begins with `prefix`, as id and name. */
export async function listConfigs(docker: Docker, prefix: string): Promise<{ id: string; name: string }[]> {
  return byPrefix(await get(docker, '/configs', z.array(named)), prefix);
}

function byPrefix(found: z.output<typeof named>[], prefix: string) {
  return found
    .filter((item) => item.Spec.Name.startsWith(prefix))
    .map((item) => ({ id: item.ID, name: item.Spec.Name }));
}

/** Names of the volumes whose name begins with `prefix`. */
export async function listVolumes(docker: Docker, prefix: string): Promise<string[]> {
  const answer = await get(docker, '/volumes', z.object({ Volumes: z.array(volume).nullish() }));
  return (answer.Volumes ?? []).map((item) => item.Name).filter((name) => name.startsWith(prefix));
}

/** Networks whose name begins with `prefix`, as id and name. */
export async function listNetworks(docker: Docker, prefix: string): Promise<{ id: string; name: string }[]> {
  const found = await get(docker, '/networks', z.array(network));
  return found
    .filter((item) => item.Name.startsWith(prefix))
    .map((item) => ({ id: item.Id, name: item.Name }));
}

/** Containers of a stack, running or not. `service` is the full swarm service name (`<stack>_<service>`). */
export async function listContainers(
  docker: Docker,
  stack: string,
): Promise<{ id: string; state: string; service: string }[]> {
  const found = await get(docker, '/containers/json', z.array(container), {
    all: true,
    filters: filters({ label: [`${STACK_LABEL}=${stack}`] }),
  });
  return found.map((item) => ({
    id: item.Id,
    state: item.State,
    service: item.Labels['com.docker.swarm.service.name'] ?? '',
  }));
}

/**
 * Containers of swarm tasks on a network that run and are healthy, or have no health check, with the ids of their task
 * and service.
 */
export async function listServingContainers(
  docker: Docker,
  networkName: string,
): Promise<{ id: string; task: string; service: string }[]> {
  const found = await get(docker, '/containers/json', z.array(container), {
    filters: filters({
      status: ['running'],
      health: ['healthy', 'none'],
      network: [networkName],
      label: ['com.docker.swarm.task.id'],
    }),
  });
  return found.map((item) => ({
    id: item.Id,
    task: item.Labels['com.docker.swarm.task.id'] ?? '',
    service: item.Labels['com.docker.swarm.service.id'] ?? '',
  }));
}

const networkDetails = z.object({
  Containers: z
    .record(z.string(), z.object({ IPv4Address: z.string() }))
    .nullish()
    .transform((value) => value ?? {}),
});

/**
 * IPv4 addresses on a network of this host's containers, by container id.
 * @throws HttpStatusError 404 when there is no such network
 */
export async function networkAddresses(docker: Docker, networkName: string): Promise<Map<string, string>> {
  const found = await get(docker, `/networks/${encodeURIComponent(networkName)}`, networkDetails);
  return new Map(
    Object.entries(found.Containers).map(([id, { IPv4Address }]) => [id, IPv4Address.replace(/\/.*$/, '')]),
  );
}

const containerHealth = z.object({
  State: z.object({
    Health: z
      .object({
        Status: z.string(),
        Log: z.array(z.object({ ExitCode: z.number(), Output: z.string() })).nullish(),
      })
      .nullish(),
  }),
});

/** A container's health check: its state and the last outputs, or undefined where it has none. */
export async function containerHealthOf(docker: Docker, id: string) {
  return (await get(docker, `/containers/${id}/json`, containerHealth)).State.Health ?? undefined;
}

/** Deletes something by path; gone already is fine. @throws HttpStatusError for any other refusal (409: in use) */
async function remove(docker: Docker, path: string): Promise<void> {
  const response = await call(docker, 'DELETE', path);
  const text = await response.body.text();
  if (response.statusCode >= 300 && response.statusCode !== 404) {
    throw new HttpStatusError(`Docker DELETE ${path}`, response.statusCode, messageOf(text));
  }
}

export const removeService = (docker: Docker, id: string) => remove(docker, `/services/${id}`);
export const removeSecret = (docker: Docker, id: string) => remove(docker, `/secrets/${id}`);
export const removeConfig = (docker: Docker, id: string) => remove(docker, `/configs/${id}`);
export const removeNetwork = (docker: Docker, id: string) => remove(docker, `/networks/${id}`);
export const removeVolume = (docker: Docker, name: string) =>
  remove(docker, `/volumes/${encodeURIComponent(name)}`);

const event = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string().optional(), Attributes: labels }),
});
/** Something that happened in the engine. */
export type DockerEvent = z.output<typeof event>;

/**
 * The engine's events as they happen, until `signal` is aborted.
 * Subscribed once the first `next()` has been called; of events before that, those since `since` (a time in
 * milliseconds) are given where the engine still has them (it keeps the last 256).
 */
export async function* events(
  docker: Docker,
  wanted: Record<string, string[]>,
  signal: AbortSignal,
  since?: number,
): AsyncGenerator<DockerEvent> {
  const from = since === undefined ? undefined : (since / 1000).toFixed(3);
  const response = await call(docker, 'GET', '/events', { filters: filters(wanted), since: from }, signal);
  let partial = '';
  try {
    for await (const chunk of response.body.setEncoding('utf8')) {
      const lines = (partial + chunk).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) if (line.trim()) yield event.parse(JSON.parse(line));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const info = z.object({
  ServerVersion: z.string(),
  DockerRootDir: z.string(),
  Swarm: z.object({ LocalNodeState: z.string(), ControlAvailable: z.boolean() }),
});

/** Facts about the engine: version, where it stores data, whether it is a swarm manager. */
export const dockerInfo = (docker: Docker) => get(docker, '/info', info);
