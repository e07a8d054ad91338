import { CcCiError, CommandFailedError, type RunResult, run } from '@cc-ci/core';
import type { Abra } from './context.js';

const LOCAL_TIMEOUT_MS = 60_000;
const REMOTE_TIMEOUT_MS = 300_000;

/** Runs git in a clone. It asks nobody for a password: it fails instead. @throws CcCiError in git's own words */
export async function git(
  abra: Abra,
  folder: string,
  args: readonly string[],
  options: { okCodes?: readonly number[]; remote?: boolean } = {},
): Promise<RunResult> {
  abra.log.debug(`git -C ${folder} ${args.join(' ')}`);
  try {
    return await run('git', ['--no-optional-locks', '-C', folder, ...args], {
      env: { ...abra.env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
      signal: abra.signal,
      timeoutMs: options.remote ? REMOTE_TIMEOUT_MS : LOCAL_TIMEOUT_MS,
      okCodes: options.okCodes ?? [0],
    });
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    throw new CcCiError(`git ${args[0]}: ${error.trace.output || `exit code ${error.exitCode}`}`, {
      cause: error,
    });
  }
}
