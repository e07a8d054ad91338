import { z } from 'zod';
import { HttpStatusError } from '../errors.js';
import { type Docker, filters, get, labels, post, remove } from './connection.js';

/** The label Docker puts on everything a stack brings. */
export const STACK_LABEL = 'com.docker.stack.namespace';

const service = z.object({
  ID: z.string(),
  CreatedAt: z.string(),
  UpdatedAt: z.string(),
  Spec: z.object({
    Name: z.string(),
    Labels: labels,
    // Whole, like the spec of a task below: whether they are equal says whether a task is up to date.
    TaskTemplate: z.looseObject({
      ContainerSpec: z.looseObject({
        Image: z.string(),
        Env: z.array(z.string()).nullish(),
        Secrets: z.array(z.looseObject({ SecretName: z.string() })).nullish(),
        Mounts: z.array(z.looseObject({ Type: z.string(), Target: z.string() })).nullish(),
      }),
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

export const removeService = (docker: Docker, id: string) => remove(docker, `/services/${id}`);

/** The service of a name, of any stack or none, with whatever else its schema asks for; undefined where there is none. */
export async function findService<S extends z.ZodType>(
  docker: Docker,
  name: string,
  schema: S,
): Promise<z.output<S> | undefined> {
  try {
    return await get(docker, servicePath(name), schema);
  } catch (error) {
    if (error instanceof HttpStatusError && error.status === 404) return undefined;
    throw error;
  }
}

/** Makes a service of an engine API's ServiceSpec. @throws HttpStatusError 409 when the name is taken */
export function createService(docker: Docker, spec: Readonly<Record<string, unknown>>): Promise<void> {
  return post(docker, '/services/create', spec);
}

const wholeService = z.object({
  Version: z.object({ Index: z.number() }),
  Spec: z.looseObject({ TaskTemplate: z.looseObject({ ContainerSpec: z.looseObject({}) }) }),
});
/** A service's spec, with all that is in it (engine API, ServiceSpec). */
export type ServiceSpec = z.output<typeof wholeService>['Spec'];

/**
 * Gives a service another spec, made of the one it has.
 * @throws HttpStatusError also when somebody else has changed the service meanwhile
 */
export async function updateService(
  docker: Docker,
  id: string,
  change: (spec: ServiceSpec) => ServiceSpec,
): Promise<void> {
  const { Version, Spec } = await get(docker, servicePath(id), wholeService);
  await post(docker, `${servicePath(id)}/update?version=${Version.Index}`, change(Spec));
}

const servicePath = (id: string) => `/services/${encodeURIComponent(id)}`;
