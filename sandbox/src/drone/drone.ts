import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '@cc-ci/core';
import { buildEnvironment, makeWorkspace } from '../drone-runner/environment.js';
import { cut } from '../drone-runner/live-log.js';
import { isDue, type Pipeline, type PipelineStep, readPipeline } from '../drone-runner/pipeline.js';
import { type LogLine as Line, readDetails } from '../drone-runner/protocol.js';
import { runStep } from '../drone-runner/step.js';
import { createFaults, type Faults } from '../forge/faults.js';
import { createLiveLog, type LiveLog } from './live-log.js';

export interface DroneStandInOptions {
  token: string;
  /** The one repository it has, as `owner/name`. */
  repository: string;
  /** The text of its `.drone.yml`. */
  pipeline: string;
  /** How many builds its exec runner runs at once. */
  capacity: number;
  /** Folder for the workspaces of builds. */
  root: string;
  /** A git repository that is cloned into each workspace; without one there is no clone step. */
  source?: string;
  /** What the runner adds to every step's environment (DRONE_RUNNER_ENVIRON). */
  environ?: Record<string, string>;
  /** The repository's time limit; default 60, as Drone's. */
  timeoutMinutes?: number;
  /** How many lines of a live log are kept; default 5,000, as Drone's. */
  keepLines?: number;
}

export interface StepState {
  id: number;
  number: number;
  name: string;
  status: string;
  exit_code: number;
  started: number;
  stopped: number;
}

/** A build in Drone's form (core/build.go, core/stage.go, core/step.go), as far as anybody here reads it. */
export interface BuildState {
  id: number;
  number: number;
  status: string;
  event: string;
  error?: string;
  trigger: string;
  target: string;
  params: Record<string, string>;
  created: number;
  started: number;
  finished: number;
  stages: {
    number: number;
    name: string;
    kind: string;
    type: string;
    status: string;
    exit_code: number;
    started: number;
    stopped: number;
    steps: StepState[];
  }[];
}

/** Drone and its exec runner in one: what is in its database, and the builds it runs. It is served by `startDrone`. */
export interface DroneStandIn {
  readonly options: DroneStandInOptions;
  readonly faults: Faults;
  /** Every request that was answered, as method and path. */
  readonly requests: string[];
  /** All builds, the newest first. */
  builds(): BuildState[];
  build(number: number): BuildState | undefined;
  create(target: string, params: Record<string, string>): BuildState | undefined;
  cancel(number: number): BuildState | undefined;
  /** A step's stored log; undefined while there is none. */
  log(step: number): readonly Line[] | undefined;
  live(step: number): LiveLog | undefined;
  /** Deletes a build, as a purge does. */
  forget(number: number): void;
  /** What a restart of the server loses: live logs. */
  loseLiveLogs(): void;
  /** Kills what runs and waits for it. */
  close(): Promise<void>;
}

