import { setTimeout as delay } from 'node:timers/promises';
import {
  type Docker,
  describeError,
  events,
  HttpStatusError,
  InputError,
  type Logger,
  listNetworks,
  listServicesByLabel,
  listServingContainers,
  listWantedTasks,
  networkAddresses,
} from '@cc-ci/core';
import type { Backend } from './routes.js';

/** A running watch over the swarm. */
export interface Watch {
  close(): Promise<void>;
}

/** Events after which the backends may be others; health checks' exec events are far too many to look at. */
const WATCHED = {
  type: ['container', 'service', 'network'],
  event: ['start', 'die', 'kill', 'health_status', 'create', 'update', 'remove', 'connect', 'disconnect'],
};
/** Even with no event: looked at again after this time. */
const SAFETY_REFRESH_MS = 30_000;
const RETRY_MS = 1_000;
/** The bridge that Docker attaches every task on a non-internal overlay to, for its way out. */
const GATEWAY_BRIDGE = 'docker_gwbridge';

/**
 * Keeps `onChange` informed of the services that want to be routed to, the first time before it resolves.
 * @throws InputError when the swarm or the network is missing
 */
export async function watchBackends(
  docker: Docker,
  network: string,
  onChange: (backends: Backend[]) => void,
  logger: Logger,
): Promise<Watch> {
  const stop = new AbortController();
  let last = '';
  const refresh = async () => {
    const backends = await readBackends(docker, network);
    const text = JSON.stringify(backends);
    if (text === last || stop.signal.aborted) return;
    last = text;
    onChange(backends);
  };
  let seenUntil = Date.now();
  await requireNetwork(docker, network);
  await refresh();

  // One refresh at a time; whatever happens during it asks for another.
  let wake = () => {};
  let dirty = false;
  const ring = () => {
    dirty = true;
    wake();
  };
  const listen = async () => {
    while (!stop.signal.aborted) {
      try {
        for await (const _ of events(docker, WATCHED, stop.signal, seenUntil)) {
          seenUntil = Date.now();
          ring();
        }
      } catch (error) {
        if (!stop.signal.aborted) logger.warn(`docker events: ${describeError(error)}`);
      }
      await pause(RETRY_MS, stop.signal);
      ring(); // an engine that was restarted remembers no events
    }
  };
  const follow = async () => {
    while (!stop.signal.aborted) {
      if (!dirty) {
        const timer = setTimeout(ring, SAFETY_REFRESH_MS);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        clearTimeout(timer);
      }
      if (stop.signal.aborted) return;
      dirty = false;
      try {
        await refresh();
      } catch (error) {
        logger.warn(`asking Docker for services: ${describeError(error)}`);
        await pause(RETRY_MS, stop.signal);
        dirty = true;
      }
    }
  };
  const loops = Promise.all([listen(), follow()]);
  return {
    async close() {
      stop.abort();
      wake();
      await loops;
    },
  };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => {});
}

/**
 * Addresses are those on docker_gwbridge: the host is no member of an overlay and cannot reach addresses there, but is
 * the gateway of that bridge, which every task on a non-internal overlay has an endpoint on. Docker lists the bridge's
 * endpoints by container id. Only tasks on `network` count, and, as for Traefik, only those the swarm wants running:
 * one that was told to stop leaves the table before its program does.
 */
async function readBackends(docker: Docker, network: string): Promise<Backend[]> {
  const [services, wanted, containers, addresses] = await Promise.all([
    listServicesByLabel(docker, 'traefik.enable=true'),
    listWantedTasks(docker),
    listServingContainers(docker, network),
    gatewayAddresses(docker),
  ]);
  return services
    .map((service) => ({
      service: service.Spec.Name,
      labels: service.Spec.Labels,
      addresses: containers
        .filter((container) => container.service === service.ID && wanted.has(container.task))
        .flatMap((container) => addresses.get(container.id) ?? [])
        .sort(),
    }))
    .sort((a, b) => a.service.localeCompare(b.service));
}

async function requireNetwork(docker: Docker, network: string): Promise<void> {
  const found = await listNetworks(docker, network);
  if (found.some(({ name }) => name === network)) return;
  throw new InputError(`the network ${network} is missing`, {
    hint: `docker network create --driver overlay ${network}, or run ./setup`,
  });
}

async function gatewayAddresses(docker: Docker): Promise<Map<string, string>> {
  try {
    return await networkAddresses(docker, GATEWAY_BRIDGE);
  } catch (error) {
    if (!(error instanceof HttpStatusError) || error.status !== 404) throw error;
    throw new InputError(`the network ${GATEWAY_BRIDGE} is missing: this engine is not in swarm mode`, {
      hint: 'docker swarm init --advertise-addr 127.0.0.1, or run ./setup',
      cause: error,
    });
  }
}
