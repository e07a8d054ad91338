import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type Config,
  connectDocker,
  disconnectDocker,
  InputError,
  isTornDown,
  type Plan,
  pendingStage,
  planFile,
  type RunRecord,
  type RunSummary,
  readRun,
  runFolder,
  STAGES,
  type StageName,
  type StageRecord,
  type StageState,
  stageFile,
  type TestRequest,
  waitForLock,
  writeJson,
} from '@cc-ci/core';
import { cachedRedactor, loadSecrets, type StageContext } from './context.js';
import { DeadlineError, failureOf, StageSkip } from './failure.js';
import type { Say } from './progress.js';
import { finalise, lockFile } from './reap.js';
import { startStage } from './recorder.js';
import { backup } from './stages/backup.js';
import { install } from './stages/install.js';
import { prepare } from './stages/prepare.js';
import { recipeTests } from './stages/recipe-tests.js';
import { teardown } from './stages/teardown.js';
import { upgrade } from './stages/upgrade.js';
import { startWatchdog } from './watchdog.js';

/** What each stage does. */
const STAGE_WORK: Record<StageName, (context: StageContext) => Promise<void>> = {
  prepare,
  install,
  upgrade,
  backup,
  'recipe-tests': recipeTests,
  teardown,
};

/**
 * Why a stage makes no sense after what came before, or undefined where it does: a stage that failed in one way may
 * well leave the others something to show.
 */
function hindrance(stage: StageName, { plan, stages }: RunRecord): string | undefined {
  if (stage === 'prepare' || stage === 'teardown') return undefined;
  if (!plan.app) return 'prepare did not come far enough to deploy anything';
  const install = stages.find((it) => it.stage === 'install');
  // Without a single test it never came up; it would not for the other stages either.
  if (stage !== 'install' && install?.state === 'failed' && install.tests.length === 0)
    return 'the app did not come up in install';
  return undefined;
}

export interface RunnerOptions {
  config: Config<'common' | 'runner'>;
  /** Aborted to cancel; its reason is told. Teardown is still done. */
  signal: AbortSignal;
  /** Milliseconds the stages before teardown may take together. */
  timeoutMs: number;
  say: Say;
  /** Only these stages, besides prepare and teardown, which are always done; default: all. */
  only?: readonly StageName[];
  /** Leaves the app up after the run; one that was stopped is torn down all the same. */
  keep?: boolean;
  /** Command line that cleans up after this process if it is killed; called with the run's folder as last argument. */
  watchdog: readonly string[];
}

/**
 * Takes one request through all stages, teardown included whatever happens, and says what it came to.
 * @throws InputError when the run exists already
 */
export async function runAll(request: TestRequest, options: RunnerOptions): Promise<RunSummary> {
  const dir = await makeFolder(request, options.config.common.stateDir);
  return guarded(dir, options, async (deadline) => {
    await writePlan(dir, request, 'run', options.only);
    for (const stage of STAGES) await runOne(stage, dir, options, deadline);
    return finalise(dir);
  });
}

/**
 * Does one stage of a run; `prepare` begins the run, `teardown` ends it. What a stage needs from earlier ones is in
 * the run's folder.
 * @returns the stage's state
 * @throws InputError when the run does not exist, has ended, or the stage was done before
 */
export async function runStage(
  stage: StageName,
  run: string,
  request: TestRequest | undefined,
  options: RunnerOptions,
): Promise<StageState> {
  const { stateDir } = options.config.common;
  if (stage === 'prepare') {
    if (!request) {
      throw new InputError('the prepare stage needs the whole request', {
        hint: 'give --recipe, --ref and --src',
      });
    }
    const dir = await makeFolder(request, stateDir);
    return guarded(dir, options, async (deadline) => {
      await writePlan(dir, request, 'stage');
      return runOne(stage, dir, options, deadline);
    });
  }
  const dir = runFolder(stateDir, run);
  if (!(await readRun(dir)))
    throw new InputError(`there is no run ${run}`, { hint: 'run the prepare stage first' });
  return guarded(dir, options, async (deadline) => {
    const record = await readRun(dir);
    // Until its teardown has passed, a run that has ended can still be torn down.
    const again = stage === 'teardown' && record?.summary !== undefined && !isTornDown(record);
    if (record?.summary && !again)
      throw new InputError(`run ${run} has ended already: ${record.summary.outcome.sentence}`);
    if (record?.stages.some((it) => it.stage === stage && it.state !== 'pending') && !again) {
      throw new InputError(`run ${run} has done ${stage} already`);
    }
    const state = await runOne(stage, dir, options, deadline);
    if (stage === 'teardown') await finalise(dir, { again });
    return state;
  });
}

