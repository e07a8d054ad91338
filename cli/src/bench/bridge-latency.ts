import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@cc-ci/core/testing';
import { type Build, isFinal, openEngineReader } from '@cc-ci/engine';
import { startBridgeProcess, startsOf } from '../testing/bridge-process.js';
import { type PullScene, setPullScene } from '../testing/pull-scene.js';
import { type Measure, measured, type Question } from './measure.js';

/** How it is measured. */
export interface LatencyOptions {
  /** Comments that are found by polling, and when they are made: at random moments of so many seconds. */
  polled: { samples: number; withinSeconds: number; pollSeconds: number };
  /** Comments that are delivered, one after another. */
  delivered: { samples: number };
}

const FULL: LatencyOptions = {
  polled: { samples: 48, withinSeconds: 120, pollSeconds: 5 },
  delivered: { samples: 100 },
};

/** Comments on different pull requests do not wait for each other. */
const PULLS = 12;
/** All builds have begun by then, or ended, or one never will. */
const LIMIT_MS = 60_000;
/** As many builds as there may be at once: a build that waits in the queue for others is not late. */
const MAX_TESTS = '32';

const POLLED = {
  name: 'trigger latency by polling every 5 s, 95th percentile',
  unit: 's',
  bound: 'at-most',
  limit: 6,
} as const;
const DELIVERED = {
  name: 'trigger latency by webhook, 95th percentile',
  unit: 's',
  bound: 'at-most',
  limit: 1,
} as const;

/** When a build was taken from the queue, and when the process of its runner began (milliseconds since 1970). */
interface Start {
  taken: number;
  began: number;
}

/** Seconds from a comment's POST to both. */
type Latency = Start;

/**
 * From just before a comment is posted until the process of its build's runner has begun, in seconds; how much of that
 * was over when the engine took the build is told, too. It is a bridge with the embedded engine in a process of its own,
 * over the sandbox forge, whose builds are a shell script that notes the time. (What a whole run does after that is not
 * the trigger's doing, and takes a minute each.)
 */
export async function measureLatency(options: LatencyOptions = FULL): Promise<Measure[]> {
  const polled = await withBridge(options.polled.pollSeconds, (scene) => byPolling(scene, options.polled));
  // So seldom that polling finds none of them first.
  const delivered = await withBridge(3_600, (scene) => byWebhook(scene, options.delivered.samples));
  return [latencyMeasure(POLLED, polled), latencyMeasure(DELIVERED, delivered)];
}

function latencyMeasure(question: Question, found: readonly Latency[]): Measure {
  const began = found.map((it) => it.began);
  const detail = { ...summary(began), untilTaken: summary(found.map(({ taken }) => taken)) };
  return measured(question, percentile(began, 0.95), detail);
}

async function withBridge(
  pollSeconds: number,
  work: (scene: PullScene) => Promise<Latency[]>,
): Promise<Latency[]> {
  const scene = await setPullScene(PULLS);
  try {
    const env = {
      ...scene.env,
      CC_CI_POLL_INTERVAL: String(pollSeconds),
      CC_CI_LOG_LEVEL: 'warn',
      MAX_TESTS,
    };
    const bridge = startBridgeProcess(env, scene.dir);
    try {
      await bridge.ready;
      const found = await work(scene);
      // Builds outlive the bridge, and write their end into the folder that is removed next.
      await whenBuilds(scene, 'not all ended', (builds) => builds.every(({ state }) => isFinal(state)));
      return found;
    } finally {
      bridge.kill('SIGTERM');
      await bridge.gone;
    }
  } finally {
    await scene.close();
  }
}

async function byPolling(
  scene: PullScene,
  { samples, withinSeconds }: LatencyOptions['polled'],
): Promise<Latency[]> {
  const posted = await Promise.all(
    Array.from({ length: samples }, async (_, n) => {
      await delay(randomInt(withinSeconds * 1_000));
      const pull = pullOf(scene, n);
      const at = Date.now();
      await scene.say(pull, scene.org.member, '!testme');
      return { pr: pull.number, at };
    }),
  );
  const starts = await startsByPull(scene, samples);
  // Commands of one pull request begin in the order in which they were posted.
  return scene.pulls.flatMap(({ number }) => {
    const times = posted.filter(({ pr }) => pr === number).map(({ at }) => at);
    times.sort((a, b) => a - b);
    const begun = starts.get(number) ?? [];
    return times.map((at, n) => latency(at, begun[n]));
  });
}

async function byWebhook(scene: PullScene, samples: number): Promise<Latency[]> {
  const found: Latency[] = [];
  const begun = new Map<number, number>();
  for (let n = 0; n < samples; n++) {
    const pull = pullOf(scene, n);
    const at = Date.now();
    const made = await scene.say(pull, scene.org.member, '!testme');
    const status = await scene.deliver(pull, made);
    if (status !== 202) throw new Error(`the webhook answered ${status}`);
    const known = begun.get(pull.number) ?? 0;
    const starts = await until(async () => {
      const all = (await startsByPull(scene, n + 1)).get(pull.number) ?? [];
      return all.length > known && all;
    });
    begun.set(pull.number, starts.length);
    found.push(latency(at, starts.at(-1)));
  }
  return found;
}

function latency(
  postedAt: number,
  { taken, began }: Start = { taken: Number.NaN, began: Number.NaN },
): Latency {
  return { taken: (taken - postedAt) / 1_000, began: (began - postedAt) / 1_000 };
}

function pullOf(scene: PullScene, n: number): PullScene['pulls'][number] {
  const pull = scene.pulls[n % scene.pulls.length];
  if (!pull) throw new Error('the scene has no pull request');
  return pull;
}

/**
 * When the builds of each pull request began, in order, once there are so many.
 * @throws Error when that takes too long
 */
async function startsByPull(scene: PullScene, wanted: number): Promise<Map<number, Start[]>> {
  return whenBuilds(scene, `not all of ${wanted} began`, async (builds) => {
    if (builds.length < wanted) return undefined;
    const byPull = new Map<number, Start[]>();
    for (const { id, request, startedAt } of builds.toReversed()) {
      const [began] = await startsOf(scene.dir, id);
      if (began === undefined) return undefined;
      const start = { taken: Date.parse(startedAt ?? ''), began };
      byPull.set(request.pr ?? 0, [...(byPull.get(request.pr ?? 0) ?? []), start]);
    }
    return byPull;
  });
}

/**
 * Looks at the builds until there is what is looked for.
 * @param late what is so when that takes too long
 * @throws Error when it does
 */
async function whenBuilds<T>(
  scene: PullScene,
  late: string,
  look: (builds: readonly Build[]) => Promise<T | undefined> | T | undefined | false,
): Promise<T> {
  const engine = openEngineReader(join(scene.dir, 'state'));
  const deadline = performance.now() + LIMIT_MS;
  try {
    return await until(async () => {
      const builds = await engine.list();
      if (performance.now() > deadline)
        throw new Error(`${builds.length} builds were taken, and ${late}, in time`);
      return look(builds);
    });
  } finally {
    engine.close();
  }
}

/** The smallest of these seconds that so great a share of them does not exceed. */
export function percentile(values: readonly number[], share: number): number | undefined {
  if (values.some((value) => !Number.isFinite(value))) return undefined;
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)];
}

function summary(values: readonly number[]) {
  const at = (share: number) => Math.round((percentile(values, share) ?? Number.NaN) * 1_000) / 1_000;
  return { samples: values.length, p50: at(0.5), p95: at(0.95), max: at(1) };
}
