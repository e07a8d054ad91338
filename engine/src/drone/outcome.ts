import type { BuildState } from '../engine.js';
import { type DroneBuild, isWaiting, stepsOf } from './answers.js';

/** Drone's own first step. */
const CLONE_STEP = 'clone';

/** How somebody here wanted a build to end. */
export interface Wish {
  state: 'cancelled' | 'error';
  reason: string;
}

/** How a build stands in our words. */
export interface Standing {
  state: BuildState;
  reason: string | undefined;
  startedAt: string | undefined;
  finishedAt: string | undefined;
}

/**
 * What a build of Drone's came to. Drone knows one failure only; the runner's exit code tells 1 (the recipe or its
 * tests) from anything else. The last step that failed decides: teardown, which comes last, ends with the exit code of
 * the whole run's verdict.
 * @param wish what we asked Drone to do with it
 * @param timeoutMinutes the repository's time limit in Drone, after which its runner kills a build
 */
export function standingOf(build: DroneBuild, wish: Wish | undefined, timeoutMinutes?: number): Standing {
  const times = timesOf(build);
  if (isWaiting(build.status)) return { state: 'queued', reason: undefined, ...times };
  if (build.status === 'running') return { state: 'running', reason: undefined, ...times };
  return { ...endOf(build, wish, timeoutMinutes), ...times };
}

function endOf(
  build: DroneBuild,
  wish: Wish | undefined,
  timeoutMinutes: number | undefined,
): Pick<Standing, 'state' | 'reason'> {
  const why = build.error ?? build.stages?.find((stage) => stage.error)?.error;
  const because = (text: string) => (why ? `${text}: ${why}` : text);
  switch (build.status) {
    case 'success':
      return { state: 'success', reason: undefined };
    case 'killed':
      if (wish) return wish;
      if (timeoutMinutes !== undefined && build.finished - build.started >= timeoutMinutes * 60) {
        return { state: 'error', reason: `Drone ended the build at its time limit of ${timeoutMinutes} min` };
      }
      return { state: 'cancelled', reason: because('the build was cancelled in Drone') };
    case 'skipped':
    case 'declined':
      return { state: 'error', reason: because(`Drone has ${build.status} the build without running it`) };
    case 'failure':
      return ofFailure(build);
    default:
      return { state: 'error', reason: because(`Drone could not run the build (${build.status})`) };
  }
}

function ofFailure(build: DroneBuild): Pick<Standing, 'state' | 'reason'> {
  const failed = stepsOf(build).findLast((step) => step.exit_code !== 0 && step.status !== 'skipped');
  if (!failed) return { state: 'error', reason: 'Drone says failure, and no step has failed' };
  // Git's exit codes are its own.
  if (failed.name !== CLONE_STEP) {
    if (failed.exit_code === 1) return { state: 'failure', reason: undefined };
    if (failed.exit_code === 2) return { state: 'error', reason: undefined };
  }
  const detail = failed.error ? `: ${failed.error}` : '';
  return { state: 'error', reason: `step ${failed.name} ended with exit code ${failed.exit_code}${detail}` };
}

/** Drone gives a build that is cancelled in the queue a start, too; one that was begun has steps. */
function timesOf(build: DroneBuild): Pick<Standing, 'startedAt' | 'finishedAt'> {
  const begun = build.status === 'running' || stepsOf(build).some((step) => step.status !== 'skipped');
  return {
    startedAt: begun ? iso(build.started) : undefined,
    finishedAt: iso(build.finished),
  };
}

function iso(seconds: number): string | undefined {
  return seconds > 0 ? new Date(seconds * 1000).toISOString() : undefined;
}
