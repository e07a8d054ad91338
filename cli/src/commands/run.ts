import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  connectDocker,
  createLogger,
  disconnectDocker,
  EXIT_CODE,
  InputError,
  judge,
  junitXml,
  levelFromFiles,
  loadConfig,
  readRun,
  runFolder,
  runId,
  type StageName,
  stageName,
} from '@cc-ci/core';
import type { JanitorReport } from '@cc-ci/runner';
import type { Command } from 'commander';
import { parseRequest, type RequestFlags, resolveLocalRequest } from '../local-request.js';
import { parse } from '../parse.js';
import { summaryLines } from '../progress.js';
import { DEFAULT_TIMEOUT, runnerOptions } from '../runner-options.js';
import { differences, reportLines } from '../words.js';

interface RunFlags extends RequestFlags {
  timeout: string;
  stage?: StageName[];
  keep?: boolean;
  plan?: boolean;
  json?: boolean;
}

interface StageFlags extends RequestFlags {
  timeout: string;
  fromEnv?: boolean;
}

const RUN_HELP = `
Examples, in a clone of a recipe:
  cc-ci run .                         this folder, as it is now
  cc-ci run . --stage install --keep  only install it, and leave it up to look at
  cc-ci run hedgedoc --ref my-branch --src https://git.example.org/me/hedgedoc.git

Exit code: 0 green, 1 the recipe or its tests, 2 anything else.`;

/**
 * `cc-ci run`, `stage`, `report`, `janitor` and the watchdog they start. The runner is loaded by those that need it: the
 * services are processes of this program, too.
 */
