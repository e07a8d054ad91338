import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { sendSignal } from './process-group.js';

/** A process may fork while we look: kill again until a pass finds nobody, at most so often. */
const PASSES = 10;
const BETWEEN_PASSES_MS = 20;

/** The ids of the processes that `killMarked` would kill now. */
export function findMarked(name: string, value: string): number[] {
  return listMarked(name, value).map(({ pid }) => pid);
}

/**
 * Kills (SIGKILL) every process whose environment says `name=value`, except this one: also those that left their
 * process group or were adopted by init. Linux only; processes of other users are passed over.
 * @returns the ids of the processes that were killed
 */
export async function killMarked(name: string, value: string): Promise<number[]> {
  return killFound(() => listMarked(name, value));
}

function listMarked(name: string, value: string): ProcessStat[] {
  return listProcesses().filter(({ pid }) => isMarked(pid, `${name}=${value}`));
}

async function killFound(find: () => ProcessStat[]): Promise<number[]> {
  const killed: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const found = find()
      .map(({ pid }) => pid)
      .filter(killProcess);
    if (found.length === 0) break;
    killed.push(...found);
    await delay(BETWEEN_PASSES_MS);
  }
  return [...new Set(killed)];
}

/** @returns whether it was there and ours to kill */
function killProcess(pid: number): boolean {
  try {
    return sendSignal(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return false;
    throw error;
  }
}

/** A program with everything it has started, wherever that has hidden. */
export interface ProcessTree {
  /** Whether they hold more memory than so many bytes now; what they share counts once, where the kernel says. */
  exceeds(memoryBytes: number): boolean;
  /** Kills (SIGKILL) all of them. */
  kill(): Promise<void>;
}

/**
 * The processes that belong to a program we started as leader of its own process group: its group, whatever carries
 * the mark in its environment, and the children of these. Who was once seen to belong is known from then on, so look
 * (`exceeds`) now and then: a process can shed group, mark and parent, but not all of them at once. Linux only.
 * @param mark `NAME=value`, in the environment the program was started with
 */
export function processTree(root: number, mark: string): ProcessTree {
  const known = new Set<string>([]);
  const strangers = new Set<string>();
  const look = (): ProcessStat[] => {
    const all = listProcesses();
    const members = new Set(all.filter((it) => known.has(it.id) || it.pid === root || it.group === root));
    for (const it of all) {
      if (members.has(it) || strangers.has(it.id)) continue;
      if (isMarked(it.pid, mark)) members.add(it);
    }
    addChildren(members, all);
    known.clear();
    strangers.clear();
    for (const it of all) (members.has(it) ? known : strangers).add(it.id);
    return [...members];
  };
  return {
    exceeds(memoryBytes) {
      const pids = look().map(({ pid }) => pid);
      // The shares make the kernel walk every page, milliseconds for a browser: asked for only when it may matter.
      return sum(pids.map(residentBytes)) > memoryBytes && sum(pids.map(shareBytes)) > memoryBytes;
    },
    async kill() {
      await killFound(look);
    },
  };
}

function addChildren(members: Set<ProcessStat>, all: readonly ProcessStat[]): void {
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    const parents = new Set([...members].map(({ pid }) => pid));
    for (const it of all) if (parents.has(it.parent)) members.add(it);
  }
}

/** What of a process tells whose it is. */
interface ProcessStat {
  pid: number;
  parent: number;
  group: number;
  /** Its number and start time: numbers are given out again. */
  id: string;
}

/** All living processes, this one excepted; those that only wait to be collected by their parent are not listed. */
function listProcesses(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      // The program's name stands in brackets and may hold anything (proc(5)).
      const stat = readProc(`${name}/stat`);
      const [state, parent, group, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const start = rest[16];
      if (!start || state === 'Z') return [];
      return [{ pid: Number(name), parent: Number(parent), group: Number(group), id: `${name}:${start}` }];
    });
}

function isMarked(pid: number, mark: string): boolean {
  return readProc(`${pid}/environ`).split('\0').includes(mark);
}

/** All memory a process has in RAM, in bytes. */
function residentBytes(pid: number): number {
  return kilobytes(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`)));
}

/** A process's share of the memory it has, what it shares divided by those it shares it with; all of it where secret. */
function shareBytes(pid: number): number {
  const share = /^Pss:\s+(\d+) kB$/m.exec(readProc(`${pid}/smaps_rollup`));
  return share ? kilobytes(share) : residentBytes(pid);
}

function kilobytes(match: RegExpExecArray | null): number {
  return 1024 * Number(match?.[1] ?? 0);
}

/** A file of /proc; empty when the process is gone meanwhile, or not ours to read. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
