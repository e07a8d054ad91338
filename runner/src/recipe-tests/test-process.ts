import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandFailedError, CommandLimitError, CommandTimeoutError, type CommandTrace } from '@cc-ci/core';
import { runTool, type StageContext } from '../context.js';
import { lastLines } from '../failure.js';
import { APP_FILE_VARIABLE, appFile } from './app-file.js';
import { RESULTS_VARIABLE } from './result-lines.js';

const MIB = 2 ** 20;

/** A file of the harness that a test process runs. */
export const harnessFile = (name: string) => fileURLToPath(new URL(`../harness/${name}`, import.meta.url));
/** Arguments of Node for a program that reads TypeScript. */
export const withTypeScript = (program: string) => [
  '--import',
  import.meta.resolve('tsx'),
  harnessFile(program),
];

/** One process with test code in it. */
export interface TestProcess {
  args: readonly string[];
  cwd: string;
  /** Seconds it may take. */
  timeout: number;
  /** Added to the little that every test process gets. */
  env?: NodeJS.ProcessEnv;
  /** Whether there is an app whose facts it may read. */
  withApp: boolean;
  /** Names of files in its output, as people know them. */
  show?: (text: string) => string;
}

/** How a test process came to its end. */
export interface ProcessEnd {
  /** `failed`: with an exit code or signal; `timeout`, `limit`: killed for what it used. */
  how: 'well' | 'failed' | 'timeout' | 'limit';
  /** What it did, as the end of a sentence: "used more than 2048 MiB of memory and was killed". */
  what: string;
  /** The last lines it printed, without redacted values. */
  output: string[];
}

/**
 * Runs somebody else's code: alone in its process group, with nothing of our environment, and with limits on time,
 * memory and output. All it has started is killed at its end.
 * @param read is given the path of the results file the process may have written, which is deleted after
 */
export async function runTestProcess<T>(
  context: StageContext,
  test: TestProcess,
  read: (results: string) => Promise<T>,
): Promise<{ end: ProcessEnd; results: T }> {
  const { show = (text: string) => text } = test;
  const folders = {
    home: join(context.dir, 'home'),
    tmp: join(context.dir, 'tmp'),
    results: join(context.dir, 'results'),
  };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  const results = join(folders.results, `${randomBytes(8).toString('hex')}.jsonl`);
  const { testMemory, testOutput } = context.config.runner;
  try {
    const end = await endOf(show, () =>
      runTool(context, process.execPath, test.args, {
        cwd: test.cwd,
        env: {
          ...testEnvironment(folders.home, folders.tmp),
          ...(test.withApp ? { [APP_FILE_VARIABLE]: appFile(context.dir) } : {}),
          [RESULTS_VARIABLE]: results,
          ...test.env,
        },
        timeoutMs: test.timeout * 1000,
        limits: { memoryBytes: testMemory * MIB, outputBytes: testOutput * MIB },
        onLine: (line) => context.stage.log(show(line)),
      }),
    );
    return { end, results: await read(results) };
  } finally {
    await rm(results, { recursive: true, force: true });
  }
}

/** All that test code gets of our environment. Variables that cc-ci needs are added to it. */
function testEnvironment(home: string, tmp: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: home,
    TMPDIR: tmp,
    ...(process.env.DOCKER_HOST ? { DOCKER_HOST: process.env.DOCKER_HOST } : {}),
  };
}

async function endOf(show: (text: string) => string, running: () => Promise<unknown>): Promise<ProcessEnd> {
  const ended = (how: ProcessEnd['how'], what: string, { output }: CommandTrace): ProcessEnd => ({
    how,
    what,
    output: lastLines(show(output)),
  });
  try {
    await running();
    return { how: 'well', what: 'ended', output: [] };
  } catch (error) {
    if (error instanceof CommandFailedError) return ended('failed', ending(error), error.trace);
    if (error instanceof CommandTimeoutError) return ended('timeout', ending(error), error.trace);
    if (error instanceof CommandLimitError) return ended('limit', ending(error), error.trace);
    throw error;
  }
}

/** What the error says after the command line, which is of no use to people here. */
function ending(error: CommandFailedError | CommandTimeoutError | CommandLimitError): string {
  const [headline = ''] = error.message.slice(error.trace.command.length + 1).split('\n');
  return headline.replace(/:$/, '');
}
