import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, listContainers, listServices, STACK_LABEL } from '@cc-ci/core';
import type { Abra } from './context.js';
import { dockerClient } from './docker-client.js';

const UNDEPLOY_TIMEOUT_MS = 120_000;
/** Nothing tells when Swarm has let go of a network. */
const POLL_MS = 250;

/**
 * Removes a stack and waits until its services, containers and networks are gone. Volumes stay, and so do secrets
 * that were made for it beforehand.
 * @throws CcCiError naming what is still there after two minutes
 */
export async function removeStack(abra: Abra, stack: string): Promise<void> {
  await dockerClient(abra, ['stack', 'rm', stack], { timeoutMs: UNDEPLOY_TIMEOUT_MS });
  const deadline = performance.now() + UNDEPLOY_TIMEOUT_MS;
  for (;;) {
    const left = await leftovers(abra, stack);
    if (left.length === 0) return;
    if (performance.now() >= deadline) {
      throw new CcCiError(`${stack} is not gone after ${UNDEPLOY_TIMEOUT_MS / 1000} s: ${left.join(', ')}`);
    }
    await delay(POLL_MS, undefined, { signal: abra.signal });
  }
}

async function leftovers(abra: Abra, stack: string): Promise<string[]> {
  const filter = ['--filter', `label=${STACK_LABEL}=${stack}`, '--format', '{{.Name}}'];
  const [services, containers, networks] = await Promise.all([
    listServices(abra.docker, stack),
    listContainers(abra.docker, stack),
    dockerClient(abra, ['network', 'ls', ...filter]),
  ]);
  return [
    ...services.map(({ Spec }) => `service ${Spec.Name}`),
    ...containers.map(({ id, service }) => `container ${id.slice(0, 12)} of ${service}`),
    ...networks.stdout
      .split('\n')
      .filter(Boolean)
      .map((name) => `network ${name}`),
  ];
}
