import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeError, type Logger } from '@cc-ci/core';
import {
  buildEnvironment,
  makeWorkspace,
  type RunnerEnvironment,
  stepEnvironment,
  type Workspace,
} from './environment.js';
import { openLiveLog } from './live-log.js';
import { type RunPolicy, readPipeline, runPolicy } from './pipeline.js';
import type { Details, DroneRpc, Stage, Step } from './protocol.js';
import { CLONE_COMMANDS, runStep } from './step.js';

/** A step as it will run. */
interface Planned {
  report: Step;
  commands: readonly string[];
  environment: Readonly<Record<string, string>>;
  policy: RunPolicy;
}

/** Who runs a stage. */
export interface StageRunner {
  machine: string;
  logger: Logger;
  around: RunnerEnvironment;
}

/** A step that ends so lets all after it be skipped, and the build pass. */
const SKIP_THE_REST = 78;
/** What is written for a step that was killed. */
const KILLED = 137;

/** Takes over a stage, runs it to its end and reports it. @param signal the runner itself ends: nothing is reported */
export async function runStage(
  rpc: DroneRpc,
  id: number,
  { machine, logger, around }: StageRunner,
  signal: AbortSignal,
): Promise<void> {
  const version = await rpc.accept(id, machine);
  const about = await rpc.details(id);
  const stage: Stage = { ...about.stage, version, machine };
  const root = await mkdtemp(join(tmpdir(), 'drone-'));
  const over = new AbortController();
  try {
    const workspace = await makeWorkspace(root);
    await writeNetrc(workspace, about);
    const env = buildEnvironment(about, workspace, around);
    const planned = plan(about, stage, env);
    if (typeof planned === 'string') {
      const now = seconds();
      Object.assign(stage, { status: 'error', error: planned, started: now, stopped: now, steps: [] });
      await rpc.updateStage(stage);
      return;
    }
    stage.steps = planned.map(({ report }) => report);
    Object.assign(stage, { status: 'running', started: seconds() });
    await rpc.updateStage(stage);
    const cancelled = watchCancel(rpc, about, over.signal);
    const end = AbortSignal.any([cancelled, signal, AbortSignal.timeout(about.repository.timeout * 60_000)]);
    await runSteps(rpc, stage, planned, env, workspace, end, logger);
    if (signal.aborted) return;
    finish(stage);
    await rpc.updateStage(stage);
  } finally {
    over.abort();
    await rm(root, { recursive: true, force: true });
  }
}

async function writeNetrc({ home }: Workspace, { netrc }: Details): Promise<void> {
  if (!netrc) return;
  const line = `machine ${netrc.machine} login ${netrc.login} password ${netrc.password}`;
  await writeFile(join(home, '.netrc'), line, { mode: 0o600 });
}

/** The steps in order, or why there are none. */
function plan(about: Details, stage: Stage, env: Readonly<Record<string, string>>): Planned[] | string {
  try {
    // In this one place parameters win, as in the real runner.
    const pipeline = readPipeline(about.config.Data, stage.name, { ...env, ...about.build.params });
    const clone = { name: 'clone', commands: CLONE_COMMANDS, environment: {}, failure: undefined };
    const steps = [...(pipeline.clone?.disable ? [] : [{ ...clone, policy: 'always' as const }])];
    const all = [...steps, ...pipeline.steps.map((step) => ({ ...step, policy: runPolicy(step) }))];
    return all.map(({ name, commands, environment, failure, policy }, index) => ({
      report: {
        id: 0,
        step_id: stage.id,
        number: index + 1,
        name,
        status: 'pending',
        errignore: failure === 'ignore',
        exit_code: 0,
        version: 0,
      },
      commands,
      environment,
      policy,
    }));
  } catch (error) {
    return describeError(error);
  }
}

/** Aborted when the build is cancelled. */
function watchCancel(rpc: DroneRpc, { build }: Details, over: AbortSignal): AbortSignal {
  const cancelled = new AbortController();
  rpc.watch(build.id, over).then(
    (ended) => {
      if (ended) cancelled.abort();
    },
    () => {},
  );
  return cancelled.signal;
}

async function runSteps(
  rpc: DroneRpc,
  stage: Stage,
  planned: readonly Planned[],
  env: Readonly<Record<string, string>>,
  workspace: Workspace,
  end: AbortSignal,
  logger: Logger,
): Promise<void> {
  for (const { report, commands, environment, policy } of planned) {
    if (end.aborted) return kill(stage);
    const failed = stage.status === 'failure' || stage.status === 'error';
    if ((policy === 'success' && failed) || (policy === 'failure' && !failed)) {
      skip(report);
      await rpc.updateStep(report);
      continue;
    }
    Object.assign(report, { status: 'running', started: seconds() });
    await rpc.updateStep(report);
    const log = openLiveLog(rpc, report.id, logger);
    const about = { ...env, ...environment, ...stepEnvironment(stage, report) };
    const code = await runStep({ name: report.name, commands, env: about }, workspace, log.write, end);
    await log.close();
    if (code === undefined) return kill(stage);
    const status = code === 0 || code === SKIP_THE_REST ? 'success' : 'failure';
    Object.assign(report, { status, exit_code: code, stopped: seconds() });
    if (status === 'failure' && !report.errignore) stage.status = 'failure';
    await rpc.updateStep(report);
    if (code === SKIP_THE_REST) return;
  }
}

function kill(stage: Stage): void {
  Object.assign(stage, { status: 'killed', stopped: seconds() });
  for (const step of stage.steps ?? []) {
    if (step.status !== 'running') continue;
    Object.assign(step, { status: 'killed', exit_code: KILLED, stopped: seconds() });
    stage.exit_code = KILLED;
  }
}

function finish(stage: Stage): void {
  for (const step of stage.steps ?? []) skip(step);
  if (stage.status === 'running') stage.status = 'success';
  stage.stopped ??= seconds();
}

function skip(step: Step): void {
  if (step.status !== 'pending') return;
  Object.assign(step, { status: 'skipped', started: seconds(), stopped: seconds() });
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
