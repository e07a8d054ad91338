import { setTimeout as delay } from 'node:timers/promises';
import {
  type Docker,
  describeError,
  HttpStatusError,
  listConfigs,
  listContainers,
  listNetworks,
  listSecrets,
  listServices,
  listTasks,
  listVolumes,
  removeConfig,
  removeNetwork,
  removeSecret,
  removeService,
  removeVolume,
} from '@cc-ci/core';

/** One thing of an app that is still there, and how to remove it; tasks and containers go with their service. */
interface Leftover {
  kind: 'service' | 'task' | 'container' | 'network' | 'volume' | 'secret' | 'config';
  name: string;
  remove: (() => Promise<void>) | undefined;
}

/** Task states that a node does nothing about any more. */
const ENDED = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned']);

/**
 * Everything the node still holds of an app. Secrets that abra made carry no stack label, so it goes by name:
 * `<stack>_`, which no other app can have, since the stack's name holds the run id.
 */
export async function leftoversOf(docker: Docker, stack: string): Promise<Leftover[]> {
  const prefix = `${stack}_`;
  const [services, tasks, containers, networks, volumes, secrets, configs] = await Promise.all([
    listServices(docker, stack),
    listTasks(docker, stack),
    listContainers(docker, stack),
    listNetworks(docker, prefix),
    listVolumes(docker, prefix),
    listSecrets(docker, prefix),
    listConfigs(docker, prefix),
  ]);
  return [
    ...services.map(({ ID, Spec }) => leftover('service', Spec.Name, () => removeService(docker, ID))),
    // Of a service that is gone already: the node may be about to make its container, and with that its volumes.
    ...tasks
      .filter(({ Status }) => !ENDED.has(Status.State))
      .map(({ ID, Status }) => leftover('task', `${ID.slice(0, 12)} (${Status.State})`, undefined)),
    ...containers.map(({ id, service }) => leftover('container', `${service} ${id.slice(0, 12)}`, undefined)),
    ...networks.map(({ id, name }) => leftover('network', name, () => removeNetwork(docker, id))),
    ...volumes.map((name) => leftover('volume', name, () => removeVolume(docker, name))),
    ...secrets.map(({ id, name }) => leftover('secret', name, () => removeSecret(docker, id))),
    ...configs.map(({ id, name }) => leftover('config', name, () => removeConfig(docker, id))),
  ];
}

function leftover(kind: Leftover['kind'], name: string, remove: Leftover['remove']): Leftover {
  return { kind, name, remove };
}

export type LeftoverKind = Leftover['kind'];

/** Swarm lets go of networks and volumes some time after their tasks have ended; nothing tells when. */
const LOOK_AGAIN_MS = 200;

/**
 * Removes an app from the node whole: services, containers, networks, volumes, secrets, configs; waits until they
 * are gone. Twice is the same as once.
 * @param options.keep kinds to leave alone
 * @returns what was found, as "kind name"
 * @throws Error naming what is still there after `timeoutMs`
 */
export async function removeApp(
  docker: Docker,
  stack: string,
  timeoutMs: number,
  options: { keep?: readonly LeftoverKind[] } = {},
): Promise<string[]> {
  const found = new Set<string>();
  const deadline = performance.now() + timeoutMs;
  let refusal = '';
  for (;;) {
    const left = (await leftoversOf(docker, stack)).filter(({ kind }) => !options.keep?.includes(kind));
    if (left.length === 0) return [...found];
    for (const item of left) {
      found.add(`${item.kind} ${item.name}`);
      refusal = (await tryRemove(item)) ?? refusal;
    }
    if (performance.now() >= deadline) {
      const names = left.map((item) => `${item.kind} ${item.name}`).join(', ');
      throw new Error(
        `still on the node after ${timeoutMs / 1000} s: ${names}${refusal ? ` (${refusal})` : ''}`,
      );
    }
    await delay(LOOK_AGAIN_MS);
  }
}

/** A refusal (409, for networks also 403 and 500) is an answer: what is in use now is free once its tasks are gone. */
async function tryRemove(item: Leftover): Promise<string | undefined> {
  try {
    await item.remove?.();
    return undefined;
  } catch (error) {
    if (error instanceof HttpStatusError) return describeError(error);
    throw error;
  }
}
