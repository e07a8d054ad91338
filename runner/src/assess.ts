import { type DockerService, type DockerTask, isUpToDate, STACK_LABEL } from '@cc-ci/core';

/** What Docker says of a stack at one moment, and what it means. */
export type Assessment =
  /** `notes`: what a person should know although everything is up. */
  | { state: 'converged'; notes: string[] }
  /** As many tasks run as should, but not all of what their service wants now: an update may be about to begin. */
  | { state: 'counted'; why: string }
  | { state: 'waiting'; why: string }
  | {
      state: 'failed';
      service: string;
      why: string;
      kind: 'rejected' | 'crash-loop' | 'rollback' | 'paused';
    };

/** Task states in which Swarm has given a task up. */
const GIVEN_UP = new Set(['failed', 'rejected', 'orphaned']);
/** How often a service may die with an error, or end at all, before that is a crash loop. */
const CRASHES = 2;
const ENDS = 3;
/** Update states that pass by themselves; every other one is an end (`paused` waits for a person). */
const UPDATING = new Set(['updating', 'rollback_started']);
/** A refusal that no retry mends: the image or mount is not there, the command does not exist. */
const HOPELESS =
  /no such image|invalid (?:bind )?mount|executable file not found|pull access denied|manifest unknown|invalid reference/i;

/**
 * What the state of a stack means: pure.
 * A task counts as running only once its health check passes, so N of N includes health.
 */
export function assess(services: readonly DockerService[], tasks: readonly DockerTask[]): Assessment {
  if (services.length === 0) return { state: 'waiting', why: 'no service is there yet' };
  const states = services.map((service) => stateOf(service, tasks));
  const failed =
    states.map(undoneUpdate).find((it) => it !== undefined) ??
    states.map(hopeless).find((it) => it !== undefined);
  if (failed) return failed;
  const behind = states.filter((it) => !it.isCounted);
  const looping = crashLoop(behind, states);
  if (looping) return looping;
  const updating = services.find((service) => UPDATING.has(service.UpdateStatus?.State ?? ''));
  if (updating) return { state: 'waiting', why: `${shortName(updating)} is ${updating.UpdateStatus?.State}` };
  if (behind.length > 0) {
    return { state: 'waiting', why: `not up yet: ${behind.map(describe).join(', ')}` };
  }
  const outdated = states.filter((it) => !it.isCurrent).map(({ service }) => shortName(service));
  if (outdated.length > 0)
    return { state: 'counted', why: `waiting for the update of ${outdated.join(', ')}` };
  const notes = services
    .filter((service) => service.UpdateStatus?.State === 'paused')
    .map(
      (service) =>
        `Swarm paused the update of ${shortName(service)}, and yet all of it runs: ${message(service)}`,
    );
  return { state: 'converged', notes };
}

/** One service with those of its tasks that are of its present spec. */
interface ServiceState {
  service: DockerService;
  own: DockerTask[];
  /** As many tasks run as should. */
  isCounted: boolean;
  /** So many run that are of the present spec. */
  isCurrent: boolean;
}

function stateOf(service: DockerService, tasks: readonly DockerTask[]): ServiceState {
  const own = tasks.filter((task) => task.ServiceID === service.ID && isUpToDate(task, service));
  const { DesiredTasks: desired = 0 } = service.ServiceStatus ?? {};
  return { service, own, isCounted: isUp(service), isCurrent: own.filter(isRunning).length >= desired };
}

function isRunning(task: DockerTask): boolean {
  return task.Status.State === 'running' && task.DesiredState === 'running';
}

function undoneUpdate({ service, isCounted, isCurrent }: ServiceState): Assessment | undefined {
  const update = service.UpdateStatus?.State;
  const name = shortName(service);
  if (update === 'rollback_completed' || update === 'rollback_paused') {
    const why = `Swarm rolled ${name} back: ${message(service)}`;
    return { state: 'failed', service: service.Spec.Name, kind: 'rollback', why };
  }
  if (update !== 'paused' || !isCounted || isCurrent) return undefined;
  const why = `Swarm paused the update of ${name} and what ran before still answers: ${message(service)}`;
  return { state: 'failed', service: service.Spec.Name, kind: 'paused', why };
}

