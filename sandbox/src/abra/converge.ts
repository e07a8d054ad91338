import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, type DockerService, type DockerTask, listServices, listTasks } from '@cc-ci/core';
import type { Abra } from './context.js';

/** What the state of a stack means. */
export type Assessment = 'converged' | 'waiting' | 'failed';

const UPDATING = new Set(['updating', 'rollback_started']);
/** Swarm gave the update up: it stopped in the middle, or went back. */
const GIVEN_UP = new Set(['paused', 'rollback_paused', 'rollback_completed']);

/**
 * What abra makes of services: an update that Swarm gave up is a failure, everything else that is not N of N yet is
 * waited for, crash loops included. (A task with a health check counts as running only once that passes.)
 */
export function assess(services: readonly DockerService[]): Assessment {
  const updates = services.map((service) => service.UpdateStatus?.State ?? '');
  if (updates.some((state) => GIVEN_UP.has(state))) return 'failed';
  if (services.length === 0 || updates.some((state) => UPDATING.has(state))) return 'waiting';
  return services.every(isUp) ? 'converged' : 'waiting';
}

function isUp({ Spec, ServiceStatus }: DockerService): boolean {
  const { RunningTasks: running = 0, DesiredTasks: desired = 0 } = ServiceStatus ?? {};
  return running >= desired && (desired > 0 || Spec.Mode.Replicated?.Replicas === 0);
}

const POLL_MS = 500;
/**
 * How long everything must stay up, in milliseconds. Right after an update was asked for Swarm still counts the old
 * tasks and says nothing of an update; it begins within moments.
 */
const SETTLE_MS = 1_500;

/**
 * Waits until every service of a stack is up and has stayed up.
 * @throws CcCiError `deploy failed` or `deploy timed out`, after each service that is not up was named on the log;
 *   the stack stays as it is
 */
export async function waitConverged(abra: Abra, stack: string, timeoutSeconds: number): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  let upSince: number | undefined;
  for (;;) {
    const services = await listServices(abra.docker, stack);
    const state = assess(services);
    const now = performance.now();
    upSince = state === 'converged' ? (upSince ?? now) : undefined;
    if (upSince !== undefined && now - upSince >= SETTLE_MS) return;
    if (state === 'failed' || now >= deadline) {
      const tasks = await listTasks(abra.docker, stack);
      for (const line of explain(services, tasks)) abra.log.error(line);
      throw new CcCiError(state === 'failed' ? 'deploy failed' : 'deploy timed out');
    }
    await delay(POLL_MS, undefined, { signal: abra.signal });
  }
}

/** One line for each service that is not up: how many tasks run, what became of the update, the newest task's error. */
export function explain(services: readonly DockerService[], tasks: readonly DockerTask[]): string[] {
  return services
    .filter((service) => assess([service]) !== 'converged')
    .map(({ ID, Spec, ServiceStatus, UpdateStatus }) => {
      const counts = `${ServiceStatus?.RunningTasks ?? 0}/${ServiceStatus?.DesiredTasks ?? 0}`;
      const failed = tasks.find((task) => task.ServiceID === ID && task.Status.Err);
      const reasons = [UpdateStatus?.Message, failed?.Status.Err].filter(Boolean).join('; ');
      return `${Spec.Name} ${counts}${reasons ? `: ${reasons}` : ''}`;
    });
}
