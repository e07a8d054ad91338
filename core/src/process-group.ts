import { setTimeout as delay } from 'node:timers/promises';

/** Sends a signal to a whole process group; a group that is gone already is fine. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return sendSignal(-pid, signal);
}

/** Sends a signal to a process (its group when `pid` is negative). @returns whether there was one */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/**
 * Ends a process group: SIGTERM, then SIGKILL for what is left after `graceMs` milliseconds.
 * Resolves when the group is gone.
 */
export async function endGroup(pid: number, graceMs: number): Promise<void> {
  signalGroup(pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (groupAlive(pid)) {
    if (performance.now() >= deadline) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await delay(50);
  }
}

function groupAlive(pid: number): boolean {
  return sendSignal(-pid, 0);
}
