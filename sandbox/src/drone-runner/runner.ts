import { arch, hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger, describeError, type Logger } from '@cc-ci/core';
import type { RunnerEnvironment } from './environment.js';
import { connectRpc, OptimisticLockError } from './protocol.js';
import { runStage } from './stage.js';

/** A stand-in for `drone-runner-exec`, which is in no package registry. */
export interface DroneRunner {
  /** Ends it as a kill would: what runs is killed as on a cancel, and nothing is reported. */
  stop(): Promise<void>;
}

/** How a runner is started. */
export interface DroneRunnerOptions {
  /** Where the Drone server answers, without a slash at its end. */
  url: string;
  /** The secret that the server and its runners share. */
  secret: string;
  /** How many pipelines run at once. */
  capacity?: number;
  name?: string;
  logger?: Logger;
  /** Where the steps' environment comes from. */
  around?: RunnerEnvironment;
}

/** What Go calls the machines that Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
/** Before a stage is asked for again when something went wrong with the last. */
const AFTER_ERROR_MS = 1_000;

/**
 * Starts a runner of exec pipelines on this machine.
 * @throws HttpStatusError when the server does not take its secret, or is built without runners (404)
 */
export async function startDroneRunner(options: DroneRunnerOptions): Promise<DroneRunner> {
  const { url, secret, capacity = 2, name = hostname(), around = {} } = options;
  const logger = options.logger ?? createLogger('drone-runner', 'warn');
  const stop = new AbortController();
  const rpc = connectRpc(url, secret, stop.signal);
  await rpc.ping();
  const slot = async () => {
    while (!stop.signal.aborted) {
      try {
        const stage = await rpc.request({ type: 'exec', os: 'linux', arch: ARCHITECTURES[arch()] ?? arch() });
        if (stage) await runStage(rpc, stage, { machine: name, logger, around }, stop.signal);
      } catch (error) {
        if (stop.signal.aborted || error instanceof OptimisticLockError) continue;
        logger.error({ error: describeError(error) }, 'stage not run');
        await delay(AFTER_ERROR_MS, undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  };
  const slots = Array.from({ length: capacity }, slot);
  return {
    async stop() {
      stop.abort();
      await Promise.all(slots);
    },
  };
}
