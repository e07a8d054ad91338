import { CcCiError, CommandFailedError, type RunOptions, type RunResult, run } from '@cc-ci/core';
import type { Abra } from './context.js';

const QUICK_TIMEOUT_MS = 60_000;
/** For what ends when it wants to, or when we are told to end. */
export const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** What the client says of its progress, as opposed to what went wrong. */
const PROGRESS = /^(?:(?:Creating|Updating|Removing|Ignoring) |Since --detach=false|In a future release)/;

/**
 * Runs the Docker client, by default for at most a minute.
 * @throws CcCiError in the client's own words
 */
export async function dockerClient(
  abra: Abra,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  abra.log.debug(`docker ${args.join(' ')}`);
  try {
    return await run('docker', args, {
      env: abra.env,
      signal: abra.signal,
      timeoutMs: QUICK_TIMEOUT_MS,
      graceMs: 1_000,
      ...options,
    });
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    throw new CcCiError(complaint(error), { cause: error });
  }
}

function complaint(error: CommandFailedError): string {
  const lines = error.trace.output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !PROGRESS.test(line));
  return lines.join('; ') || error.message;
}

/** The fields a Go template picked, one JSON object a line. */
export function jsonLines(stdout: string): unknown[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
}
