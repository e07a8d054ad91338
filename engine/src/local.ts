import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CancelledError,
  CcCiError,
  CommandFailedError,
  CommandTimeoutError,
  describeError,
  type Logger,
  openStore,
  run,
  type Store,
  type TestRequest,
  tryLock,
} from '@cc-ci/core';
import { type LogWriter, openLogWriter, readLog } from './build-log.js';
import {
  ENGINE_MIGRATIONS,
  findBuild,
  finishBuild,
  insertBuild,
  listBuilds,
  loseRunningBuilds,
  takeNextBuild,
} from './builds.js';
import { type Build, type BuildState, type Engine, type EngineReader, isFinal } from './engine.js';

/** A program to run for a build. */
export interface BuildCommand {
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
}

export interface LocalEngineOptions {
  stateDir: string;
  /** Builds that run at once. */
  maxTests: number;
  /** Milliseconds until a build is ended from outside. The runner has its own, shorter deadline. */
  buildTimeoutMs: number;
  /** Milliseconds a build may take to tear down after it was asked to end; then it is killed. */
  graceMs?: number;
  /** What is run for a request; its exit code is the outcome (0 success, 1 failure, 2 error). */
  command: (request: TestRequest) => BuildCommand;
  logger: Logger;
}

const DEFAULT_GRACE_MS = 180_000;

const databaseFile = (stateDir: string) => join(stateDir, 'engine.sqlite');
const logFile = (stateDir: string, id: string) => join(stateDir, 'builds', `${id}.log`);

/**
 * The embedded engine: a durable queue in SQLite, each build a child process in its own process group.
 * Builds an earlier process left running are marked lost (their runners notice their parent's death and tear down);
 * queued ones are run.
 * @throws CcCiError when another engine works on the same state folder
 */
export function openLocalEngine(options: LocalEngineOptions): Engine {
  const lock = tryLock(join(options.stateDir, 'engine.lock'));
  if (!lock) {
    throw new CcCiError(`another engine is running on ${options.stateDir}`, {
      hint: 'stop it, or give this one a state folder of its own (CC_CI_STATE_DIR)',
    });
  }
  mkdirSync(join(options.stateDir, 'builds'), { recursive: true });
  const store = openStore(databaseFile(options.stateDir), ENGINE_MIGRATIONS);
  for (const id of loseRunningBuilds(store)) options.logger.warn({ run: id }, 'build was lost in a restart');

  const running = new Map<string, { controller: AbortController; ended: Promise<void> }>();
  let closing = false;

  function schedule(): void {
    while (!closing && running.size < options.maxTests) {
      const build = takeNextBuild(store);
      if (!build) return;
      const controller = new AbortController();
      const ended = execute(store, options, build, controller.signal)
        .catch((error: unknown) => {
          options.logger.error({ err: error, run: build.id }, 'build could not be followed');
          finishBuild(store, build.id, 'error', `the engine failed: ${describeError(error)}`);
        })
        .finally(() => {
          running.delete(build.id);
          schedule();
        });
      running.set(build.id, { controller, ended });
    }
  }
  schedule();

  return {
    ...readerOf(options.stateDir, () => store),
    async start(request) {
      if (closing) throw new CcCiError('the engine is shutting down');
      insertBuild(store, request);
      schedule();
      const build = findBuild(store, request.run);
      if (!build) throw new CcCiError(`build ${request.run} is not in the database it was just written to`);
      return build;
    },
    async cancel(id, reason) {
      const active = running.get(id);
      if (!active) return finishBuild(store, id, 'cancelled', reason);
      active.controller.abort(reason);
      await active.ended;
    },
    async close() {
      closing = true;
      for (const { controller } of running.values()) controller.abort('the engine was shut down');
      await Promise.all([...running.values()].map(({ ended }) => ended));
      store.close();
      lock.release();
    },
  };
}

async function execute(
  store: Store,
  options: LocalEngineOptions,
  build: Build,
  signal: AbortSignal,
): Promise<void> {
  const log = options.logger.child({ run: build.id });
  const writer = openLogWriter(logFile(options.stateDir, build.id));
  log.info({ recipe: build.request.recipe, ref: build.request.ref }, 'build started');
  const { state, reason } = await runToEnd(options, build, writer, signal);
  if (reason) writer.line(reason);
  // The log is complete before the state says so: whoever follows it misses nothing.
  await writer.close();
  finishBuild(store, build.id, state, reason);
  log.info({ state, reason }, 'build ended');
}

async function runToEnd(
  options: LocalEngineOptions,
  build: Build,
  writer: LogWriter,
  signal: AbortSignal,
): Promise<{ state: BuildState; reason: string | undefined }> {
  try {
    const command = options.command(build.request);
    const { exitCode } = await run(command.file, command.args, {
      cwd: command.cwd,
      env: command.env,
      signal,
      timeoutMs: options.buildTimeoutMs,
      graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
      okCodes: [0, 1, 2],
      keep: 4_000,
      onLine: (line) => writer.line(line),
    });
    return { state: exitCode === 0 ? 'success' : exitCode === 1 ? 'failure' : 'error', reason: undefined };
  } catch (error) {
    if (error instanceof CancelledError) return { state: 'cancelled', reason: String(signal.reason) };
    if (error instanceof CommandTimeoutError) {
      return {
        state: 'error',
        reason: `the build took longer than ${options.buildTimeoutMs / 1000} s and was ended`,
      };
    }
    if (error instanceof CommandFailedError) {
      return { state: 'error', reason: `the runner ended unexpectedly: ${describeError(error)}` };
    }
    return { state: 'error', reason: `the runner could not be started: ${describeError(error)}` };
  }
}

/**
 * The read side of an embedded engine that another process runs on this state folder.
 * Where no engine ever ran, there are no builds.
 */
export function openEngineReader(stateDir: string): EngineReader & { close(): void } {
  let store: Store | undefined;
  const reader = readerOf(stateDir, () => {
    store ??= openStore(databaseFile(stateDir), ENGINE_MIGRATIONS);
    return store;
  });
  return { ...reader, close: () => store?.close() };
}

function readerOf(stateDir: string, store: () => Store): EngineReader {
  return {
    get: async (id) => findBuild(store(), id),
    list: async (filter) => listBuilds(store(), filter),
    logs: (id, { from = 1, follow = false, signal } = {}) =>
      readLog(logFile(stateDir, id), {
        from,
        follow,
        isComplete: () => {
          const build = findBuild(store(), id);
          return build === undefined || isFinal(build.state);
        },
        ...(signal ? { signal } : {}),
      }),
  };
}
