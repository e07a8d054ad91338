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
} from '@cc-ci/core';
import { type Assessment, assess, endedSince, isUp, shortName, taskError } from './assess.js';
import { lastLines, StageFailure } from './failure.js';
import { signalIn } from './signals.js';

/**
 * How long everything must stay as it is before it counts, in milliseconds: `healthy` where each service has a health
 * check, which has passed; `running` where one is only known to run; `counted` where an update may yet begin.
 */
const SETTLE_MS = { healthy: 0, running: 4_000, counted: 10_000 };
/** Health and counters also change without an event we hear of: look at least this often, in milliseconds. */
const LOOK_AGAIN_MS = 500;
const SHORTEST_WAIT_MS = 20;

/** Everything is up. */
export interface Converged {
  /** What a person should know all the same. */
  notes: string[];
  /** When it was first seen to be so. */
  since: Date;
}

/**
 * Waits until every service of the stack is up and stays up. Woken by Docker's events.
 * @throws StageFailure when a service cannot come up, or not within `timeoutMs`
 * @throws CancelledError when `signal` is aborted
 */
export async function waitConverged(
  docker: Docker,
  stack: string,
  options: { timeoutMs: number; signal: AbortSignal; onChange: (text: string) => void },
): Promise<Converged> {
  const listening = new AbortController();
  const bell = listen(docker, listening.signal);
  const deadline = performance.now() + options.timeoutMs;
  let steady: { state: Assessment['state']; since: number; at: Date } | undefined;
  let told = '';
  try {
    for (;;) {
      if (options.signal.aborted)
        throw options.signal.reason ?? new CancelledError('cancelled while waiting for the app');
      const at = new Date();
      const services = await listServices(docker, stack);
      const assessment = assess(services, await listTasks(docker, stack));
      if (assessment.state === 'failed') {
        throw failureWith(assessment.why, await evidence(docker, stack, assessment.service));
      }
      const text = assessment.state === 'converged' ? 'every service is up' : assessment.why;
      if (text !== told) options.onChange(text);
      told = text;
      const now = performance.now();
      if (steady?.state !== assessment.state) steady = { state: assessment.state, since: now, at };
      const lasted = now - steady.since;
      const settle = settleTime(assessment, services);
      if (lasted >= settle)
        return { notes: assessment.state === 'converged' ? assessment.notes : [], since: steady.at };
      if (now >= deadline) throw await tooSlow(docker, stack, services, text, options.timeoutMs);
      await bell.next(Math.min(LOOK_AGAIN_MS, Math.max(settle - lasted, SHORTEST_WAIT_MS)));
    }
  } finally {
    listening.abort();
  }
}

/**
 * How long what is so now has to stay so, in milliseconds; for ever where it is nothing to settle for. `counted` is: a
 * change that asks for no new task (where tasks may run, say) leaves the old ones as they are.
 */
function settleTime({ state }: Assessment, services: readonly DockerService[]): number {
  if (state === 'counted') return SETTLE_MS.counted;
  if (state !== 'converged') return Number.POSITIVE_INFINITY;
  return SETTLE_MS[services.every(hasHealthCheck) ? 'healthy' : 'running'];
}

/**
 * Looks whether a task has ended by itself since everything was up, whatever has been started in its place.
 * @throws StageFailure for the first that has
 */
export async function requireNoneEnded(docker: Docker, stack: string, since: Date): Promise<void> {
  const services = await listServices(docker, stack);
  const ended = endedSince(services, await listTasks(docker, stack), since);
  if (!ended) return;
  const { service, task } = ended;
  const why = `${shortName(service)} ended while it was tested, after it had been up: ${taskError(task)}`;
  throw failureWith(why, await evidence(docker, stack, service.Spec.Name));
}

function hasHealthCheck(service: DockerService): boolean {
  return service.Spec.TaskTemplate.ContainerSpec.Healthcheck !== undefined;
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
  return failureWith(`the app was not healthy within ${timeoutMs / 1000} s: ${why}`, lines);
}

/** The recipe is to blame, unless what Docker says shows that it is not. */
function failureWith(why: string, lines: readonly string[]): StageFailure {
  const signal = signalIn(lines);
  if (!signal || signal.blame === 'recipe') return new StageFailure('recipe', why, lines);
  return new StageFailure(signal.blame, `${why} (${signal.why})`, lines);
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
