import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connectDocker, disconnectDocker, type Logger, readRun, waitForLock } from '@cc-ci/core';
import type { CleanUpOptions } from './clean-up.js';
import { RUN_MARKER } from './context.js';
import { lockFile, reap } from './reap.js';

/** After this long whoever holds the lock is a janitor at work. In milliseconds. */
const LOCK_WAIT_MS = 5_000;
const ALL_IS_WELL = 'done\n';

/** A process beside the runner that outlives it, and cleans up when the runner dies without having said goodbye. */
export interface Watchdog {
  /** Tells it that there is nothing to clean up; resolves when it has ended. */
  dismiss(): Promise<void>;
}

/**
 * Starts the watchdog in a session of its own, so that whatever kills the runner's process group leaves it alive.
 * Its stdin is a pipe from us: the kernel closes that however we die.
 */
export function startWatchdog(command: readonly string[], dir: string): Watchdog {
  const [file, ...args] = command;
  if (!file) throw new Error('no watchdog command');
  const { [RUN_MARKER]: _, ...env } = process.env;
  const child = spawn(file, [...args, dir], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env });
  child.on('error', () => undefined); // the janitor of the next run does its work
  child.stdin.on('error', () => undefined);
  child.unref();
  return {
    async dismiss() {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.ref();
      const exit = once(child, 'exit');
      child.stdin.end(ALL_IS_WELL);
      await exit;
    },
  };
}

/** The watchdog's own work: waits for the end of stdin, then cleans up unless it was told that all is well. */
export async function watch(
  dir: string,
  input: AsyncIterable<Buffer | string>,
  logger: Logger,
  options: CleanUpOptions = {},
): Promise<void> {
  let heard = '';
  for await (const chunk of input) heard += chunk.toString();
  if (heard === ALL_IS_WELL) return;
  // The kernel closes a dying process's pipe and frees its lock in no given order.
  const lock = await waitForLock(lockFile(dir), LOCK_WAIT_MS);
  if (!lock) return;
  const docker = connectDocker();
  try {
    const record = await readRun(dir);
    const done = record && (await reap(docker, record, options));
    if (done?.problems.length)
      logger.error({ dir, problems: done.problems }, 'not all was removed; the next run will try');
  } catch (error) {
    logger.error({ err: error, dir }, 'could not clean up; the next run will');
  } finally {
    await disconnectDocker(docker);
    lock.release();
  }
}
