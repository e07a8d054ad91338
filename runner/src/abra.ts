import {
  CommandFailedError,
  InputError,
  listSecrets,
  listServices,
  type RunOptions,
  type RunResult,
} from '@cc-ci/core';
import { z } from 'zod';
import { argvOf, OPERATIONS, type Operation, type OperationName } from './abra-operations.js';
import { abraFolder, requireApp, runTool, type StageContext } from './context.js';
import { renderApp } from './rendered.js';

/** What to do where there is no abra. */
export const ABRA_HINT =
  'install abra (https://docs.coopcloud.tech/abra/install/), or point CC_CI_ABRA at it';

/** What a call is about, besides what the table of operations says of it. */
export interface AbraCall extends Pick<RunOptions, 'cwd' | 'signal'> {
  /** Arguments after the command's words. */
  about?: readonly string[];
  /** Values of the flags that take one. */
  values?: Readonly<Record<string, string>>;
  /** Whether its output stays out of the log. */
  quiet?: boolean;
}

/** An abra with its folder. */
export interface AbraHome {
  /** The abra program. */
  program: string;
  /** ABRA_DIR. */
  dir: string;
  /** Runs a program for whoever asks, as core's `run` does. */
  run(file: string, args: readonly string[], options: ToolOptions): Promise<RunResult>;
}

type ToolOptions = RunOptions & { quiet?: boolean };

/** Does one operation of abra as this run's own. @throws CommandFailedError when abra does not exit with 0 */
export function abra(context: StageContext, name: OperationName, call: AbraCall = {}): Promise<RunResult> {
  const home: AbraHome = {
    program: context.config.runner.abra,
    dir: abraFolder(context.dir),
    run: (file, args, options) => runTool(context, file, args, options),
  };
  return callAbra(home, name, call);
}

/**
 * Does one operation of abra: in its own ABRA_DIR, no prompts, English messages, no colours.
 * @throws CommandFailedError when abra does not exit with 0
 */
export async function callAbra(
  home: AbraHome,
  name: OperationName,
  { about, values, ...options }: AbraCall = {},
): Promise<RunResult> {
  const operation: Operation = OPERATIONS[name];
  const call = { ...options, timeoutMs: operation.timeoutMs };
  const argv = argvOf(name, about, values);
  try {
    return await runAbra(home, home.program, argv, call);
  } catch (error) {
    if (!operation.wantsTerminal || !isWithoutTerminal(error)) throw error;
  }
  return withTerminal(home, [home.program, ...argv], call);
}

function runAbra(
  home: AbraHome,
  program: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<RunResult> {
  return home.run(program, args, {
    missingHint: ABRA_HINT,
    ...options,
    env: { ...abraEnvironment(home.dir), ...options.env },
  });
}

const PASSED_ON =
  /^(PATH|HOME|USER|SSL_CERT_FILE|GIT_SSL_CAINFO|(HTTPS?|NO)_PROXY|(https?|no)_proxy|(DOCKER|ABRA)_.*)$/;

/** What abra is given: Proxy, Docker and its own variables pass through, nothing else of ours does. English, no colours. */
export function abraEnvironment(dir: string): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
  return {
    ...Object.fromEntries(passed),
    ABRA_DIR: dir,
    LANG: 'C',
    LC_ALL: 'C',
    TERM: 'dumb',
    NO_COLOR: '1',
  };
}

/** Docker's words, and those of others who miss a terminal; Docker's are never translated. */
function isWithoutTerminal(error: unknown): boolean {
  return error instanceof CommandFailedError && /not a (?:TTY|terminal)/i.test(error.trace.output);
}

/**
 * Runs a command under `script`, which gives it a terminal. The command line that `script` hands to a shell is the same
 * whatever the words are: they come to it as variables.
 */
function withTerminal(home: AbraHome, words: readonly string[], options: ToolOptions): Promise<RunResult> {
  const line = `exec ${words.map((_, index) => `"$ABRA_WORD_${index}"`).join(' ')}`;
  const env = Object.fromEntries(words.map((word, index) => [`ABRA_WORD_${index}`, word]));
  return runAbra(home, 'script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    ...options,
    env,
  });
}

/** Whether a failure only means that there was nothing to do: abra says so, or, in whatever language, Docker does. */
async function hadNothingToDo(
  name: 'generateSecrets' | 'undeploy',
  error: unknown,
  isSo: () => Promise<boolean>,
): Promise<boolean> {
  if (!(error instanceof CommandFailedError)) return false;
  return OPERATIONS[name].nothingToDo.test(error.trace.output) || isSo();
}

