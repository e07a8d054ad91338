import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, type Logger, openStore, tryLock } from '@cc-ci/core';
import { type Build, type Engine, type EngineReader, isFinal } from '../engine.js';
import { EngineError } from '../engine-error.js';
import { buildFiles, buildsFolder } from '../job.js';
import { type Kept, openReaderOf, readerOf } from '../reader.js';
import { type DroneBuild, hasEnded, isWaiting } from './answers.js';
import { type DroneClient, type DroneClientOptions, openDroneClient } from './client.js';
import { standingOf } from './outcome.js';
import { openPoller } from './poller.js';
import { openStarter } from './starter.js';
import {
  DRONE_MIGRATIONS,
  type DroneRow,
  findBuild,
  findRow,
  listBuilds,
  noteEnd,
  noteRunning,
  noteWish,
  openRows,
  unwantedRows,
} from './store.js';
import { followBuild } from './tail.js';

export interface DroneEngineOptions extends DroneClientOptions {
  /** Where the database and the logs are kept. */
  stateDir: string;
  /** The branch of the repository whose pipeline and recipe tests are used. */
  branch: string;
  /** Milliseconds until a running build is ended by us. The runner has its own, shorter deadline; Drone has its own too. */
  buildTimeoutMs: number;
  logger: Logger;
  /** Milliseconds between two looks at Drone: the shortest after something happened, the longest when nothing does. */
  pollMs?: { shortest: number; longest: number };
  /** Milliseconds after which a request that Drone did not answer surely started nothing, if no build is seen. */
  settleMs?: number;
  /** Milliseconds to wait for the log of a step that was killed. */
  killedLogWaitMs?: number;
}

const DEFAULT_POLL_MS = { shortest: 1_000, longest: 5_000 };
const DEFAULT_SETTLE_MS = 60_000;
const DEFAULT_KILLED_LOG_WAIT_MS = 5_000;
const PAGE = 100;
/** How long a caller is kept waiting for a build to end that Drone has been told to end, in milliseconds. */
const END_WAIT_MS = 10_000;

function keptIn(stateDir: string): Kept {
  return {
    database: join(stateDir, 'drone.sqlite'),
    migrations: DRONE_MIGRATIONS,
    find: findBuild,
    list: listBuilds,
    logFile: (id) => buildFiles(stateDir, id).log,
  };
}

/**
 * The engine that hands builds to a Drone server: each is a build of one repository's pipeline with the request as its
 * parameters. What runs, queues and how many at once is Drone's and its runners' affair; here is kept which build is
 * whose, what is known of it, and its log. Drone may be down at any time: a request is then refused with an EngineError,
 * what was asked to end is asked again, and nothing is started twice.
 * @throws CcCiError when another engine works on the same state folder; InputError when the token cannot be read
 */
