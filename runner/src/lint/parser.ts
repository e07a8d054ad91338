import type { RunOptions, RunResult } from '@cc-ci/core';
import type { ComposeSource, LocatedUse } from './compose-source.js';
import type { Combination } from './model.js';

/** As core's `run`. */
export type Run = (file: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/** What is wrong with compose files that are deployed together. */
export interface Complaint {
  message: string;
  where?: string;
}

const PARSE_TIMEOUT_MS = 20_000;
/** Exit codes: fine, a complaint, a client that has no `stack config` (before Docker 25). */
const EXIT_CODES = [0, 1, 125];
const NO_SUCH_COMMAND = /unknown (?:shorthand )?flag|unknown (?:docker )?command|is not a docker command/;

/** Variables that change what programs do: never taken from a recipe's file. */
const NOT_FROM_RECIPES = /^(?:PATH|HOME|LD_.*|DOCKER_.*|GO.*|XDG_.*|(?:HTTPS?|NO|ALL)_PROXY)$/i;

/**
 * Asks Docker's own parser (`docker stack config`; it needs no engine) about a combination. Variables have the values
 * abra would give them; nothing else of our environment is seen. What it prints is not logged: an `env_file` would be
 * in it.
 * @returns its complaint with the place it names, undefined where it has none, 'unsupported' where the client has no
 *   such command
 */
export async function askDocker(
  combination: Combination,
  { dir, run, signal }: { dir: string; run: Run; signal: AbortSignal },
): Promise<Complaint | undefined | 'unsupported'> {
  const files = combination.sources.flatMap(({ name }) => ['--compose-file', name]);
  const { exitCode, stderr } = await run('docker', ['stack', 'config', ...files], {
    cwd: dir,
    env: environment(combination),
    okCodes: EXIT_CODES,
    timeoutMs: PARSE_TIMEOUT_MS,
    signal,
    onLine: () => {},
  });
  if (exitCode === 0) return undefined;
  if (exitCode === 125 || NO_SUCH_COMMAND.test(stderr)) return 'unsupported';
  const complaint = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ')
    .replaceAll(`${dir}/`, '');
  const where = locate(complaint, combination.sources);
  const message = `Docker's parser says "${complaint}"; correct that`;
  return { message, ...(where === undefined ? {} : { where }) };
}

function environment({ sources, env }: Combination): Record<string, string> {
  const used = new Set(sources.flatMap(({ variables }) => variables.map(({ name }) => name)));
  const given = Object.entries(env).filter(([name]) => used.has(name) && !NOT_FROM_RECIPES.test(name));
  return { ...Object.fromEntries(given), PATH: process.env.PATH ?? '', LC_ALL: 'C' };
}

const KEY_PATH = /\b(?:services|networks|volumes|secrets|configs)(?:\.[\w-]+)+/;

/**
 * Where a complaint of Docker's points to, as `file:line`: Docker merges the files and says only the key path, so the
 * last file that has it is the one that counts.
 */
export function locate(complaint: string, sources: readonly ComposeSource[]): string | undefined {
  const missing = /required variable (\w+) is missing/.exec(complaint)?.[1];
  if (missing) return firstUse(sources, ({ name, required }) => required && name === missing)?.where;
  const text = KEY_PATH.exec(complaint)?.[0];
  if (!text) return undefined;
  const additional = /Additional property (\S+) is not allowed/.exec(complaint)?.[1];
  const path = [...text.split('.'), ...(additional ? [additional] : [])];
  return sources.findLast((source) => source.has(path))?.at(path);
}

/** The first use of a variable that is of this kind. */
export function firstUse(
  sources: readonly ComposeSource[],
  wanted: (use: LocatedUse) => boolean,
): LocatedUse | undefined {
  return sources.flatMap(({ variables }) => variables).find(wanted);
}
