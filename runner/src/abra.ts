import { CommandFailedError, InputError, type RunOptions, type RunResult } from '@cc-ci/core';
import { z } from 'zod';
import { abraFolder, requireApp, runTool, type StageContext } from './context.js';

const SECRET_TIMEOUT_MS = 120_000;
const QUICK_TIMEOUT_MS = 60_000;
/** `docker stack deploy` resolves every image at its registry before it returns. */
const DEPLOY_TIMEOUT_MS = 600_000;
const UNDEPLOY_TIMEOUT_MS = 180_000;

/**
 * Runs abra as this run's own: its ABRA_DIR, no prompts, English messages, no colours.
 * Proxy, Docker and abra's own variables pass through; nothing else of ours does.
 */
export async function abra(
  context: StageContext,
  args: readonly string[],
  options: Pick<RunOptions, 'cwd' | 'signal'> & {
    timeoutMs: number;
    quiet?: boolean;
    /** Added to abra's environment. */
    env?: NodeJS.ProcessEnv;
    /** Another program that runs abra. */
    program?: string;
  },
): Promise<RunResult> {
  const { program = context.config.runner.abra, env, ...rest } = options;
  return runTool(context, program, args, {
    env: {
      ...passThrough(process.env),
      ABRA_DIR: abraFolder(context.dir),
      LANG: 'C',
      LC_ALL: 'C',
      TERM: 'dumb',
      NO_COLOR: '1',
      ...env,
    },
    missingHint: 'install abra (https://docs.coopcloud.tech/abra/install/), or point CC_CI_ABRA at it',
    ...rest,
  });
}

/**
 * An abra call for a shell: a command line that is the same whatever the arguments are, which come in variables.
 */
export function abraArguments(
  context: StageContext,
  args: readonly string[],
): { program: string; env: NodeJS.ProcessEnv } {
  const words = [context.config.runner.abra, ...args];
  return {
    program: `exec ${words.map((_, index) => `"$ABRA_WORD_${index}"`).join(' ')}`,
    env: Object.fromEntries(words.map((word, index) => [`ABRA_WORD_${index}`, word])),
  };
}

const PASSED_ON =
  /^(PATH|HOME|USER|SSL_CERT_FILE|GIT_SSL_CAINFO|(HTTPS?|NO)_PROXY|(https?|no)_proxy|(DOCKER|ABRA)_.*)$/;

function passThrough(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.test(name)));
}

/** abra's version, as it says it; the stand-in calls itself 0.0.0-standin. */
export async function abraVersion(context: StageContext): Promise<string> {
  const { stdout } = await abra(context, ['--version'], { timeoutMs: QUICK_TIMEOUT_MS });
  return /abra version (\S+)/.exec(stdout)?.[1] ?? (stdout.trim() || 'unknown');
}

/** Registers the local server in this run's ABRA_DIR. */
export async function addLocalServer(context: StageContext): Promise<void> {
  await abra(context, ['server', 'add', '--local'], { timeoutMs: QUICK_TIMEOUT_MS });
}

/** Writes the app's env file from the recipe's sample. `-C -o`: the tree stays as we checked it out. */
export async function newApp(context: StageContext): Promise<void> {
  const { domain } = requireApp(context);
  const server = context.config.runner.abraServer;
  await abra(
    context,
    ['app', 'new', context.plan.request.recipe, '-n', '-C', '-o', `--domain=${domain}`, `--server=${server}`],
    { timeoutMs: QUICK_TIMEOUT_MS },
  );
}

const generated = z.array(z.looseObject({ name: z.string(), value: z.string() }));

/**
 * Generates every secret the recipe lets abra generate. Their values come out of this call only, once.
 * @returns pairs of secret name (the compose key) and value; none when the recipe has no secrets
 */
export async function generateSecrets(context: StageContext): Promise<[string, string][]> {
  const { domain } = requireApp(context);
  let answer: RunResult;
  try {
    answer = await abra(context, ['app', 'secret', 'generate', domain, '--all', '-n', '-m', '-C', '-o'], {
      timeoutMs: SECRET_TIMEOUT_MS,
      quiet: true,
    });
  } catch (error) {
    // abra exits 1 when there was nothing to generate (abra contract 3.3).
    if (error instanceof CommandFailedError && /no secrets generated/i.test(error.trace.output)) return [];
    throw withoutOutput(error);
  }
  return parseMachineOutput(answer.stdout, generated).map(({ name, value }) => [name, value]);
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
 * The JSON in what abra printed: from the first `[` or `{` on, log lines before it are skipped.
 * @throws InputError when there is none, or it is not of the expected form
 */
export function parseMachineOutput<S extends z.ZodType>(stdout: string, schema: S): z.output<S> {
  const at = stdout.search(/^[[{]/m);
  if (at < 0) throw new InputError('abra answered without JSON where -m was given');
  let value: unknown;
  try {
    value = JSON.parse(stdout.slice(at));
  } catch (error) {
    throw new InputError(`abra's JSON cannot be read: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new InputError(`abra's JSON has another form than expected: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Deploys what is checked out (`-C`), without waiting: convergence is read from Docker. */
export async function deployCheckout(context: StageContext): Promise<void> {
  const { domain } = requireApp(context);
  await abra(context, ['app', 'deploy', domain, '-n', '-C', '-o', '-D', '-c'], {
    timeoutMs: DEPLOY_TIMEOUT_MS,
  });
}

/** Removes the stack, as an operator would; volumes and secrets stay. Not deployed is fine. */
export async function undeploy(context: StageContext, signal: AbortSignal): Promise<void> {
  const { domain } = requireApp(context);
  try {
    await abra(context, ['app', 'undeploy', domain, '-n'], { timeoutMs: UNDEPLOY_TIMEOUT_MS, signal });
  } catch (error) {
    if (error instanceof CommandFailedError && /not deployed/i.test(error.trace.output)) return;
    throw error;
  }
}

/** Stores a secret that abra does not generate; its value is in a file, never among the arguments. */
export async function insertSecret(
  context: StageContext,
  key: string,
  version: string,
  file: string,
): Promise<void> {
  const { domain } = requireApp(context);
  await abra(context, ['app', 'secret', 'insert', domain, key, version, file, '-f', '-n', '-C', '-o'], {
    timeoutMs: SECRET_TIMEOUT_MS,
  });
}
