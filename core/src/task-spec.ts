import { isDeepStrictEqual } from 'node:util';
import type { DockerService, DockerTask } from './docker.js';

/**
 * Whether a task runs what its service wants now. Until it does, the task is one of before an update, however healthy.
 * The engine names the default runtime in a service's spec, and leaves it out in its tasks'.
 */
export function isUpToDate(task: DockerTask, service: DockerService): boolean {
  return isDeepStrictEqual(withoutRuntime(task.Spec), withoutRuntime(service.Spec.TaskTemplate));
}

function withoutRuntime(spec: Record<string, unknown>): Record<string, unknown> {
  const { Runtime: _, ...rest } = spec;
  return rest;
}