function message(service: DockerService): string {
  return service.UpdateStatus?.Message ?? service.UpdateStatus?.State ?? '';
}

function hopeless({ service, own, isCounted }: ServiceState): Assessment | undefined {
  if (isCounted) return undefined;
  const rejected = own.find(
    (task) => task.Status.State === 'rejected' && HOPELESS.test(task.Status.Err ?? ''),
  );
  if (!rejected) return undefined;
  const why = `${shortName(service)} cannot start: ${taskError(rejected)}`;
  return { state: 'failed', service: service.Spec.Name, kind: 'rejected', why };
}

/**
 * A crash loop, once every service that is behind has died too often since all the others were up: dying for want of
 * a service that is still coming up is how many apps wait.
 */
function crashLoop(behind: readonly ServiceState[], all: readonly ServiceState[]): Assessment | undefined {
  const others = all.filter((it) => it.isCounted).flatMap((it) => it.own.filter(isRunning));
  const since = others.map((task) => task.Status.Timestamp).reduce((a, b) => (a > b ? a : b), '');
  const loops = behind.map(({ service, own }) => {
    const ended = own.filter(
      (task) => task.CreatedAt > since && (GIVEN_UP.has(task.Status.State) || isDeadEnd(task)),
    );
    const crashed = ended.filter((task) => !isDeadEnd(task));
    return { service, ended, isLooping: crashed.length >= CRASHES || ended.length >= ENDS };
  });
  const [first] = loops;
  if (!first || !loops.every((it) => it.isLooping)) return undefined;
  const [last] = first.ended;
  return {
    state: 'failed',
    service: first.service.Spec.Name,
    kind: 'crash-loop',
    why: `${loops.map((it) => shortName(it.service)).join(', ')} ${loops.length > 1 ? 'keep' : 'keeps'} ending: ${last ? taskError(last) : ''}, ${first.ended.length} times`,
  };
}

function describe({ service, own }: ServiceState): string {
  const failed = own.find((task) => GIVEN_UP.has(task.Status.State));
  return `${shortName(service)} ${counts(service)}${failed ? ` (${taskError(failed)})` : ''}`;
}

export function isUp(service: DockerService): boolean {
  const { RunningTasks: running = 0, DesiredTasks: desired = 0 } = service.ServiceStatus ?? {};
  return running >= desired && (desired > 0 || service.Spec.Mode.Replicated?.Replicas === 0);
}

function counts(service: DockerService): string {
  return `${service.ServiceStatus?.RunningTasks ?? 0}/${service.ServiceStatus?.DesiredTasks ?? 0}`;
}

/** A service's main process that ended, even with exit code 0, is not running. */
function isDeadEnd(task: DockerTask): boolean {
  return task.Status.State === 'complete';
}

export function taskError(task: DockerTask): string {
  return task.Status.Err ?? task.Status.Message ?? task.Status.State;
}

/** The first task of what the services are now that has ended by itself since a moment when all of them were up. Pure. */
export function endedSince(
  services: readonly DockerService[],
  tasks: readonly DockerTask[],
  since: Date,
): { service: DockerService; task: DockerTask } | undefined {
  const ended = services.flatMap((service) =>
    tasks
      .filter((task) => task.ServiceID === service.ID && isUpToDate(task, service))
      .filter((task) => GIVEN_UP.has(task.Status.State) || isDeadEnd(task))
      .map((task) => ({ service, task, at: new Date(task.Status.Timestamp) }))
      .filter(({ at }) => at > since),
  );
  return ended.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
}

/** A service's name as the recipe has it. */
export function shortName({ Spec }: DockerService): string {
  const stack = Spec.Labels[STACK_LABEL];
  return stack && Spec.Name.startsWith(`${stack}_`) ? Spec.Name.slice(stack.length + 1) : Spec.Name;
}
