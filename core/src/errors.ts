/** Errors a person can act on: `message` names what was wrong, `hint` what to do about it. */
export class CcCiError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/** Something we were given (a name, a number, a file) is not of the form it must have. Nothing was started. */
export class InputError extends CcCiError {}

/** One or more settings are missing, unknown or malformed; every problem is listed. */
export class ConfigError extends CcCiError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`, {
      hint: 'run `cc-ci config` for the table of settings',
    });
    this.problems = problems;
  }
}

/** A program this work needs is not installed. */
export class ToolMissingError extends CcCiError {}

/** What a program that was run left behind when it did not end well. */
export interface CommandTrace {
  /** Program and arguments, for people; never given to a shell. */
  command: string;
  /** Last part of stdout and stderr, redacted. */
  output: string;
}

/** A program ended with an exit code that was not accepted, or by a signal nobody here sent. */
export class CommandFailedError extends CcCiError {
  readonly trace: CommandTrace;
  readonly exitCode: number | undefined;

  constructor(trace: CommandTrace, exitCode: number | undefined, signal: string | undefined) {
    const how = signal ? `was ended by ${signal}` : `failed with exit code ${exitCode}`;
    super(`${trace.command} ${how}${trace.output ? `:\n${trace.output}` : ''}`);
    this.trace = trace;
    this.exitCode = exitCode;
  }
}

/** A program ran longer than it was allowed to; its process group was ended. */
export class CommandTimeoutError extends CcCiError {
  readonly trace: CommandTrace;

  constructor(trace: CommandTrace, timeoutMs: number) {
    super(`${trace.command} did not end within ${timeoutMs / 1000} s and was stopped`);
    this.trace = trace;
  }
}

/** A program used more of something than it was allowed to; everything it had started was killed. */
export class CommandLimitError extends CcCiError {
  readonly trace: CommandTrace;
  readonly limit: 'memoryBytes' | 'outputBytes';

  constructor(trace: CommandTrace, limit: 'memoryBytes' | 'outputBytes', bytes: number) {
    const mebibytes = Math.round(bytes / 2 ** 20);
    const what =
      limit === 'memoryBytes'
        ? `used more than ${mebibytes} MiB of memory`
        : `printed more than ${mebibytes} MiB`;
    super(`${trace.command} ${what} and was killed`);
    this.trace = trace;
    this.limit = limit;
  }
}

/** The work was asked to stop (a signal, a cancel, a parent that died). */
export class CancelledError extends CcCiError {}

/**
 * A server we asked (Docker, a forge) answered with an HTTP error.
 * `status` is the HTTP status code.
 */
export class HttpStatusError extends CcCiError {
  readonly status: number;

  constructor(what: string, status: number, detail: string) {
    super(`${what}: HTTP ${status}${detail ? `: ${detail}` : ''}`);
    this.status = status;
  }
}

/** The text of any thrown value, with the hint of ours appended. */
export function describeError(error: unknown): string {
  if (error instanceof CcCiError && error.hint) return `${error.message} (${error.hint})`;
  return error instanceof Error ? error.message : String(error);
}
