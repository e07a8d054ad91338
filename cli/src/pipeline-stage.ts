import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  EXIT_CODE,
  InputError,
  judge,
  loadConfig,
  type RunRecord,
  readJson,
  readRun,
  requestFromEnvironment,
  runFolder,
  STAGES,
  type StageName,
  writeJson,
} from '@cc-ci/core';
import { DeadlineError, type RunnerOptions, runStage } from '@cc-ci/runner';
import { z } from 'zod';
import { runnerOptions } from './runner-options.js';

/**
 * One step of a pipeline: a stage of the run that the environment describes (RUN, RECIPE, REF, SRC, …), with the tests
 * of the folder it is started in. All steps share the run's deadline. When it is told to stop, or its shell is killed
 * (Drone kills that, and comes back for nothing), it also does what the steps after it would have: the rest is
 * recorded as not run, and the app torn down.
 * @returns the exit code: the stage's own, after teardown that of the whole run
 * @throws InputError when the environment describes no request, or the run was not begun here
 */
export async function runPipelineStage(stage: StageName): Promise<number> {
  const request = requestFromEnvironment(process.env);
  const { engine } = loadConfig(['engine']);
  const { terminal, ...options } = runnerOptions({ timeout: String(engine.buildTimeout) });
  // Whoever reads our output may die before us.
  process.stderr.on('error', () => undefined);
  const { common, runner } = options.config;
  runner.testsDir = resolve(runner.testsDir);
  common.stateDir = resolve(common.stateDir);
  await mkdir(common.stateDir, { recursive: true });
  // Drone deletes the workspace when it has killed a build; a teardown must not stand in a folder that is gone.
  process.chdir(common.stateDir);
  const dir = runFolder(common.stateDir, request.run);
  try {
    const before = stage === 'prepare' ? undefined : await begun(dir, request.run);
    if (before?.summary) {
      terminal.print(`run ${request.run} has ended already: ${before.summary.outcome.sentence}`);
      return EXIT_CODE[before.summary.outcome.verdict];
    }
    if (before) await mustBeOurBuild(dir, request.run);
    const deadline = before ? withinDeadline(options, before) : options;
    await runStage(stage, request.run, request, deadline);
    if (!before) await writeJson(buildFile(dir), { build: thisBuild() } satisfies z.output<typeof builtBy>);
    if (options.signal.aborted) {
      for (const next of STAGES.slice(STAGES.indexOf(stage) + 1)) {
        await runStage(next, request.run, undefined, options);
      }
    }
    return exitCode(await begun(dir, request.run), stage);
  } finally {
    terminal.close();
  }
}

/** Which build of Drone's does a run: somebody may restart one in Drone's pages, with the same parameters. */
const buildFile = (dir: string) => join(dir, 'build.json');
const builtBy = z.strictObject({ build: z.string() });
const thisBuild = () => process.env.DRONE_BUILD_NUMBER ?? '';

async function mustBeOurBuild(dir: string, run: string): Promise<void> {
  if ((await readJson(buildFile(dir), builtBy))?.build === thisBuild()) return;
  throw new InputError(`run ${run} belongs to another build`, {
    hint: 'a build cannot be restarted; comment !testme to run it again',
  });
}

async function begun(dir: string, run: string): Promise<RunRecord> {
  const record = await readRun(dir);
  if (record) return record;
  throw new InputError(`run ${run} was not begun on this host`, { hint: 'its prepare stage comes first' });
}

/** What is left of the time that all stages have together. */
function withinDeadline(options: RunnerOptions, { plan }: RunRecord): RunnerOptions {
  const left = Date.parse(plan.createdAt) + options.timeoutMs - Date.now();
  if (left > 0) return { ...options, timeoutMs: left };
  const reason = new DeadlineError(`the run took longer than ${options.timeoutMs / 1000} s and was ended`);
  return { ...options, signal: AbortSignal.any([options.signal, AbortSignal.abort(reason)]) };
}

function exitCode({ stages, summary }: RunRecord, stage: StageName): number {
  if (summary) return EXIT_CODE[summary.outcome.verdict];
  const done = stages.filter((it) => it.stage === stage);
  const unsound = done.some(({ state }) => state === 'failed' || state === 'not-run');
  return unsound ? EXIT_CODE[judge(done).verdict] : 0;
}
