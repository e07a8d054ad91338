import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { CcCiError, type Logger, openStore, type TestRequest, tryLock } from '@cc-ci/core';
import { endLog } from './build-log.js';
import {
  type BuildEnd,
  cancelBuild,
  cancelReason,
  ENGINE_MIGRATIONS,
  findBuild,
  finishBuild,
  insertBuild,
  listBuilds,
  runningBuilds,
  takeNextBuild,
} from './builds.js';
import type { Build, Engine, EngineReader } from './engine.js';
import { type BuildCommand, type FollowedBuild, followBuild } from './follow.js';
import { buildFiles, buildsFolder } from './job.js';
import { type Kept, openReaderOf, readerOf } from './reader.js';

export type { BuildCommand } from './follow.js';

export interface LocalEngineOptions {
  stateDir: string;
  /** Builds that run at once. */
  maxTests: number;
  /** Milliseconds until a build is ended from outside. The runner has its own, shorter deadline. */
  buildTimeoutMs: number;
  /** Milliseconds a build may take to tear down after it was asked to end; then it is killed. */
  graceMs?: number;
  /** Ends builds, teardown included, when this process is gone, however it died. Default: they outlive it. */
  withParent?: boolean;
  /** What is run for a request; its exit code is the outcome (0 success, 1 failure, 2 error). */
  command: (request: TestRequest) => BuildCommand;
  logger: Logger;
}

const DEFAULT_GRACE_MS = 180_000;
/** The folder of builds tells when one was taken or has ended; this is for what it does not tell. In milliseconds. */
const LOOK_AGAIN_MS = 1_000;

function keptIn(stateDir: string): Kept {
  return {
    database: join(stateDir, 'engine.sqlite'),
    migrations: ENGINE_MIGRATIONS,
    find: findBuild,
    list: listBuilds,
    logFile: (id) => buildFiles(stateDir, id).log,
  };
}

/**
 * The embedded engine: a durable queue in SQLite, each build under a supervisor process of its own that outlives this
 * one. An engine that is opened takes up what an earlier one on this state left: builds that run are followed, those
 * that ended meanwhile told of, those that were only about to be started are started, and none is started twice.
 *
 * A service manager must leave the supervisors alone when it stops or restarts the engine's process: with systemd the
 * unit needs `KillMode=process` (`mixed` kills what is left once the main process has ended).
 * @throws CcCiError when another engine works on the same state folder
 */
