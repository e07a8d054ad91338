import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import {
  type Docker,
  initSwarm,
  isLocalDocker,
  nodeAvailability,
  type SwarmState,
  swarmState,
} from '@cc-ci/core';
import { definePart, type Inspection, type Obstacle, type Part } from '../part.js';

/** Where Docker's own default lets a manager listen. */
const PORT = 2377;

/** How the engine and its host were found. */
export interface SwarmFound {
  swarm: SwarmState;
  /** Of the node; only a manager can tell. */
  availability?: string;
  /** Addresses others could reach this host at. */
  addresses: readonly string[];
}

export interface SwarmAction {
  listen: string;
  advertise: string;
}

export interface SwarmOptions {
  /** The address the swarm is begun with. */
  advertiseAddress?: string | undefined;
}

/** The engine as the only node of a swarm. A swarm that is there is never left, nor begun again. */
export function swarmPart(docker: Docker, { advertiseAddress }: SwarmOptions): Part {
  return definePart<SwarmAction>({
    name: 'swarm',
    needs: [],
    async inspect() {
      const swarm = await swarmState(docker);
      const isManager = swarm.LocalNodeState === 'active' && swarm.ControlAvailable;
      return inspectSwarm(
        {
          swarm,
          ...(isManager ? { availability: await nodeAvailability(docker, swarm.NodeID) } : {}),
          // Of an engine on another machine the addresses are not ours to know.
          addresses: isLocalDocker(docker) ? outerAddresses(networkInterfaces()) : [],
        },
        advertiseAddress,
      );
    },
    act: ({ listen, advertise }) => initSwarm(docker, listen, advertise),
  });
}

/** What must be done so that the engine is the one manager of a swarm of one. Pure. */
export function inspectSwarm(
  { swarm, availability, addresses }: SwarmFound,
  advertiseAddress: string | undefined,
): Inspection<SwarmAction> {
  if (swarm.LocalNodeState === 'inactive') return begin(addresses, advertiseAddress);
  const obstacle = obstacleOf(swarm, availability);
  if (obstacle) return { differences: [], obstacles: [obstacle], notes: [] };
  const elsewhere =
    advertiseAddress !== undefined && advertiseAddress !== swarm.NodeAddr
      ? `, not ${advertiseAddress} as the setting says: a swarm of one works with either`
      : '';
  return {
    differences: [],
    obstacles: [],
    notes: [`manager of a swarm of one at ${swarm.NodeAddr}${elsewhere}`],
  };
}

function obstacleOf(swarm: SwarmState, availability: string | undefined): Obstacle | undefined {
  const { LocalNodeState, ControlAvailable, Error: error, Nodes } = swarm;
  const obstacle = (missing: string, todo: string): Obstacle => ({ missing, whose: 'operator', todo });
  if (LocalNodeState === 'locked')
    return obstacle('the swarm is locked', 'give it its key: docker swarm unlock');
  if (LocalNodeState === 'pending')
    return obstacle('the engine is joining another swarm', 'let it end, or take it back: docker swarm leave');
  if (LocalNodeState !== 'active') {
    return obstacle(
      `the engine's swarm is in the state ${LocalNodeState}${error ? `: ${error}` : ''}`,
      'mend it, with the same data where its address has changed: docker swarm init --force-new-cluster --advertise-addr <address>',
    );
  }
  if (!ControlAvailable) {
    return obstacle(
      `the engine is a worker in somebody else's swarm${error ? ` (${error})` : ''}`,
      'use another machine, or, where that swarm can do without it: docker swarm leave',
    );
  }
  if (Nodes !== 1) {
    return obstacle(
      `the swarm has ${Nodes ?? 'an unknown number of'} nodes, and apps under test would be put on any of them`,
      'look at docker node ls; remove the others (docker node rm), or use another machine',
    );
  }
  if (availability !== 'active') {
    return obstacle(
      `the node takes no tasks (availability ${availability})`,
      `docker node update --availability active ${swarm.NodeID}`,
    );
  }
  return undefined;
}

function begin(addresses: readonly string[], advertiseAddress: string | undefined): Inspection<SwarmAction> {
  // A host without a network of its own still has itself.
  const [only = '127.0.0.1', ...others] = addresses;
  if (advertiseAddress === undefined && others.length > 0) {
    return {
      differences: [],
      obstacles: [
        {
          missing: `the address to begin the swarm with: this host has ${addresses.join(', ')}`,
          whose: 'operator',
          todo: 'set CC_CI_ADVERTISE_ADDRESS to one of them, or to 127.0.0.1 for a swarm that no other machine can join',
        },
      ],
      notes: [],
    };
  }
  const advertise = advertiseAddress ?? only;
  return {
    differences: [
      {
        found: 'the engine is in no swarm',
        plan: `begin one at ${advertise}`,
        action: { advertise, listen: listenAt(advertise) },
      },
    ],
    obstacles: [],
    notes: [],
  };
}

/** A swarm on loopback listens there only; any other may be behind an address that is not the host's own. */
function listenAt(advertise: string): string {
  if (advertise.includes(':')) return `[${advertise === '::1' ? '::1' : '::'}]:${PORT}`;
  return `${advertise.startsWith('127.') ? advertise : '0.0.0.0'}:${PORT}`;
}

/** Addresses of a host that others may reach: IPv4, and neither loopback nor Docker's own bridges. Pure. */
export function outerAddresses(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string[] {
  return Object.entries(interfaces)
    .filter(([name]) => !/^(docker|br-|veth|lo$)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
