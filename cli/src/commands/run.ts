import { join } from 'node:path';
import {
  CancelledError,
  connectDocker,
  createLogger,
  describeIssues,
  disconnectDocker,
  EXIT_CODE,
  InputError,
  judge,
  loadConfig,
  newRunId,
  readRun,
  runFolder,
  runId,
  type StageName,
  stageName,
  type TestRequest,
  testRequest,
  watchParent,
} from '@cc-ci/core';
import {
  DEFAULT_MAX_AGE_MS,
  type JanitorReport,
  janitor,
  type RunnerOptions,
  runAll,
  runStage,
  watch,
} from '@cc-ci/runner';
import type { Command } from 'commander';
import { z } from 'zod';
import { parse } from '../parse.js';
import { selfCommand } from '../runner-process.js';

interface RequestFlags {
  run?: string;
  recipe?: string;
  ref?: string;
  src?: string;
  origin?: string;
  repo?: string;
  pr?: string;
  requestedBy?: string;
  timeout?: string;
}

const DEFAULT_TIMEOUT = '3600';

/** `cc-ci run`, `stage`, `report`, `janitor` and the watchdog they start. */
export function addRunCommands(program: Command): void {
  withRequestFlags(
    program.command('run <recipe>').description('test one recipe at one commit through all stages'),
  )
    .addHelpText('after', '\nExit code: 0 green, 1 the recipe or its tests, 2 anything else.')
    .action(async (recipe: string, flags: RequestFlags) => {
      const request = parseRequest({ ...flags, recipe, run: flags.run ?? newRunId() });
      const options = runnerOptions(flags);
      options.say(`run ${request.run}: ${request.recipe} at ${request.ref.slice(0, 8)}`);
      const { outcome } = await runAll(request, options);
      options.say(
        `${outcome.verdict.toUpperCase()}${outcome.blame ? ` (${outcome.blame})` : ''}: ${outcome.sentence}`,
      );
      process.exitCode = EXIT_CODE[outcome.verdict];
    });

  withRequestFlags(
    program
      .command('stage <name>')
      .description('do one stage of a run: prepare begins it (and needs the whole request), teardown ends it')
      .option('--recipe <name>', 'the recipe (prepare only)'),
  ).action(async (name: string, flags: RequestFlags) => {
    const stage = parse(stageName, name, `stage ${JSON.stringify(name)}`);
    const run = parse(runId, flags.run, '--run');
    const request = stage === 'prepare' ? parseRequest(flags) : undefined;
    const state = await runStage(stage, run, request, runnerOptions(flags));
    process.exitCode = state === 'failed' || state === 'not-run' ? await exitCodeOf(run, stage) : 0;
  });

  program
    .command('report <run>')
    .description('compute a run’s verdict again from its files')
    .option('--json', 'everything, as JSON')
    .action(async (run: string, flags: { json?: boolean }) => {
      const { common } = loadConfig(['common']);
      const record = await readRun(runFolder(common.stateDir, parse(runId, run, 'run')));
      if (!record) throw new InputError(`there is no run ${run} below ${join(common.stateDir, 'runs')}`);
      const outcome = judge(record.stages);
      if (flags.json) process.stdout.write(`${JSON.stringify({ ...record, outcome }, null, 2)}\n`);
      else {
        for (const { stage, state, reason, failure } of record.stages) {
          process.stdout.write(
            `${stage.padEnd(12)}  ${state}${failure ? `: ${failure.message}` : reason ? `: ${reason}` : ''}\n`,
          );
        }
        process.stdout.write(
          `${outcome.verdict}${outcome.blame ? ` (${outcome.blame})` : ''}: ${outcome.sentence}\n`,
        );
      }
      process.exitCode = EXIT_CODE[outcome.verdict];
    });

  program
    .command('janitor')
    .description('clean up after runs that were killed; runs that live are left alone')
    .addHelpText('after', '\nExit code: 1 when something could not be cleaned up; the next one tries again.')
    .action(async () => {
      const { common, runner, engine } = loadConfig(['common', 'runner', 'engine']);
      const docker = connectDocker();
      try {
        const report = await janitor(docker, {
          stateDir: common.stateDir,
          zone: runner.zone,
          forgetSnapshots: runner.forgetSnapshots,
          logger: createLogger('janitor', common.logLevel),
          maxAgeMs: Math.max(DEFAULT_MAX_AGE_MS, 2 * engine.buildTimeout * 1000),
        });
        for (const line of janitorLines(report)) process.stdout.write(`${line}\n`);
        process.exitCode = report.failed.length > 0 ? 1 : 0;
      } finally {
        await disconnectDocker(docker);
      }
    });

  // Started by the runner beside itself; waits for the end of its stdin.
  program.command('watchdog <dir>', { hidden: true }).action(async (dir: string) => {
    await watch(dir, process.stdin, createLogger('watchdog'), {
      forgetSnapshots: loadConfig(['runner']).runner.forgetSnapshots,
    });
  });
}

/** What a janitor did and found, for people. */
export function janitorLines({ reaped, held, failed, orphans }: JanitorReport): string[] {
  const lines = [
    ...(reaped.length > 0 ? [`cleaned up after ${reaped.join(', ')}`] : []),
    ...failed.map(({ run, error }) => `could not clean up after ${run}: ${error}`),
    ...held.map(
      ({ run, minutes }) =>
        `${run} has been at work for ${minutes} minutes; left alone, look whether it lives`,
    ),
    ...orphans.map(
      (stack) =>
        `${stack} looks like an app of a run whose folder is gone; left alone, remove it by hand if it is`,
    ),
  ];
  return lines.length > 0 ? lines : ['nothing to clean up'];
}

function withRequestFlags(command: Command): Command {
  return command
    .option('--ref <sha>', 'the full commit id to test')
    .option('--src <url>', 'where git fetches that commit from')
    .option('--origin <url>', 'where published versions are fetched from (default: --src)')
    .option('--repo <owner/name>', 'the forge repository the request came from')
    .option('--pr <number>', 'the pull request in it')
    .option('--requested-by <login>', 'who asked')
    .option('--run <id>', 'the run’s id (default: a new one)')
    .option('--timeout <seconds>', 'how long the run may take before it is torn down', DEFAULT_TIMEOUT);
}

function parseRequest(flags: RequestFlags): TestRequest {
  const { timeout: _, ...request } = flags;
  const parsed = testRequest.safeParse(request);
  if (parsed.success) return parsed.data;
  throw new InputError(describeIssues(parsed.error).join('; '), { hint: 'cc-ci run --help' });
}

function runnerOptions(flags: RequestFlags): RunnerOptions {
  const timeout = parse(z.coerce.number().min(1).max(86_400), flags.timeout, '--timeout');
  const cancelled = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => cancelled.abort(new CancelledError(`the run was stopped (${signal})`)));
  }
  // Whoever reads our output may die before us; the teardown that follows must not die of that.
  process.stdout.on('error', () => undefined);
  watchParent(() => cancelled.abort(new CancelledError('the process that started this run is gone')));
  return {
    config: loadConfig(['common', 'runner']),
    signal: cancelled.signal,
    timeoutMs: timeout * 1000,
    say: (line) => void process.stdout.write(`${line}\n`),
    watchdog: selfCommand('watchdog'),
  };
}

async function exitCodeOf(run: string, stage: StageName): Promise<number> {
  const { common } = loadConfig(['common']);
  const record = await readRun(runFolder(common.stateDir, run));
  const done = record?.stages.filter((it) => it.stage === stage) ?? [];
  return EXIT_CODE[judge(done).verdict];
}