export function openDroneEngine(options: DroneEngineOptions): Engine {
  const { stateDir, logger } = options;
  const client = openDroneClient(options);
  mkdirSync(buildsFolder(stateDir), { recursive: true });
  const lock = tryLock(join(stateDir, 'drone.lock'));
  if (!lock) {
    throw new CcCiError(`another engine is running on ${stateDir}`, {
      hint: 'stop it, or give this one a state folder of its own (CC_CI_STATE_DIR)',
    });
  }
  const kept = keptIn(stateDir);
  const store = openStore(kept.database, kept.migrations);
  const starter = openStarter({
    store,
    client,
    branch: options.branch,
    settleMs: options.settleMs ?? DEFAULT_SETTLE_MS,
  });
  const closing = new AbortController();
  const followed = new Map<string, { ended: AbortController; done: Promise<void> }>();

  /** Asks Drone once for all builds that have not ended. @returns whether anything was new */
  async function look(): Promise<boolean> {
    let news = false;
    for (const row of unwantedRows(store)) news = (await starter.settleUnwanted(row)) || news;
    const rows = openRows(store);
    const [oldest] = rows;
    if (!oldest) return news;
    let listed = await listDownTo(client, oldest.number);
    if (await sendWishes(rows, listed)) listed = await listDownTo(client, oldest.number);
    for (const row of rows) {
      const build = buildOf(row, listed);
      if (build && !isWaiting(build.status)) news = follow(row) || news;
      if (build?.status === 'running') {
        const { startedAt } = standingOf(build, undefined);
        news = noteRunning(store, row.id, startedAt) || news;
        limitTime(row);
      }
      // Also one that is not listed: its follower asks for it by number, and so learns that it is gone.
      if (!build) news = follow(row) || news;
      if (!build || hasEnded(build.status)) followed.get(row.id)?.ended.abort();
    }
    return news;
  }

  const poller = openPoller({
    look,
    isIdle: () => openRows(store).length === 0 && unwantedRows(store).length === 0,
    logger,
    signal: closing.signal,
    ...(options.pollMs ?? DEFAULT_POLL_MS),
  });

  /** @returns whether Drone was asked to end anything */
  async function sendWishes(
    rows: readonly (DroneRow & { number: number })[],
    listed: ReadonlyMap<number, DroneBuild>,
  ): Promise<boolean> {
    let sent = false;
    for (const row of rows) {
      const status = buildOf(row, listed)?.status;
      // Read again: it may have been wished for since.
      if (!findRow(store, row.id)?.wish || status === undefined || hasEnded(status)) continue;
      await client.cancel(row.number);
      sent = true;
    }
    return sent;
  }

  function limitTime({ id, startedAt }: DroneRow): void {
    if (startedAt === undefined || Date.now() - Date.parse(startedAt) < options.buildTimeoutMs) return;
    const reason = `the build took longer than ${options.buildTimeoutMs / 1000} s and was ended`;
    noteWish(store, id, { state: 'error', reason });
  }

  /** @returns whether it was not followed before */
  function follow(row: DroneRow & { number: number }): boolean {
    if (followed.has(row.id) || closing.signal.aborted) return false;
    const ended = new AbortController();
    const done = followToEnd(row, ended.signal)
      .catch((error: unknown) => {
        if (closing.signal.aborted) return;
        logger.error(
          { err: error, run: row.id, build: row.number },
          'build could not be followed; trying again',
        );
      })
      .finally(() => followed.delete(row.id));
    followed.set(row.id, { ended, done });
    return true;
  }

  async function followToEnd(row: DroneRow & { number: number }, ended: AbortSignal): Promise<void> {
    const build = await followBuild({
      client,
      run: row.id,
      number: row.number,
      path: kept.logFile(row.id),
      nextLook: (soon) => poller.next(soon),
      ended,
      signal: closing.signal,
      killedLogWaitMs: options.killedLogWaitMs ?? DEFAULT_KILLED_LOG_WAIT_MS,
    });
    // The log is complete before the state says so: whoever follows it misses nothing.
    if (!build) {
      noteEnd(store, row.id, {
        state: 'lost',
        reason: 'Drone does not know this build any more; comment !testme to run it again',
        startedAt: row.startedAt,
        finishedAt: undefined,
      });
    } else {
      const wish = findRow(store, row.id)?.wish;
      const limit = build.status === 'killed' && !wish ? (await client.repo())?.timeout : undefined;
      noteEnd(store, row.id, standingOf(build, wish, limit));
    }
    const { state, reason } = findBuild(store, row.id) ?? {};
    logger.info({ run: row.id, build: row.number, state, reason }, 'build ended');
  }

  /** What is known, as new as Drone can tell; where it cannot, what was last known. */
  const lookIfOpen = async (builds: readonly (Build | undefined)[]) => {
    if (builds.some((build) => build && !isFinal(build.state))) await poller.fresh();
  };

  return {
    ...readerOf(kept, () => store, { isClosed: () => closing.signal.aborted, signal: closing.signal }),
    async get(id) {
      await lookIfOpen([findBuild(store, id)]);
      return findBuild(store, id);
    },
    async list(filter) {
      await lookIfOpen(listBuilds(store, filter));
      return listBuilds(store, filter);
    },
    async start(request) {
      if (closing.signal.aborted) throw new EngineError('the engine is shutting down', { retry: true });
      const build = await starter.start(request);
      poller.wake();
      return build;
    },
    async cancel(id, reason) {
      const row = findRow(store, id);
      if (!row || !noteWish(store, id, { state: 'cancelled', reason })) return;
      await poller.now();
      const following = followed.get(id);
      // Drone has taken it; what is left is its log.
      if (following?.ended.signal.aborted) await atMost(END_WAIT_MS, following.done);
    },
    // Drone answers, the token is good, and the repository is active.
    async ready() {
      const repo = await client.repo();
      const hint = `open ${options.url}/${options.repository}/settings and activate it`;
      if (!repo) throw new EngineError(`Drone does not know ${options.repository}`, { retry: true, hint });
      if (!repo.active) {
        throw new EngineError(`${options.repository} is not active in Drone`, { retry: true, hint });
      }
    },
    async close(how: { running?: 'leave' | 'cancel' } = {}) {
      if (how.running === 'cancel') {
        // Those that wait, too: nobody could keep Drone from running them.
        for (const { id } of openRows(store)) {
          noteWish(store, id, { state: 'cancelled', reason: 'the engine was shut down' });
        }
        await poller.now();
        await atMost(END_WAIT_MS, Promise.all([...followed.values()].map(({ done }) => done)));
      }
      closing.abort();
      await poller.stopped();
      await Promise.all([...followed.values()].map(({ done }) => done));
      await client.close();
      store.close();
      lock.release();
    },
  };
}

/** A request's build among those listed. Numbers begin again when somebody makes the repository anew in Drone. */
function buildOf(row: { id: string; number: number }, listed: ReadonlyMap<number, DroneBuild>) {
  const build = listed.get(row.number);
  return build?.params?.RUN === row.id ? build : undefined;
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const stop = new AbortController();
  await Promise.race([work, delay(ms, undefined, { signal: stop.signal }).catch(() => undefined)]);
  stop.abort();
}

/** The repository's newest builds by number, down to this one. */
async function listDownTo(client: DroneClient, oldest: number) {
  const found = new Map<number, DroneBuild>();
  for (let page = 1; ; page++) {
    const builds = await client.builds(page, PAGE);
    for (const build of builds) found.set(build.number, build);
    if (builds.length < PAGE || builds.some(({ number }) => number <= oldest)) return found;
  }
}

/**
 * The read side of a Drone engine that another process runs on this state folder: what that one knows, and its logs.
 * Where no engine ever ran, there are no builds.
 */
export function openDroneReader(stateDir: string): EngineReader & { close(): void } {
  return openReaderOf(keptIn(stateDir));
}