export function addRunCommands(program: Command): void {
  withRequestFlags(
    program
      .command('run <recipe>')
      .description('test one recipe at one commit through all stages; `.` is the recipe in this folder')
      .option('--dir <worktree>', 'test this working tree as it is, uncommitted changes included')
      .option(
        '--stage <name>',
        'only this stage, besides prepare and teardown (again, or a,b: more)',
        addStages,
      )
      .option('--keep', 'leave the app up after the run, to look at it; cc-ci teardown removes it')
      .option('--plan', 'print what would be done, and start nothing')
      .option('--json', 'with --plan: as JSON'),
  )
    .addHelpText('after', RUN_HELP)
    .action(async (recipe: string, flags: RunFlags) => {
      if (flags.json && !flags.plan) throw new InputError('--json goes with --plan only');
      const options = runnerOptions(flags);
      const { terminal, config, signal } = options;
      await mustBeOurs(config.common.stateDir);
      const local = await resolveLocalRequest({ ...flags, recipe }, config, signal);
      const wishes = { only: flags.stage, keep: flags.keep ?? false };
      try {
        if (flags.plan) {
          const { makePlan, planLines } = await import('../local-plan.js');
          const plan = await makePlan(local, { ...options, ...wishes });
          terminal.print(...(flags.json ? [JSON.stringify(plan, null, 2)] : planLines(plan)));
          return;
        }
        const { request, what } = local;
        terminal.print(
          `run ${request.run}: ${request.recipe} at ${request.ref.slice(0, 8)}${what ? ` (${what})` : ''}`,
        );
        const { runAll } = await import('@cc-ci/runner');
        const { outcome } = await runAll(request, {
          ...options,
          keep: wishes.keep,
          ...(wishes.only ? { only: wishes.only } : {}),
        });
        const record = await readRun(runFolder(config.common.stateDir, request.run));
        if (record) terminal.print(...summaryLines(record, terminal.style));
        process.exitCode = EXIT_CODE[outcome.verdict];
      } finally {
        terminal.close();
        await local.close();
      }
    });

  withRequestFlags(
    program
      .command('stage <name>')
      .description('do one stage of a run: prepare begins it (and needs the whole request), teardown ends it')
      .option('--recipe <name>', 'the recipe (prepare only)')
      .option('--from-env', 'the request is in the environment (RUN, RECIPE, …), as in a build of Drone’s'),
  ).action(async (name: string, { timeout, fromEnv, ...flags }: StageFlags) => {
    const stage = parse(stageName, name, `stage ${JSON.stringify(name)}`);
    if (fromEnv) {
      const { runPipelineStage } = await import('../pipeline-stage.js');
      process.exitCode = await runPipelineStage(stage);
      return;
    }
    const run = parse(runId, flags.run, '--run');
    const request = stage === 'prepare' ? parseRequest(flags) : undefined;
    const options = runnerOptions({ timeout });
    const { runStage } = await import('@cc-ci/runner');
    const state = await runStage(stage, run, request, options).finally(() => options.terminal.close());
    process.exitCode = state === 'failed' || state === 'not-run' ? await exitCodeOf(run, stage) : 0;
  });

  program
    .command('report <run>')
    .description('compute verdict, blame and level of a run again from its files')
    .option('--json', 'everything, as JSON')
    .option('--junit', 'stages and tests, as JUnit XML')
    .action(async (run: string, flags: { json?: boolean; junit?: boolean }) => {
      if (flags.json && flags.junit) throw new InputError('--json and --junit: one of them at a time');
      const { common } = loadConfig(['common']);
      const record = await readRun(runFolder(common.stateDir, parse(runId, run, 'run')));
      if (!record) throw new InputError(`there is no run ${run} below ${join(common.stateDir, 'runs')}`);
      const computed = { outcome: judge(record.stages), level: await levelFromFiles(record) };
      const json = () =>
        JSON.stringify({ ...record, ...computed, differences: differences(record, computed) }, null, 2);
      const text = flags.junit
        ? junitXml(record)
        : `${flags.json ? json() : reportLines(record, computed).join('\n')}\n`;
      process.stdout.write(text);
      process.exitCode = EXIT_CODE[computed.outcome.verdict];
    });

  program
    .command('janitor')
    .description('clean up after runs that were killed; runs that live are left alone')
    .addHelpText('after', '\nExit code: 1 when something could not be cleaned up; the next one tries again.')
    .action(async () => {
      const { common, runner, engine } = loadConfig(['common', 'runner', 'engine']);
      const { DEFAULT_MAX_AGE_MS, janitor } = await import('@cc-ci/runner');
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
    const { watch } = await import('@cc-ci/runner');
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
    .option('--ref <ref>', 'what to test: a commit id, branch or tag (default: the default branch)')
    .option('--src <url>', 'where git fetches it from (default: CC_CI_RECIPES_URL/<recipe>.git)')
    .option('--origin <url>', 'where published versions are fetched from (default: --src)')
    .option('--repo <owner/name>', 'the forge repository the request came from')
    .option('--pr <number>', 'the pull request in it')
    .option('--requested-by <login>', 'who asked')
    .option('--run <id>', 'the run’s id (default: a new one)')
    .option('--timeout <seconds>', 'how long the run may take before it is torn down', DEFAULT_TIMEOUT);
}

/** The default is a server's; most people may not write there. */
async function mustBeOurs(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true });
    await access(stateDir, constants.W_OK);
  } catch (error) {
    throw new InputError(`records of runs cannot be kept in ${stateDir}: ${(error as Error).message}`, {
      hint: 'point CC_CI_STATE_DIR at a folder of yours',
      cause: error,
    });
  }
}

/** `--stage a,b --stage c`. */
function addStages(text: string, before: StageName[] = []): StageName[] {
  return [
    ...before,
    ...text.split(',').map((name) => parse(stageName, name.trim(), `--stage ${JSON.stringify(name)}`)),
  ];
}

async function exitCodeOf(run: string, stage: StageName): Promise<number> {
  const { common } = loadConfig(['common']);
  const record = await readRun(runFolder(common.stateDir, run));
  const done = record?.stages.filter((it) => it.stage === stage) ?? [];
  return EXIT_CODE[judge(done).verdict];
}
