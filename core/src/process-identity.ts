import { readFileSync } from 'node:fs';

/** One process, told apart from any other that is given its number later, also after a reboot. */
export interface ProcessIdentity {
  pid: number;
  /** When it began, in clock ticks since boot (proc(5), field 22 of stat). */
  startTime: string;
  /** Which boot of this machine. */
  boot: string;
}

/** Who has this number now; undefined when nobody, or a process that only waits to be collected. Linux only. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readIfAny(`/proc/${pid}/stat`);
  // The program's name stands in brackets and may hold anything.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = rest[18];
  if (!startTime || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime, boot: readIfAny('/proc/sys/kernel/random/boot_id').trim() };
}

/** Whether that very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now?.startTime === identity.startTime && now.boot === identity.boot;
}

function readIfAny(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
