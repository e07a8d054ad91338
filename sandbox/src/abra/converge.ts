import { setTimeout as delay } from 'node:timers/promises';
import {
  CcCiError,
  type DockerService,
  type DockerTask,
  isUpToDate,
  listServices,
  listTasks,
} from '@cc-ci/core';
import type { Abra } from './context.js';

/**
 * What the state of a stack means. `counted`: as many tasks run as should, but some are not of the service's present
 * spec. That is how it looks before Swarm begins an update; or for good, where a change asks for no new task.
 */
export type Assessment = 'converged' | 'counted' | 'waiting' | 'failed';

const UPDATING = new Set(['updating', 'rollback_started']);
/** Swarm gave the update up: it stopped in the middle, or went back. */
const GIVEN_UP = new Set(['paused', 'rollback_paused', 'rollback_completed']);

/**
 * What abra makes of services: an update that Swarm gave up is a failure, everything else that is not N of N yet is
 * waited for, crash loops included. (A task with a health check counts as running only once that passes.)
 */
export function assess(services: readonly DockerService[], tasks: readonly DockerTask[]): Assessment {
  const updates = services.map((service) => service.UpdateStatus?.State ?? '');
  if (updates.some((state) => GIVEN_UP.has(state))) return 'failed';
  if (services.length === 0 || updates.some((state) => UPDATING.has(state))) return 'waiting';
  if (!services.every(isCounted)) return 'waiting';
  return services.every((service) => isCurrent(service, tasks)) ? 'converged' : 'counted';
}

function isCounted({ Spec, ServiceStatus }: DockerService): boolean {
  const { RunningTasks: running = 0, DesiredTasks: desired = 0 } = ServiceStatus ?? {};
  return running >= desired && (desired > 0 || Spec.Mode.Replicated?.Replicas === 0);
}

function isCurrent(service: DockerService, tasks: readonly DockerTask[]): boolean {
  const current = tasks.filter(
    (task) =>
      task.ServiceID === service.ID &&
      task.DesiredState === 'running' &&
      task.Status.State === 'running' &&
      isUpToDate(task, service),
  );
  return current.length >= (service.ServiceStatus?.DesiredTasks ?? 0);
}

const POLL_MS = 500;
/** How long a state must last until it is believed, in milliseconds. */
const SETTLE_MS = { converged: 1_500, counted: 10_000 };

/**
 * Waits until these services of a stack are up and have stayed up.
 * @param names as Docker has them; the stack may hold others, which an earlier version left behind
 * @throws CcCiError `deploy failed` or `deploy timed out`, after each service that is not up was named on the log;
 *   the stack stays as it is
 */
export async function waitConverged(
  abra: Abra,
  stack: string,
  names: readonly string[],
  timeoutSeconds: number,
): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  let last: { state: Assessment; since: number } | undefined;
  for (;;) {
    const all = await listServices(abra.docker, stack);
    const services = all.filter(({ Spec }) => names.includes(Spec.Name));
    const tasks = await listTasks(abra.docker, stack);
    const state = services.length < names.length ? 'waiting' : assess(services, tasks);
    const now = performance.now();
    if (last?.state !== state) last = { state, since: now };
    if (state === 'converged' || state === 'counted') {
      if (now - last.since >= SETTLE_MS[state]) return;
    }
    if (state === 'failed' || now >= deadline) {
      for (const line of explain(services, tasks)) abra.log.error(line);
      throw new CcCiError(state === 'failed' ? 'deploy failed' : 'deploy timed out');
    }
    await delay(POLL_MS, undefined, { signal: abra.signal });
  }
}

/** One line for each service that is not up: how many tasks run, what became of the update, the newest task's error. */
export function explain(services: readonly DockerService[], tasks: readonly DockerTask[]): string[] {
  return services
    .filter((service) => assess([service], tasks) !== 'converged')
    .map(({ ID, Spec, ServiceStatus, UpdateStatus }) => {
      const counts = `${ServiceStatus?.RunningTasks ?? 0}/${ServiceStatus?.DesiredTasks ?? 0}`;
      const failed = tasks.find((task) => task.ServiceID === ID && task.Status.Err);
      const reasons = [UpdateStatus?.Message, failed?.Status.Err].filter(Boolean).join('; ');
      return `${Spec.Name} ${counts}${reasons ? `: ${reasons}` : ''}`;
    });
}
