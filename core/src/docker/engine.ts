import { z } from 'zod';
import { call, type Docker, filters, get, jsonLines, labels } from './connection.js';

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
  const query = { filters: filters(wanted), since: from };
  const response = await call(docker, 'GET', '/events', { query, signal });
  try {
    for await (const value of jsonLines(response.body)) yield event.parse(value);
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