export function createDrone(options: DroneStandInOptions): DroneStandIn {
  const builds: BuildState[] = [];
  const logs = new Map<number, Line[]>();
  const live = new Map<number, LiveLog>();
  const running = new Map<BuildState, { controller: AbortController; done: Promise<void> }>();
  let lastStep = 0;
  let lastNumber = 0;
  let closed = false;

  function schedule(): void {
    while (!closed && running.size < options.capacity) {
      const build = builds.findLast(({ status }) => status === 'pending');
      if (!build) return;
      const controller = new AbortController();
      const done = runBuild(build, controller.signal).finally(() => {
        running.delete(build);
        schedule();
      });
      running.set(build, { controller, done });
    }
  }

  async function runBuild(build: BuildState, cancelled: AbortSignal): Promise<void> {
    const pipeline = readPipeline(options.pipeline, undefined, build.params);
    const [stage] = build.stages;
    if (!stage) return;
    build.status = stage.status = 'running';
    build.started = stage.started = seconds();
    const steps = [...cloneStep(options, pipeline), ...pipeline.steps];
    stage.steps = steps.map(({ name }, at) => ({
      id: ++lastStep,
      number: at + 1,
      name,
      status: 'pending',
      exit_code: 0,
      started: 0,
      stopped: 0,
    }));
    await mkdir(options.root, { recursive: true });
    const root = await mkdtemp(join(options.root, 'drone-'));
    const timeout = AbortSignal.timeout((options.timeoutMinutes ?? 60) * 60_000);
    const signal = AbortSignal.any([cancelled, timeout]);
    try {
      for (const [at, step] of steps.entries()) {
        const state = stage.steps[at];
        if (!state || signal.aborted) break;
        if (!isDue(step, stage.status === 'failure')) {
          Object.assign(state, { status: 'skipped', started: seconds(), stopped: seconds() });
          continue;
        }
        await runOne(root, build, step, state, signal);
        if (state.status === 'failure') stage.status = 'failure';
      }
    } finally {
      // Whoever outlives his step finds his workspace gone.
      await rm(root, { recursive: true, force: true });
    }
    if (signal.aborted) kill(build);
    else if (stage.status === 'running') stage.status = 'success';
    stage.exit_code = stage.status === 'failure' ? 1 : 0;
    stage.stopped = seconds();
    for (const { id } of stage.steps) loseLive(id);
    build.status = stage.status;
    build.finished ||= seconds();
  }

  async function runOne(
    root: string,
    build: BuildState,
    { name, commands, environment }: PipelineStep,
    state: StepState,
    signal: AbortSignal,
  ): Promise<void> {
    Object.assign(state, { status: 'running', started: seconds() });
    const written: Line[] = [];
    live.set(state.id, createLiveLog(options.keepLines ?? 5_000));
    const write = (out: string) => {
      const line = { pos: written.length, out, time: seconds() - state.started };
      written.push(line);
      live.get(state.id)?.write(line);
    };
    const workspace = await makeWorkspace(root);
    const about = readDetails({
      build: { id: build.id, number: build.number, target: build.target, after: '', params: build.params },
      repository: { slug: options.repository, git_http_url: options.source ?? '' },
      stage: { id: build.id, name: 'exec', version: 0 },
      system: {},
      config: { Data: '' },
    });
    const env = {
      ...buildEnvironment(about, workspace, { environ: options.environ }),
      ...environment,
      DRONE_STEP_NAME: name,
    };
    const onOutput = (chunk: string) => {
      for (const part of cut(chunk)) write(part);
    };
    const code = await runStep({ name, commands, env }, workspace, onOutput, signal);
    logs.set(state.id, written);
    if (code === undefined) return;
    Object.assign(state, { status: code === 0 ? 'success' : 'failure', exit_code: code, stopped: seconds() });
  }

  /** Drone says so before its runner has heard of it. */
  function kill(build: BuildState): void {
    build.status = 'killed';
    build.finished ||= seconds();
    build.started ||= seconds();
    for (const stage of build.stages) {
      stage.status = stage.started ? 'killed' : 'skipped';
      stage.started ||= seconds();
      for (const step of stage.steps) {
        if (step.status !== 'pending' && step.status !== 'running') continue;
        step.status = step.started ? 'killed' : 'skipped';
        Object.assign(step, { started: step.started || seconds(), stopped: seconds(), exit_code: 130 });
      }
    }
  }

  function loseLive(step: number): void {
    live.get(step)?.close();
    live.delete(step);
  }

  return {
    options,
    faults: createFaults(),
    requests: [],
    builds: () => builds,
    build: (number) => builds.find((build) => build.number === number),
    create(target, params) {
      const build: BuildState = {
        id: ++lastNumber,
        number: lastNumber,
        status: 'pending',
        event: 'custom',
        trigger: 'cc-ci',
        target,
        params,
        created: seconds(),
        started: 0,
        finished: 0,
        stages: [],
      };
      try {
        const { name, kind, type, trigger } = readPipeline(options.pipeline, undefined, params);
        if (trigger?.event && !trigger.event.includes('custom')) return undefined;
        const stage = { number: 1, name, kind, type, status: 'pending', exit_code: 0 };
        build.stages.push({ ...stage, started: 0, stopped: 0, steps: [] });
      } catch (error) {
        Object.assign(build, { status: 'error', error: describeError(error), finished: seconds() });
      }
      builds.unshift(build);
      schedule();
      return build;
    },
    cancel(number) {
      const build = builds.find((it) => it.number === number);
      if (build?.status === 'pending' || build?.status === 'running') {
        kill(build);
        running.get(build)?.controller.abort();
      }
      return build;
    },
    log: (step) => logs.get(step),
    live: (step) => live.get(step),
    forget(number) {
      const at = builds.findIndex((it) => it.number === number);
      if (at >= 0) builds.splice(at, 1);
    },
    loseLiveLogs() {
      for (const id of live.keys()) loseLive(id);
    },
    async close() {
      closed = true;
      for (const { controller } of running.values()) controller.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

function cloneStep({ source }: DroneStandInOptions, { clone }: Pipeline): PipelineStep[] {
  if (!source || clone?.disable) return [];
  const environment = { CLONE_SOURCE: source };
  return [{ name: 'clone', commands: ['git clone --quiet "$CLONE_SOURCE" .'], environment }];
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
