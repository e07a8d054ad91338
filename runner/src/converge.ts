import {
  CancelledError,
  containerHealthOf,
  type Docker,
  type DockerService,
  type DockerTask,
  events,
  listServices,
  listTasks,
  run,
  STACK_LABEL,
} from '@cc-ci/core';
import { lastLines, StageFailure } from './failure.js';

/** What Docker says of a stack at one moment, and what it means. */
export type Assessment =
  | { state: 'converged' }
  | { state: 'waiting'; why: string }
  | { state: 'failed'; service: string; why: string; kind: 'rejected' | 'crash-loop' | 'rollback' };

/** Task states in which Swarm has given a task up. */
const GIVEN_UP = new Set(['failed', 'rejected', 'orphaned']);
/** How often a service may die while everything else is up before that is a crash loop. */
const CRASHES = 3;
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
  const behind = services.filter((service) => !isUp(service));
  for (const service of services) {
    const name = service.Spec.Name;
    const short = shortName(service);
    const update = service.UpdateStatus?.State;
    if (update === 'rollback_completed' || update === 'rollback_paused') {
      const why = `Swarm rolled ${short} back: ${service.UpdateStatus?.Message ?? update}`;
      return { state: 'failed', service: name, kind: 'rollback', why };
    }
    if (isUp(service)) continue;
    const own = tasks.filter((task) => task.ServiceID === service.ID);
    const rejected = own.find(
      (task) => task.Status.State === 'rejected' && HOPELESS.test(task.Status.Err ?? ''),
    );
    if (rejected)
      return {
        state: 'failed',
        service: name,
        kind: 'rejected',
        why: `${short} cannot start: ${taskError(rejected)}`,
      };
    const crashed = own.filter((task) => GIVEN_UP.has(task.Status.State) || isDeadEnd(task));
    // While another service is still coming up, dying for want of it is how many apps wait.
    if (crashed[0] && crashed.length >= CRASHES && behind.length === 1) {
      return {
        state: 'failed',
        service: name,
        kind: 'crash-loop',
        why: `${short} keeps ending: ${taskError(crashed[0])}, ${crashed.length} times`,
      };
    }
  }
  const updating = services.find((service) => UPDATING.has(service.UpdateStatus?.State ?? ''));
  if (updating) return { state: 'waiting', why: `${shortName(updating)} is ${updating.UpdateStatus?.State}` };
  if (behind.length > 0) {
    const list = behind.map((service) => `${shortName(service)} ${counts(service)}`).join(', ');
    return { state: 'waiting', why: `not up yet: ${list}` };
  }
  return { state: 'converged' };
}

function isUp(service: DockerService): boolean {
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

function taskError(task: DockerTask): string {
  return task.Status.Err ?? task.Status.Message ?? task.Status.State;
}

/** A service's name as the recipe has it. */
function shortName({ Spec }: DockerService): string {
  const stack = Spec.Labels[STACK_LABEL];
  return stack && Spec.Name.startsWith(`${stack}_`) ? Spec.Name.slice(stack.length + 1) : Spec.Name;
}

/** How long everything must stay up before it counts, in milliseconds. */
const SETTLE_MS = 1_500;
/** Health and counters also change without an event we hear of: look at least this often, in milliseconds. */
const LOOK_AGAIN_MS = 500;

/**
 * Waits until every service of the stack is up and stays up. Woken by Docker's events.
 * @throws StageFailure blaming the recipe when a service cannot come up, or not within `timeoutMs`
 * @throws CancelledError when `signal` is aborted
 */
export async function waitConverged(
  docker: Docker,
  stack: string,
  options: { timeoutMs: number; signal: AbortSignal; onChange: (text: string) => void },
): Promise<void> {
  const listening = new AbortController();
  const bell = listen(docker, listening.signal);
  const deadline = performance.now() + options.timeoutMs;
  let upSince: number | undefined;
  let told = '';
  try {
    for (;;) {
      if (options.signal.aborted)
        throw options.signal.reason ?? new CancelledError('cancelled while waiting for the app');
      const services = await listServices(docker, stack);
      const assessment = assess(services, await listTasks(docker, stack));
      if (assessment.state === 'failed') {
        throw new StageFailure('recipe', assessment.why, await evidence(docker, stack, assessment.service));
      }
      const text = assessment.state === 'waiting' ? assessment.why : 'every service is up';
      if (text !== told) options.onChange(text);
      told = text;
      const now = performance.now();
      upSince = assessment.state === 'converged' ? (upSince ?? now) : undefined;
      if (upSince !== undefined && now - upSince >= SETTLE_MS) return;
      if (now >= deadline) throw await tooSlow(docker, stack, services, text, options.timeoutMs);
      await bell.next(LOOK_AGAIN_MS);
    }
  } finally {
    listening.abort();
  }
}

async function tooSlow(
  docker: Docker,
  stack: string,
  services: DockerService[],
  why: string,
  timeoutMs: number,
): Promise<StageFailure> {
  const slow = services.find((service) => !isUp(service))?.Spec.Name;
  const lines = slow ? await evidence(docker, stack, slow) : [];
  return new StageFailure('recipe', `the app was not healthy within ${timeoutMs / 1000} s: ${why}`, lines);
}

/** A bell that rings at each event of containers, services or nodes. */
function listen(docker: Docker, signal: AbortSignal) {
  let ring: () => void = () => undefined;
  const hear = async () => {
    for await (const _ of events(docker, { type: ['container', 'service'] }, signal)) ring();
  };
  // Without events the regular look still finds everything, only later.
  hear().catch(() => undefined);
  return {
    next: (atMostMs: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, atMostMs);
        ring = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}

/** Task errors, health check output and the last log lines of a service that does not come up. */
async function evidence(docker: Docker, stack: string, serviceName: string): Promise<string[]> {
  const services = await listServices(docker, stack);
  const id = services.find((service) => service.Spec.Name === serviceName)?.ID;
  const tasks = (await listTasks(docker, stack)).filter((task) => task.ServiceID === id);
  const states = tasks
    .slice(0, 5)
    .map((task) => `task ${task.ID.slice(0, 8)} ${task.Status.State}: ${taskError(task)}`);
  return [...states, ...(await healthLines(docker, tasks)), ...(await serviceLogs(serviceName))];
}

async function healthLines(docker: Docker, tasks: readonly DockerTask[]): Promise<string[]> {
  for (const task of tasks) {
    const id = task.Status.ContainerStatus?.ContainerID;
    if (!id) continue;
    try {
      const health = await containerHealthOf(docker, id);
      const last = health?.Log?.at(-1);
      if (health && last)
        return [`health check: ${health.Status}, exit code ${last.ExitCode}`, ...lastLines(last.Output, 10)];
    } catch {
      // The container is gone already; an older one may still tell.
    }
  }
  return [];
}

const LOG_LINES = 50;

/** The last log lines of a service, oldest first; empty when Docker has none. */
async function serviceLogs(serviceName: string, lines = LOG_LINES): Promise<string[]> {
  try {
    const { stdout, stderr } = await run(
      'docker',
      ['service', 'logs', '--raw', '--tail', String(lines), serviceName],
      { timeoutMs: 10_000 },
    );
    return lastLines(`${stdout}${stderr}`, lines);
  } catch {
    return [];
  }
}
