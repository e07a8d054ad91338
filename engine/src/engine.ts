import type { TestRequest } from '@cc-ci/core';

/**
 * Where a build stands. `success`, `failure` and `error` are the runner's exit codes 0, 1 and 2; `lost`: the runner is
 * gone without anybody having seen how it ended.
 */
export type BuildState = 'queued' | 'running' | 'success' | 'failure' | 'error' | 'cancelled' | 'lost';

/** Whether a build has ended for good. */
export function isFinal(state: BuildState): boolean {
  return state !== 'queued' && state !== 'running';
}

/** One build: a request that was handed to an engine, under the run's id. */
export interface Build {
  id: string;
  request: TestRequest;
  state: BuildState;
  /** ISO times. */
  createdAt: string;
  startedAt: string | undefined;
  finishedAt: string | undefined;
  /** Place in the queue, from 1; only while queued. */
  position: number | undefined;
  /** Why it ended as it did, where the state alone does not say. */
  reason: string | undefined;
}

/** One line of a build's log. `seq` counts from 1 without gaps. */
export interface LogLine {
  seq: number;
  text: string;
}

/** What may be asked of an engine by anybody. */
export interface EngineReader {
  /** undefined: this engine never had such a build. */
  get(id: string): Promise<Build | undefined>;
  /** All builds, or those of one recipe; the newest first. */
  list(filter?: { recipe?: string; limit?: number }): Promise<Build[]>;
  /**
   * A build's log from line `from` (default 1) on. With `follow` it goes on until the build has ended and all its
   * lines were given, the engine is closed, or `signal` is aborted.
   */
  logs(
    id: string,
    options?: { from?: number; follow?: boolean; signal?: AbortSignal },
  ): AsyncIterable<LogLine>;
}

/** What becomes of running builds when an engine is closed. */
export interface CloseOptions {
  /**
   * `leave` (the default): they go on, and the next engine on the same state tells how they ended; `cancel`: they are
   * cancelled and waited for. Queued builds wait for the next engine either way.
   */
  running?: 'leave' | 'cancel';
}

/** An engine: takes requests, runs each once, keeps their logs. Builds outlive the process they were asked for in. */
export interface Engine extends EngineReader {
  /** Queues the request. Idempotent by `request.run`: asked again, it answers with the build it already has. */
  start(request: TestRequest): Promise<Build>;
  /**
   * Wishes for the end of a queued or running build; returns once the wish is kept, over a restart too. The build ends
   * later, as `cancelled` with this reason (the first one given counts), unless it ends by itself before it hears of
   * it. One that has ended, or was never there, is left as it is.
   */
  cancel(id: string, reason: string): Promise<void>;
  /** Whether it can take work now. @throws what keeps it from that */
  ready(): Promise<void>;
  /** Stops taking work. */
  close(options?: CloseOptions): Promise<void>;
}