async function makeFolder(request: TestRequest, stateDir: string): Promise<string> {
  const dir = runFolder(stateDir, request.run);
  await mkdir(dirname(dir), { recursive: true });
  try {
    await mkdir(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new InputError(`run ${request.run} exists already`, { hint: 'every run has an id of its own' });
  }
  return dir;
}

/** Begins the record; under the lock, or a janitor could take the run for a dead one. */
async function writePlan(
  dir: string,
  request: TestRequest,
  mode: Plan['mode'],
  only?: readonly StageName[],
): Promise<void> {
  const plan: Plan = {
    schema: 1,
    request,
    mode,
    createdAt: new Date().toISOString(),
    stages: [...STAGES],
    ...(only ? { only: [...only] } : {}),
    snapshots: [],
    overlays: [],
    tools: {},
  };
  await writeJson(planFile(dir), plan);
}

/** A janitor holds a run's lock only for a look; a reaper for longer than is worth waiting for. In milliseconds. */
const LOCK_WAIT_MS = 5_000;

/** Holds the run's lock and keeps a watchdog beside it while `work` is done. */
async function guarded<T>(
  dir: string,
  options: RunnerOptions,
  work: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const lock = await waitForLock(lockFile(dir), LOCK_WAIT_MS);
  if (!lock) throw new InputError(`another process is working on ${dir}`);
  const watchdog = startWatchdog(options.watchdog, dir);
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort(new DeadlineError(`the run took longer than ${options.timeoutMs / 1000} s and was ended`));
  }, options.timeoutMs);
  try {
    return await work(AbortSignal.any([options.signal, deadline.signal]));
  } finally {
    clearTimeout(timer);
    lock.release();
    await watchdog.dismiss();
  }
}

async function runOne(
  stage: StageName,
  dir: string,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<StageState> {
  const record = await readRun(dir);
  if (!record) throw new InputError(`${dir} is not a run's folder`);
  const left = await leftOut(stage, dir, record.plan, options, signal);
  if (left) return skip(dir, stage, { state: 'declared-skip', reason: left }, options.say);
  const hindered = hindrance(stage, record);
  if (hindered) return skip(dir, stage, { state: 'not-run', reason: hindered }, options.say);
  if (signal.aborted && stage !== 'teardown') {
    // Stopped between two stages: nothing failed, and yet this is why the run is not green.
    const failure = failureOf(signal.reason);
    return skip(dir, stage, { state: 'not-run', reason: failure.message, failure }, options.say);
  }
  return perform(stage, dir, record.plan, options, signal);
}

/** Why whoever started the run wants this stage left out; undefined when it is to be done. */
async function leftOut(
  stage: StageName,
  dir: string,
  plan: Plan,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (stage === 'prepare') return undefined;
  if (stage !== 'teardown')
    return !options.only || options.only.includes(stage) ? undefined : 'left out by --stage';
  // What was stopped nobody wants to look at, and without an app there is nothing to look at.
  if (!options.keep || signal.aborted || !plan.app) return undefined;
  await writeJson(planFile(dir), { ...plan, kept: true });
  return `kept by --keep; cc-ci teardown ${plan.request.run} removes the app`;
}

async function skip(
  dir: string,
  stage: StageName,
  end: Pick<StageRecord, 'state' | 'reason' | 'failure'>,
  say: Say,
): Promise<StageState> {
  await writeJson(stageFile(dir, stage), { ...pendingStage(stage), ...end });
  say({
    kind: 'stage-end',
    stage,
    state: end.state,
    ...(end.reason === undefined ? {} : { why: end.reason }),
  });
  return end.state;
}

async function perform(
  stage: StageName,
  dir: string,
  plan: Plan,
  options: RunnerOptions,
  signal: AbortSignal,
): Promise<StageState> {
  const secrets = await loadSecrets(dir);
  const recorder = await startStage(dir, stage, cachedRedactor(secrets), options.say);
  const docker = connectDocker();
  try {
    await STAGE_WORK[stage]({
      config: options.config,
      docker,
      dir,
      plan,
      stage: recorder,
      // Teardown is done to the end, whatever ended the rest.
      signal: stage === 'teardown' ? new AbortController().signal : signal,
      secrets,
    });
    await recorder.finish({ state: 'passed' });
    return 'passed';
  } catch (error) {
    if (error instanceof StageSkip && !signal.aborted) {
      for (const note of error.notes) await recorder.note(note);
      await recorder.finish({ state: error.state, reason: error.message });
      return error.state;
    }
    // An aborted run shows in all kinds of errors; what it was aborted for is the cause.
    const cause = signal.aborted && stage !== 'teardown' ? signal.reason : error;
    await recorder.finish({ state: 'failed', failure: failureOf(cause) });
    return 'failed';
  } finally {
    await disconnectDocker(docker);
  }
}
