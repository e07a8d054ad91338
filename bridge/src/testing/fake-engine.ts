import type { RunRecord, StageRecord, TestRequest } from '@cc-ci/core';
import { type Outcome, pendingStage } from '@cc-ci/core';
import { type Build, type Engine, isFinal } from '@cc-ci/engine';
import { createQueue, type Queue } from './queue.js';

/** Calls that can be broken. */
type Call = 'start' | 'get' | 'cancel';

/** An engine that runs nothing: tests say what becomes of its builds, and what their runs' records are. */
export interface FakeEngine extends Engine {
  /** Requests it started a build for, once each. */
  started: Queue<TestRequest>;
  /** Builds it was told to end, once each. They go on until the test ends them. */
  cancelled: Queue<{ run: string; reason: string }>;
  change(run: string, change: Partial<Build>): void;
  forget(run: string): void;
  setRecord(run: string, stages: StageRecord[], outcome?: Outcome): void;
  readRecord(run: string): Promise<RunRecord | undefined>;
  /** The next `times` calls of this kind fail. With `after`, starting a build works and fails only then. */
  break(call: Call, times: number, after?: boolean): void;
  /** The next call of this kind never comes back. With `after`, it does its part first. */
  hang(call: Call, after: boolean): { reached: Promise<void> };
}

const TIME = '2026-11-21T12:00:00.000Z';

export function createFakeEngine(): FakeEngine {
  const builds = new Map<string, Build>();
  const records = new Map<string, RunRecord>();
  const started = createQueue<TestRequest>();
  const cancelled = createQueue<{ run: string; reason: string }>();
  const wishes = new Set<string>();
  const broken = { start: 0, get: 0, cancel: 0, after: false };
  let hanging: { call: Call; after: boolean; reached: () => void } | undefined;

  async function goWrongMaybe(call: Call, after: boolean): Promise<void> {
    if (hanging?.call === call && hanging.after === after) {
      hanging.reached();
      hanging = undefined;
      await new Promise(() => undefined);
    }
    if (broken[call] === 0 || broken.after !== after) return;
    broken[call]--;
    throw new Error('the engine is not there');
  }

  return {
    started,
    cancelled,
    async start(request) {
      await goWrongMaybe('start', false);
      const known = builds.get(request.run);
      if (known) return known;
      const position = [...builds.values()].filter(({ state }) => state === 'queued').length + 1;
      const build: Build = {
        id: request.run,
        request,
        state: 'queued',
        createdAt: TIME,
        startedAt: undefined,
        finishedAt: undefined,
        position,
        reason: undefined,
      };
      builds.set(request.run, build);
      started.push(request);
      await goWrongMaybe('start', true);
      return build;
    },
    async get(id) {
      await goWrongMaybe('get', false);
      const build = builds.get(id);
      await goWrongMaybe('get', true);
      return build;
    },
    list: async () => [...builds.values()],
    async *logs() {},
    ready: async () => undefined,
    async cancel(run, reason) {
      await goWrongMaybe('cancel', false);
      const build = builds.get(run);
      if (build && !isFinal(build.state) && !wishes.has(run)) {
        wishes.add(run);
        cancelled.push({ run, reason });
      }
      await goWrongMaybe('cancel', true);
    },
    close: async () => undefined,
    change(run, change) {
      const build = builds.get(run);
      if (!build) throw new Error(`there is no build ${run}`);
      builds.set(run, { ...build, position: undefined, ...change });
    },
    forget: (run) => void builds.delete(run),
    setRecord(run, stages, outcome) {
      const request = builds.get(run)?.request;
      if (!request) throw new Error(`there is no build ${run}`);
      records.set(run, recordOf(request, stages, outcome));
    },
    readRecord: async (run) => records.get(run),
    break(call, times, after = false) {
      Object.assign(broken, { [call]: times, after });
    },
    hang(call, after) {
      let reached: () => void = () => undefined;
      const promise = new Promise<void>((resolve) => {
        reached = resolve;
      });
      hanging = { call, after, reached };
      return { reached: promise };
    },
  };
}

/** A run's record as the runner writes it. */
export function recordOf(request: TestRequest, stages: StageRecord[], outcome?: Outcome): RunRecord {
  return {
    run: request.run,
    dir: `/runs/${request.run}`,
    plan: {
      schema: 1,
      request,
      mode: 'run',
      createdAt: TIME,
      stages: stages.map(({ stage }) => stage),
      snapshots: [],
      overlays: [],
      tools: {},
    },
    stages,
    summary: outcome && { run: request.run, startedAt: TIME, finishedAt: TIME, outcome },
  };
}

/** A stage's record; without `seconds` it has no times. */
export function stage(
  name: StageRecord['stage'],
  state: StageRecord['state'],
  more: Partial<StageRecord> & { seconds?: number } = {},
): StageRecord {
  const { seconds, ...rest } = more;
  const times =
    seconds === undefined
      ? {}
      : { startedAt: TIME, finishedAt: new Date(Date.parse(TIME) + seconds * 1_000).toISOString() };
  return { ...pendingStage(name), state, ...times, ...rest };
}
