import { z } from 'zod';
import { HttpStatusError } from '../errors.js';
import { call, type Docker, filters, get, labels } from './connection.js';
import { STACK_LABEL } from './services.js';

const container = z.object({ Id: z.string(), Names: z.array(z.string()), State: z.string(), Labels: labels });

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

/** Ids of the running containers of a service's tasks on this node. */
export async function listServiceContainers(docker: Docker, serviceId: string): Promise<string[]> {
  const found = await get(docker, '/containers/json', z.array(container), {
    filters: filters({ status: ['running'], label: [`com.docker.swarm.service.id=${serviceId}`] }),
  });
  return found.map((item) => item.Id);
}

/** The bit that Go's file modes have for folders. */
const FOLDER_BIT = 2 ** 31;

/** Whether a path in a container is a folder. Needs nothing in the container. */
export async function isFolderInContainer(docker: Docker, id: string, path: string): Promise<boolean> {
  const response = await call(docker, 'HEAD', `/containers/${id}/archive`, { query: { path } });
  await response.body.dump();
  if (response.statusCode === 404) return false;
  const header = response.headers['x-docker-container-path-stat'];
  if (response.statusCode !== 200 || typeof header !== 'string')
    throw new HttpStatusError(`Docker HEAD /containers/${id}/archive`, response.statusCode, path);
  const { mode } = z.object({ mode: z.number() }).parse(JSON.parse(Buffer.from(header, 'base64').toString()));
  return Math.floor(mode / FOLDER_BIT) % 2 === 1;
}
