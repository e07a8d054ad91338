import { existsSync } from 'node:fs';
import {
  type Docker,
  describeError,
  folderNames,
  type Logger,
  type RunRecord,
  readRun,
  runFolder,
  runsFolder,
  summaryFile,
  tryLock,
} from '@cc-ci/core';
import { type CleanUpOptions, leftoversFile, readLeftovers } from './clean-up.js';
import { findApps } from './orphans.js';
import { lockFile, reap } from './reap.js';

/** In stage mode nobody holds the lock between two stages; an engine starts the next one well within this. */
const STAGE_GAP_MS = 300_000;
/** Far more than a build may take by default. */
export const DEFAULT_MAX_AGE_MS = 6 * 3_600_000;
/** What has failed before takes its time before it fails again. */
const AT_ONCE = 4;

export interface JanitorOptions extends Pick<CleanUpOptions, 'forgetSnapshots' | 'appTimeoutMs'> {
  stateDir: string;
  /** The setting CC_CI_ZONE, by which apps of ours are known. */
  zone: string;
  logger: Logger;
  /** A run that has been at work for longer, in milliseconds, is reported. */
  maxAgeMs?: number;
}

/** What a janitor did and found. */
export interface JanitorReport {
  /** Ids of runs it has cleaned up after. */
  reaped: string[];
  /** Runs that live longer than they should; nobody touched them. */
  held: { run: string; minutes: number }[];
  /** Runs it could not clean up after, or not wholly; the next one tries again. */
  failed: { run: string; error: string }[];
  /** Stacks named as apps of runs, whose run has no folder here, or a damaged one; nobody touched them. */
  orphans: string[];
}

/**
 * Cleans up after runs that were killed, and after those whose teardown left something. One whose lock is held is alive
 * and left alone, however long it takes. Touches nothing that does not belong to a run of this state folder.
 */
export async function janitor(docker: Docker, options: JanitorOptions): Promise<JanitorReport> {
  const { stateDir, zone, logger } = options;
  const report: JanitorReport = { reaped: [], held: [], failed: [], orphans: [] };
  // Before the folders: a run makes its folder first.
  const apps = await findApps(docker, zone).catch((error) => {
    logger.error({ err: error }, 'could not look for apps without a run');
    return new Map<string, string>();
  });
  const names = await folderNames(runsFolder(stateDir));
  const queue = unfinished(stateDir, names).values();
  const unreadable = new Set<string>();
  const worker = async () => {
    for (const run of queue) if (!(await look(docker, run, options, report))) unreadable.add(run);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const [run, stack] of apps) {
    if (!names.includes(run) || unreadable.has(run)) report.orphans.push(stack);
  }
  return report;
}

/**
 * Runs that have no end yet, or whose teardown has left something. There may be thousands that have ended well: of those
 * no file is read, and asking the kernel at once is ten times quicker than to promise it.
 */
function unfinished(stateDir: string, names: readonly string[]): string[] {
  return names.filter((name) => {
    const dir = runFolder(stateDir, name);
    return !existsSync(summaryFile(dir)) || existsSync(leftoversFile(dir));
  });
}

/** @returns false when the run's record cannot be read: nobody knows what to clean up */
async function look(
  docker: Docker,
  run: string,
  options: JanitorOptions,
  report: JanitorReport,
): Promise<boolean> {
  const dir = runFolder(options.stateDir, run);
  const { logger } = options;
  const known = await readRun(dir).catch((error) => {
    logger.error({ run, err: error }, 'a damaged run record');
    return undefined;
  });
  if (!known) return false;
  try {
    const lock = tryLock(lockFile(dir));
    if (!lock) {
      const minutes = await minutesHeld(known, options.maxAgeMs ?? DEFAULT_MAX_AGE_MS);
      if (minutes === undefined) return true;
      report.held.push({ run, minutes });
      logger.warn({ run, minutes }, 'a run has been at work for very long');
      return true;
    }
    try {
      // Read again under the lock: the run may have ended, or gone on, since.
      const record = await readRun(dir);
      if (!record || betweenStages(record)) return true;
      const done = await reap(docker, record, options);
      if (!done) return true;
      if (done.problems.length > 0) throw new Error(done.problems.join('; '));
      report.reaped.push(run);
      logger.warn({ run, removed: done.removed }, 'cleaned up after a run');
    } finally {
      lock.release();
    }
  } catch (error) {
    report.failed.push({ run, error: describeError(error) });
    logger.error({ run, err: error }, 'could not clean up after a run');
  }
  return true;
}

/** For how many minutes a run has been at work, where that is too long; undefined where it is not. */
async function minutesHeld({ dir, plan, summary }: RunRecord, maxAgeMs: number): Promise<number | undefined> {
  // After its end only those who clean up hold it, and they have limits of their own.
  if (summary) return undefined;
  // One who cleans up after an old run has only just begun.
  const since = (await readLeftovers(dir))?.triedAt ?? plan.createdAt;
  const age = Date.now() - Date.parse(since);
  return age > maxAgeMs ? Math.round(age / 60_000) : undefined;
}

/** Whether a run in stage mode is only waiting for its engine to start the next stage. */
function betweenStages({ plan, stages, summary }: RunRecord): boolean {
  if (summary || plan.mode !== 'stage' || stages.some((stage) => stage.state === 'running')) return false;
  const last = stages
    .map((stage) => stage.finishedAt ?? '')
    .reduce((a, b) => (a > b ? a : b), plan.createdAt);
  return Date.now() - Date.parse(last) < STAGE_GAP_MS;
}