/** abra's version, as it says it; the stand-in calls itself 0.0.0-standin. */
export async function abraVersion(context: StageContext): Promise<string> {
  const { stdout } = await abra(context, 'version');
  return abraVersionIn(stdout);
}

/** The version in what `abra --version` prints. */
export function abraVersionIn(stdout: string): string {
  return /abra version (\S+)/.exec(stdout)?.[1] ?? (stdout.trim() || 'unknown');
}

/** Registers the local server in this run's ABRA_DIR. */
export async function addLocalServer(context: StageContext): Promise<void> {
  await abra(context, 'addLocalServer');
}

/** Writes the app's env file from the recipe's sample. */
export async function newApp(context: StageContext): Promise<void> {
  const { domain } = requireApp(context);
  await abra(context, 'newApp', {
    about: [context.plan.request.recipe],
    values: { domain, server: context.config.runner.abraServer },
  });
}

const generated = z.array(z.looseObject({ name: z.string(), value: z.string() }));

/**
 * Generates every secret the recipe lets abra generate. Their values come out of this call only, once.
 * @param given keys of secrets that are not generated but inserted later
 * @returns pairs of secret name (the compose key) and value; none when the recipe has no secrets
 */
export async function generateSecrets(
  context: StageContext,
  given: ReadonlySet<string>,
): Promise<[string, string][]> {
  const { domain } = requireApp(context);
  let answer: RunResult;
  try {
    answer = await abra(context, 'generateSecrets', { about: [domain], quiet: true });
  } catch (error) {
    if (await hadNothingToDo('generateSecrets', error, () => haveAllSecrets(context, given))) return [];
    throw withoutOutput(error);
  }
  return parseMachineOutput(answer.stdout, generated).map(({ name, value }) => [name, value]);
}

/** Whether Docker has every secret that the compose files name, save for the given ones. */
async function haveAllSecrets(context: StageContext, given: ReadonlySet<string>): Promise<boolean> {
  const { stack } = requireApp(context);
  const { secrets } = await renderApp(context);
  const there = new Set((await listSecrets(context.docker, `${stack}_`)).map(({ name }) => name));
  return [...secrets].every(([key, name]) => given.has(key) || there.has(name));
}

/** An error of a command whose output may hold secrets that no redactor knows yet. */
function withoutOutput(error: unknown): unknown {
  if (!(error instanceof CommandFailedError)) return error;
  const fatal = error.trace.output
    .split('\n')
    .filter((line) => /\bFATA\b/.test(line))
    .join('\n');
  return new CommandFailedError({ command: error.trace.command, output: fatal }, error.exitCode, undefined);
}

/**
 * The JSON in what abra printed: from the first line on that begins one and is one to the end; log lines before it are
 * skipped.
 * @throws InputError when there is none, or it is not of the expected form
 */
export function parseMachineOutput<S extends z.ZodType>(stdout: string, schema: S): z.output<S> {
  let problem = 'abra answered without JSON where -m was given';
  for (const { index } of stdout.matchAll(/^[[{]/gm)) {
    let value: unknown;
    try {
      value = JSON.parse(stdout.slice(index));
    } catch (error) {
      problem = `abra's JSON cannot be read: ${(error as Error).message}`;
      continue;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new InputError(`abra's JSON has another form than expected: ${z.prettifyError(parsed.error)}`);
  }
  throw new InputError(problem);
}

/** Deploys what is checked out, without waiting: convergence is read from Docker. */
export async function deployCheckout(context: StageContext): Promise<void> {
  await abra(context, 'deploy', { about: [requireApp(context).domain] });
}

/** Removes the stack, as an operator would; volumes and secrets stay. Not deployed is fine. */
export async function undeploy(context: StageContext, signal: AbortSignal): Promise<void> {
  const { domain, stack } = requireApp(context);
  const isGone = async () => (await listServices(context.docker, stack)).length === 0;
  try {
    await abra(context, 'undeploy', { about: [domain], signal });
  } catch (error) {
    if (!(await hadNothingToDo('undeploy', error, isGone))) throw error;
  }
}

/** Stores a secret that abra does not generate; its value is in a file, never among the arguments. */
export async function insertSecret(
  context: StageContext,
  key: string,
  version: string,
  file: string,
): Promise<void> {
  await abra(context, 'insertSecret', { about: [requireApp(context).domain, key, version, file] });
}
