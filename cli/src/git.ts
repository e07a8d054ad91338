import { run } from '@cc-ci/core';

/** What git sets for its hooks: whoever starts us from one does not want us to work in that repository. */
const OF_A_REPOSITORY = new Set([
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
]);

export interface GitOptions {
  signal: AbortSignal;
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv;
  input?: string;
  okCodes?: readonly number[];
}

const TIMEOUT_MS = 120_000;

/**
 * Runs git as the person who called us (their settings and credentials), but it asks nobody for a password and writes
 * nothing that it need not: no refreshed index, no monitor left running.
 * @returns what it printed, as it is
 */
export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !OF_A_REPOSITORY.has(name));
  const { stdout } = await run('git', ['-c', 'core.fsmonitor=false', ...args], {
    timeoutMs: TIMEOUT_MS,
    // Lists of all files of a recipe, or of all refs of a forge, must come whole.
    keep: 64 * 1024 * 1024,
    ...options,
    env: {
      ...Object.fromEntries(own),
      GIT_TERMINAL_PROMPT: '0',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_LAZY_FETCH: '1',
      LC_ALL: 'C',
      ...options.env,
    },
  });
  return stdout;
}
