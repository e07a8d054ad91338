import {
  CancelledError,
  CommandFailedError,
  CommandLimitError,
  CommandTimeoutError,
  ToolMissingError,
} from './errors.js';
import { endGroup, signalGroup } from './process-group.js';
import type { Redactor } from './redact.js';
import { guardLimits, newProcessMark, PROCESS_MARKER, type RunLimits } from './run-limits.js';

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
  /**
   * For code that is not ours: what it may use together with all it starts. All of that is killed at the end, also what
   * has left the process group.
   */
  limits?: RunLimits;
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
 * @throws CommandLimitError when it used more than its `limits`
 * @throws CancelledError when `signal` was aborted
 * @throws CommandFailedError when its exit code is not one of `okCodes`
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  // Loaded by who runs something: with its hundred modules it takes as long as the rest of a short command.
  const { execa } = await import('execa');
  const command = [file, ...args].join(' ');
  if (options.signal?.aborted) throw new CancelledError(`${command}: not started, the work was cancelled`);
  const redact = (text: string) => options.redactor?.text(text) ?? text;
  const started = performance.now();
  const mark = options.limits && newProcessMark();
  const env = mark ? { ...(options.env ?? process.env), [PROCESS_MARKER]: mark } : options.env;
  const child = execa(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(env === undefined ? {} : { env, extendEnv: false }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stripFinalNewline: false,
  });

  let ended: 'timeout' | 'cancelled' | keyof RunLimits | undefined;
  const end = (why: 'timeout' | 'cancelled') => {
    ended ??= why;
    if (child.pid !== undefined) void endGroup(child.pid, options.graceMs ?? TERM_GRACE_MS);
  };
  const killGroup = () => void (child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'));
  const guard =
    mark && options.limits
      ? guardLimits(child, mark, options.limits, (limit) => {
          ended ??= limit;
          killGroup();
        })
      : undefined;
  const collect = (name: 'stdout' | 'stderr') =>
    collectLines(child[name], options.keep ?? DEFAULT_KEEP, guard?.mayPrint, (line) =>
      options.onLine?.(redact(line), name),
    );
  const stdout = collect('stdout');
  const stderr = collect('stderr');
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(end, options.timeoutMs, 'timeout');
  const onAbort = () => end('cancelled');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  // Grandchildren that outlive the program would keep its pipes open, and us waiting.
  child.once('exit', killGroup);

  const result = await child;
  await guard?.settled();
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', onAbort);

  if (child.pid === undefined || result.code === 'ENOENT' || result.code === 'EACCES') {
    throw new ToolMissingError(`${file} cannot be run: ${result.originalMessage ?? 'not found'}`, {
      hint: options.missingHint ?? HOW_TO_GET[file.split('/').pop() ?? file] ?? `install ${file}`,
    });
  }
  const output = redact(`${stdout.text()}${stderr.text()}`.trim()).slice(-ERROR_TAIL);
  const trace = { command: redact(command), output };
  if (ended === 'timeout') throw new CommandTimeoutError(trace, options.timeoutMs ?? 0);
  if (ended === 'memoryBytes' || ended === 'outputBytes')
    throw new CommandLimitError(trace, ended, options.limits?.[ended] ?? 0);
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

function collectLines(
  stream: NodeJS.ReadableStream | null,
  keep: number,
  mayPrint: ((chunk: string) => boolean) | undefined,
  onLine: (line: string) => void,
) {
  let kept = '';
  let partial = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    if (mayPrint?.(chunk) === false) return;
    if (keep > 0) kept += chunk;
    if (kept.length > 2 * keep) kept = kept.slice(-keep);
    // Only the new part is searched: a line may come in a thousand pieces.
    const [first = '', ...others] = chunk.split('\n');
    partial += first;
    for (const line of others) {
      onLine(partial.replace(/\r$/, ''));
      partial = line;
    }
  });
  stream?.on('end', () => {
    if (partial) onLine(partial);
  });
  return { text: () => kept.slice(-keep) };
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
