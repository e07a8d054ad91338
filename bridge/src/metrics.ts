import type { EngineReader } from '@cc-ci/engine';
import { isFinal } from '@cc-ci/engine';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { endpointClass } from './forge/endpoint-class.js';
import { isFinal as isSettled } from './machine.js';
import type { Observer } from './observer.js';
import type { SeenBy } from './triggers.js';

/** What the bridge counts, for Prometheus. */
export interface Metrics {
  /** Counts what happens. */
  observer: Observer;
  contentType: string;
  /** All metrics as text; asks the engine how many builds there are. */
  text(): Promise<string>;
}

export interface MetricsDeps {
  engine: Pick<EngineReader, 'list'>;
  /** Milliseconds since 1970, by the forge's clock. */
  now: () => number;
  /** Milliseconds the engine may take to say how many builds there are. */
  engineTimeoutMs?: number;
}

const ENGINE_TIMEOUT_MS = 2_000;
/** Builds that are asked for first; more when all of them are unfinished. */
const FIRST_PAGE = 100;
/** Seconds. Fine around what is promised: 1 s by webhook, 6 s by polling alone, 60 s whatever happens. */
const LATENCY_BUCKETS = [0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 30, 60, 120, 300, 900];
const REQUEST_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics in a registry of their own: two bridges in one process do not count together. */
export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const polls = new Histogram({
    name: 'cc_ci_poll_duration_seconds',
    help: 'Looks at the forge for new comments, by outcome',
    labelNames: ['outcome'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const requests = new Histogram({
    name: 'cc_ci_forge_request_duration_seconds',
    help: 'Requests to the forge, by endpoint and outcome',
    labelNames: ['method', 'endpoint', 'outcome'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const comments = new Counter({
    name: 'cc_ci_comments_total',
    help: 'Comments seen for the first time, by what was decided about them and how they were seen',
    labelNames: ['decision', 'via'],
    registers,
  });
  const deliveries = new Histogram({
    name: 'cc_ci_hook_duration_seconds',
    help: 'Webhook deliveries until they were answered, by HTTP status',
    labelNames: ['status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const ended = new Counter({
    name: 'cc_ci_builds_ended_total',
    help: 'Builds that ended, by verdict',
    labelNames: ['verdict'],
    registers,
  });
  const latency = new Histogram({
    name: 'cc_ci_trigger_latency_seconds',
    help: "From a comment's creation to its build's start or queueing, by how it was seen; the forge's clock, to a second",
    labelNames: ['via'],
    buckets: LATENCY_BUCKETS,
    registers,
  });
  addBuildGauges(deps, registers);

  // Comments whose build has not started. Not kept over a restart: such a trigger is not in the histogram.
  const onTheirWay = new Map<number, { createdAt: number; via: SeenBy }>();
  const observer: Observer = {
    looked: (outcome, ms) => polls.observe({ outcome }, ms / 1_000),
    asked: ({ method, path }, outcome, ms) =>
      requests.observe({ method, endpoint: endpointClass(path), outcome }, ms / 1_000),
    decided(decision, via, { commentId, createdAt }) {
      comments.inc({ decision, via });
      if (decision === 'testme') onTheirWay.set(commentId, { createdAt, via });
    },
    delivered: (status, ms) => deliveries.observe({ status }, ms / 1_000),
    moved({ commentId, state, verdict }, event) {
      const seen = onTheirWay.get(commentId);
      if (seen && event === 'build-started') {
        latency.observe({ via: seen.via }, Math.max(0, deps.now() - seen.createdAt) / 1_000);
      }
      if (event === 'build-started' || isSettled(state)) onTheirWay.delete(commentId);
      if (event === 'build-ended') ended.inc({ verdict: verdict ?? 'unknown' });
    },
  };
  return { observer, contentType: registry.contentType, text: () => registry.metrics() };
}

/** Gauges that are asked for when they are read; when the engine does not answer, the numbers are left out. */
function addBuildGauges({ engine, engineTimeoutMs = ENGINE_TIMEOUT_MS }: MetricsDeps, registers: Registry[]) {
  let counting: Promise<BuildCounts | undefined> | undefined;
  // Both gauges are read at the same time, and the engine asked once for both.
  const count = () => {
    counting ??= within(countBuilds(engine), engineTimeoutMs).finally(() => {
      counting = undefined;
    });
    return counting;
  };
  new Gauge({
    name: 'cc_ci_engine_up',
    help: 'Whether the engine answered when these metrics were read',
    registers,
    async collect() {
      this.set((await count()) ? 1 : 0);
    },
  });
  new Gauge({
    name: 'cc_ci_builds',
    help: 'Builds that have not ended, by state: the queue, and what runs',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = await count();
      this.reset();
      for (const [state, number] of Object.entries(counts ?? {})) this.set({ state }, number);
    },
  });
}

interface BuildCounts {
  queued: number;
  running: number;
}

/** Builds are given the newest first and taken in turn: those that have not ended are at the front of the list. */
async function countBuilds(engine: Pick<EngineReader, 'list'>): Promise<BuildCounts> {
  for (let limit = FIRST_PAGE; ; limit *= 4) {
    const builds = await engine.list({ limit });
    const oldest = builds.at(-1);
    if (builds.length >= limit && oldest && !isFinal(oldest.state)) continue;
    const count = (wanted: string) => builds.filter(({ state }) => state === wanted).length;
    return { queued: count('queued'), running: count('running') };
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([promise.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
