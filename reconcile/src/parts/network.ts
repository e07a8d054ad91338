import { setTimeout as delay } from 'node:timers/promises';
import {
  createOverlayNetwork,
  type Docker,
  type DockerNetwork,
  networksNamed,
  networkUsers,
  removeNetwork,
} from '@cc-ci/core';
import { definePart, type Inspection, type Part } from '../part.js';

/** The network that every recipe expects, as the traefik recipe and abra's documents name it. */
export const PROXY_NETWORK = 'proxy';

/** A network of the wanted name, and what uses it. */
export interface NetworkFound {
  network: DockerNetwork;
  users: readonly string[];
}

export type NetworkAction = { kind: 'remove'; id: string } | { kind: 'create' };

/** The overlay network that apps and Traefik meet on. */
export function networkPart(docker: Docker, name = PROXY_NETWORK): Part {
  return definePart<NetworkAction>({
    name: 'network',
    needs: ['swarm'],
    async inspect() {
      const networks = await settledNetworks(docker, name);
      const found: NetworkFound[] = [];
      for (const network of networks) found.push({ network, users: await networkUsers(docker, network) });
      return inspectNetworks(name, found);
    },
    act: (action) =>
      action.kind === 'remove' ? removeNetwork(docker, action.id) : createOverlayNetwork(docker, name),
  });
}

/** How long a swarm may take to find a driver and addresses for a new network, and how often we look; milliseconds. */
const SETTLE_TIMEOUT_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/** The networks of a name once the swarm has made up its mind about each, or has had time enough. */
async function settledNetworks(docker: Docker, name: string): Promise<DockerNetwork[]> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const networks = await networksNamed(docker, name);
    // No event of the engine tells when.
    if (networks.every(({ Driver }) => Driver !== '') || performance.now() > deadline) return networks;
    await delay(LOOK_AGAIN_MS);
  }
}

/**
 * What must be done so that there is exactly one network of this name, and it is right. One that is used is never
 * touched. Pure.
 */
export function inspectNetworks(name: string, found: readonly NetworkFound[]): Inspection<NetworkAction> {
  const right = found.filter(({ network }) => faultsOf(network).length === 0);
  const wrong = found.filter(({ network }) => faultsOf(network).length > 0);
  // A swarm has one of a name only; were there several, the one in use stays.
  const [keep] = [...right].sort((a, b) => b.users.length - a.users.length);
  const surplus = [...wrong, ...right.filter((one) => one !== keep)];
  const removals = surplus.map(({ network, users }) => ({
    users,
    found: `a network ${name} (${network.Id.slice(0, 12)}) ${faultsOf(network).join(', ') || 'is there twice'}`,
    plan: 'remove it, nothing uses it',
    action: { kind: 'remove', id: network.Id } as const,
  }));
  return {
    differences: [
      ...removals.filter(({ users }) => users.length === 0).map(({ users: _, ...difference }) => difference),
      ...(keep
        ? []
        : [
            {
              found: `there is no overlay network ${name}`,
              plan: 'make it',
              action: { kind: 'create' } as const,
            },
          ]),
    ],
    obstacles: removals
      .filter(({ users }) => users.length > 0)
      .map(({ found: what, users, action }) => ({
        missing: `${what}, and is used by ${users.join(', ')}`,
        whose: 'operator',
        todo: `move them off it or remove them, then: docker network rm ${action.id}`,
      })),
    notes: keep ? [`overlay network ${name}`] : [],
  };
}

/**
 * What is wrong with a network. Whether containers outside the swarm may join (attachable), encryption and IPv6 are the
 * operator's choice: recipes work with either.
 */
function faultsOf({ Driver, Scope, Internal, Ingress, ConfigOnly }: DockerNetwork): string[] {
  if (Driver === '') return ['was given neither driver nor addresses by the swarm (has it any subnet left?)'];
  return [
    ...(Driver === 'overlay' ? [] : [`has the driver ${Driver} instead of overlay`]),
    ...(Driver === 'overlay' && Scope !== 'swarm' ? [`has the scope ${Scope} instead of swarm`] : []),
    ...(Internal ? ['is internal, so that apps on it cannot reach the outside'] : []),
    ...(Ingress ? ["is the swarm's ingress network"] : []),
    ...(ConfigOnly ? ['is only a template for others'] : []),
  ];
}