export function openLocalEngine(options: LocalEngineOptions): Engine {
  const { stateDir, logger } = options;
  const lock = tryLock(join(stateDir, 'engine.lock'));
  if (!lock) {
    throw new CcCiError(`another engine is running on ${stateDir}`, {
      hint: 'stop it, or give this one a state folder of its own (CC_CI_STATE_DIR)',
    });
  }
  mkdirSync(buildsFolder(stateDir), { recursive: true });
  const kept = keptIn(stateDir);
  const store = openStore(kept.database, kept.migrations);

  const active = new Map<string, FollowedBuild>();
  const waiting = new Set<() => void>();
  let closing = false;
  let closed: Promise<void> | undefined;
  let scheduling = false;
  const timer = setInterval(lookAround, LOOK_AGAIN_MS);
  timer.unref();
  const watcher = watchEnds(buildsFolder(stateDir), logger, look);

  function follow(build: Build): void {
    const log = logger.child({ run: build.id });
    const followed = followBuild(build.id, {
      stateDir,
      timeoutMs: options.buildTimeoutMs,
      graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
      withParent: options.withParent ?? false,
      command: () => options.command(build.request),
      wish: () => cancelReason(store, build.id),
      onStart: () => log.info({ recipe: build.request.recipe, ref: build.request.ref }, 'build started'),
      onExit: () => look(build.id),
    });
    active.set(build.id, followed);
    timer.ref();
    look(build.id);
  }

  /** Takes a running build on. What fails here (a full disk) is tried again at the next look. */
  function look(id: string): void {
    try {
      const end = active.get(id)?.look();
      if (!end) return;
      conclude(id, end);
    } catch (error) {
      logger.error({ err: error, run: id }, 'build could not be followed; it is tried again');
      return;
    }
    schedule();
  }

  function conclude(id: string, end: BuildEnd): void {
    const log = logger.child({ run: id });
    try {
      // The log is complete before the state says so: whoever follows it misses nothing.
      endLog(buildFiles(stateDir, id).log, end.reason);
    } catch (error) {
      log.warn({ err: error }, 'the log of a build could not be completed');
    }
    finishBuild(store, id, end);
    active.get(id)?.leave();
    active.delete(id);
    log.info({ state: end.state, reason: end.reason }, 'build ended');
    if (active.size > 0) return;
    timer.unref();
    for (const resolve of waiting) resolve();
  }

  function schedule(): void {
    if (scheduling) return; // a build that ends at once brings us back here
    scheduling = true;
    try {
      while (!closing && active.size < options.maxTests) {
        const build = takeNextBuild(store);
        if (!build) return;
        follow(build);
      }
    } catch (error) {
      logger.error({ err: error }, 'no build can be taken from the queue; it is tried again');
    } finally {
      scheduling = false;
    }
  }

  function lookAround(): void {
    for (const id of [...active.keys()]) look(id);
    schedule();
  }

  async function cancelAll(): Promise<void> {
    const ended = new Promise<void>((resolve) => waiting.add(resolve));
    try {
      for (const id of active.keys()) cancelBuild(store, id, 'the engine was shut down');
    } catch (error) {
      logger.error({ err: error }, 'that builds are to end cannot be kept; they are left running');
      return;
    }
    for (const id of [...active.keys()]) look(id);
    await ended;
  }

  async function close(running: 'leave' | 'cancel'): Promise<void> {
    closing = true;
    if (running === 'cancel' && active.size > 0) await cancelAll();
    clearInterval(timer);
    watcher?.close();
    for (const build of active.values()) build.leave();
    active.clear();
    store.close();
    lock?.release();
  }

  const left = runningBuilds(store);
  if (left.length > 0) logger.info({ runs: left.map(({ id }) => id) }, 'builds of an earlier engine');
  for (const build of left) follow(build);
  schedule();

  return {
    ...readerOf(kept, () => store, { isClosed: () => !store.open }),
    async start(request) {
      if (closing) throw new CcCiError('the engine is shutting down');
      insertBuild(store, request);
      schedule();
      const build = findBuild(store, request.run);
      if (!build) throw new CcCiError(`build ${request.run} is not in the database it was just written to`);
      return build;
    },
    async ready() {
      if (closing) throw new CcCiError('the engine is shutting down');
      listBuilds(store, { limit: 1 });
    },
    async cancel(id, reason) {
      cancelBuild(store, id, reason);
      look(id);
    },
    async close({ running = 'leave' } = {}) {
      closed ??= close(running);
      await closed;
    },
  };
}

/** Calls `onChange` with a build's id when it was taken or has ended; undefined where the system has no watches left. */
function watchEnds(folder: string, logger: Logger, onChange: (id: string) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => {
      const [, id] = /^(.+)\.(?:claim|end)\.json$/.exec(name ?? '') ?? [];
      if (id) onChange(id);
    });
    watcher.on('error', (error) =>
      logger.warn({ err: error }, 'the folder of builds is not watched any more'),
    );
    return watcher;
  } catch (error) {
    logger.warn(
      { err: error },
      'the folder of builds cannot be watched; ends of builds are seen a second later',
    );
    return undefined;
  }
}

/**
 * The read side of an embedded engine that another process runs on this state folder.
 * Where no engine ever ran, there are no builds.
 */
export function openEngineReader(stateDir: string): EngineReader & { close(): void } {
  return openReaderOf(keptIn(stateDir));
}
