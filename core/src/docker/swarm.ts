import { z } from 'zod';
import { type Docker, get, post } from './connection.js';

const swarm = z.object({
  NodeID: z.string(),
  NodeAddr: z.string(),
  // inactive, pending (it joins), active, locked (wants its key after a restart), error
  LocalNodeState: z.string(),
  ControlAvailable: z.boolean(),
  Error: z.string().default(''),
  // Only a manager knows how many there are.
  Nodes: z.number().optional(),
});
/** The engine's part in a swarm, if it has one. */
export type SwarmState = z.output<typeof swarm>;

/** Whether the engine is in a swarm, and what it is there. */
export async function swarmState(docker: Docker): Promise<SwarmState> {
  return (await get(docker, '/info', z.object({ Swarm: swarm }))).Swarm;
}

const node = z.object({ Spec: z.object({ Availability: z.string() }) });

/** Whether a node takes tasks: active, pause or drain. @throws HttpStatusError where the engine is no manager */
export async function nodeAvailability(docker: Docker, nodeId: string): Promise<string> {
  return (await get(docker, `/nodes/${encodeURIComponent(nodeId)}`, node)).Spec.Availability;
}

/**
 * Begins a swarm with this engine as its only manager.
 * @param listen address and port to be reached at by others of the swarm
 * @param advertise the address told to them
 * @throws HttpStatusError 503 when the engine is in a swarm already
 */
export function initSwarm(docker: Docker, listen: string, advertise: string): Promise<void> {
  return post(docker, '/swarm/init', { ListenAddr: listen, AdvertiseAddr: advertise });
}
