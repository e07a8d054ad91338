import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listContainers, networkAddresses } from '@cc-ci/core';
import { requireApp, type StageContext } from './context.js';
import { eventually } from './eventually.js';

/** Every container that is not cut off by an internal network has an address there that the host can reach. */
const GATEWAY_BRIDGE = 'docker_gwbridge';
const CONNECT_TIMEOUT_MS = 2_000;
/** At once they would all meet the same moment, and a port that comes and goes has good ones. In milliseconds. */
const BETWEEN_MS = 500;
const READY_TIMEOUT_MS = 60_000;

/**
 * Waits until a port of a service accepts connections several times in a row: a stable web server beside it says
 * nothing of a port that comes and goes.
 * @throws Error when that does not happen within a minute
 */
export async function acceptsConnections(
  context: StageContext,
  { service, port, connects }: { service: string; port: number; connects: number },
): Promise<void> {
  await eventually(
    async () => {
      const host = await addressOf(context, service);
      for (let count = 1; count <= connects; count++) {
        if (count > 1) await delay(BETWEEN_MS, undefined, { signal: context.signal });
        await connectOnce(host, port).catch((error: Error) => {
          throw new Error(
            `${service}:${port} did not accept connection ${count} of ${connects}: ${error.message}`,
          );
        });
      }
    },
    { timeoutMs: READY_TIMEOUT_MS, signal: context.signal },
  );
}

async function addressOf(context: StageContext, service: string): Promise<string> {
  const { stack } = requireApp(context);
  const containers = await listContainers(context.docker, stack);
  const running = containers.find((it) => it.service === `${stack}_${service}` && it.state === 'running');
  if (!running) throw new Error(`${service} has no running container`);
  const address = (await networkAddresses(context.docker, GATEWAY_BRIDGE)).get(running.id);
  if (!address)
    throw new Error(`${service} cannot be reached from the host: it is on internal networks only`);
  return address;
}

async function connectOnce(host: string, port: number): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
  } finally {
    socket.destroy();
  }
}
