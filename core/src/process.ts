import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { CancelledError, CommandFailedError, CommandTimeoutError, ToolMissingError } from './errors.js';
import type { Redactor } from './redact.js';

/** How long a process group may take to end after SIGTERM before it gets SIGKILL, in milliseconds. */
const TERM_GRACE_MS = 5_000;
/** How much of each stream is kept for the result, in characters; what comes before is dropped. */
const DEFAULT_KEEP = 4 * 1024 * 1024;
/** How much of the output an error message carries, in characters. */
const ERROR_TAIL = 2_000;

/** Which program brings what, so that a missing one is named with how to get it. */
const HOW_TO_GET: Record<string, string> = {
  docker: 'install Docker (Debian: apt-get install docker.io), or run ./setup',
  git: 'apt-get install git, or run ./setup',
  openssl: 'apt-get install openssl, or run ./setup',
  debootstrap: 'apt-get install debootstrap, or run ./setup',
};

/** How a program is run. */
export interface RunOptions {
  cwd?: string;
  /** The whole environment; default: ours. */
  env?: NodeJS.ProcessEnv;
  /** Given on stdin, which is closed after it. Default: no stdin. */
  input?: string | Uint8Array;
  /** Milliseconds until the process group is ended. */
  timeoutMs?: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  graceMs?: number;
  /** Ends the process group when aborted. */
  signal?: AbortSignal;
  /** Called with each line (without its newline), redacted, as it comes. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Applied to lines, error messages and the result. */
  redactor?: Redactor;
  /** What to do when the program is missing, where there is more to say than its name. */
  missingHint?: string;
  /** Exit codes that count as success. Default: only 0. */
  okCodes?: readonly number[];
  /** Characters of each stream to keep for the result (the last ones). */
  keep?: number;
}

/** What a program answered. */
export interface RunResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Wall time in milliseconds. */
  durationMs: number;
}

/**
 * Runs a program in its own process group and waits for it. Whatever way it ends, its whole group is gone after.
 * @throws ToolMissingError when the program is not installed
 * @throws CommandTimeoutError when it ran longer than `timeoutMs`
 * @throws CancelledError when `signal` was aborted
 * @throws CommandFailedError when its exit code is not one of `okCodes`
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const command = [file, ...args].join(' ');
  if (options.signal?.aborted) throw new CancelledError(`${command}: not started, the work was cancelled`);
  const redact = (text: string) => options.redactor?.text(text) ?? text;
  const started = performance.now();
  const child = execa(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env, extendEnv: false }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stripFinalNewline: false,
  });
  const stdout = collectLines(child.stdout, options.keep ?? DEFAULT_KEEP, (line) =>
    options.onLine?.(redact(line), 'stdout'),
  );
  const stderr = collectLines(child.stderr, options.keep ?? DEFAULT_KEEP, (line) =>
    options.onLine?.(redact(line), 'stderr'),
  );

  let ended: 'timeout' | 'cancelled' | undefined;
  const end = (why: 'timeout' | 'cancelled') => {
    ended ??= why;
    if (child.pid !== undefined) void endGroup(child.pid, options.graceMs ?? TERM_GRACE_MS);
  };
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(end, options.timeoutMs, 'timeout');
  const onAbort = () => end('cancelled');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  // Grandchildren that outlive the program would keep its pipes open, and us waiting.
  child.once('exit', () => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'));

  const result = await child;
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', onAbort);

  if (child.pid === undefined || result.code === 'ENOENT' || result.code === 'EACCES') {
    throw new ToolMissingError(`${file} cannot be run: ${result.originalMessage ?? 'not found'}`, {
      hint: options.missingHint ?? HOW_TO_GET[file.split('/').pop() ?? file] ?? `install ${file}`,
    });
  }
  const output = redact(`${stdout.text()}${stderr.text()}`.trim().slice(-ERROR_TAIL));
  const trace = { command: redact(command), output };
  if (ended === 'timeout') throw new CommandTimeoutError(trace, options.timeoutMs ?? 0);
  if (ended === 'cancelled') throw new CancelledError(`${trace.command} was stopped`);
  if (result.exitCode === undefined || !(options.okCodes ?? [0]).includes(result.exitCode)) {
    throw new CommandFailedError(trace, result.exitCode, result.signal);
  }
  return {
    exitCode: result.exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    durationMs: performance.now() - started,
  };
}

function collectLines(stream: NodeJS.ReadableStream | null, keep: number, onLine: (line: string) => void) {
  let kept = '';
  let partial = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    if (keep > 0) kept += chunk;
    if (kept.length > 2 * keep) kept = kept.slice(-keep);
    const lines = (partial + chunk).split(/\r?\n/);
    partial = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream?.on('end', () => {
    if (partial) onLine(partial);
  });
  return { text: () => kept.slice(-keep) };
}

/** Sends a signal to a whole process group; a group that is gone already is fine. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return sendSignal(-pid, signal);
}

function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
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

/**
 * Kills (SIGKILL) every process whose environment says `name=value`, except this one: also those that left their
 * process group or were adopted by init. Linux only; processes of other users are passed over.
 * @returns the ids of the processes that were killed
 */
export async function killMarked(name: string, value: string): Promise<number[]> {
  const killed: number[] = [];
  // A process may fork while we look: go round until a pass finds nobody.
  for (let pass = 0; pass < 10; pass++) {
    const found = (await findMarked(name, value)).filter((pid) => sendSignal(pid, 'SIGKILL'));
    if (found.length === 0) break;
    killed.push(...found);
    await delay(20);
  }
  return [...new Set(killed)];
}

async function findMarked(name: string, value: string): Promise<number[]> {
  const marker = `${name}=${value}`;
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const marked = await Promise.all(
    pids.map(async (pid) => {
      if (pid === process.pid) return false;
      try {
        return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').includes(marker);
      } catch {
        return false; // gone meanwhile, or not ours to read
      }
    }),
  );
  return pids.filter((_, index) => marked[index]);
}

/**
 * Calls `onDeath` once when the process that started us is gone (we were handed to another parent).
 * Looks every `everyMs` milliseconds; never keeps the process alive by itself.
 */
export function watchParent(onDeath: () => void, everyMs = 500): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    onDeath();
  }, everyMs);
  timer.unref();
}
