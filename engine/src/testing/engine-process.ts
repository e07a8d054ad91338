import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { createLogger, type TestRequest } from '@cc-ci/core';
import { type LocalEngineOptions, openLocalEngine } from '../local.js';
import { OBEDIENT_RUNNER } from './engine-contract.js';

/** Options of an engine whose runner is a shell script called with the run id, the state folder, and what is to be tested. */
export function optionsFor(stateDir: string, script = OBEDIENT_RUNNER): LocalEngineOptions {
  return {
    stateDir,
    maxTests: 2,
    buildTimeoutMs: 60_000,
    graceMs: 5_000,
    logger: createLogger('test', 'fatal'),
    command: (request) => ({
      file: 'sh',
      args: ['-c', script, 'sh', request.run, stateDir, request.recipe, request.ref, request.src],
      // The mark by which a test finds what is left of a build.
      env: { ...process.env, CC_CI_RUN: request.run },
      cwd: stateDir,
    }),
  };
}

/** Where an engine kills itself: when it has taken a build, or when it logs one of these. */
export type CrashPoint = 'taken' | 'build started' | 'build ended';

/** What an engine in a process of its own is to do. */
export interface EngineOrders {
  stateDir: string;
  script?: string;
  requests?: TestRequest[];
  crashAt?: CrashPoint;
  withParent?: boolean;
}

/** An engine in a process of its own, for tests that kill it. */
export interface EngineProcess {
  /** Resolves when all requests are in its database. */
  asked: Promise<unknown>;
  /** Resolves when it is gone. */
  gone: Promise<unknown>;
  kill(): void;
}

export function startEngineProcess(orders: EngineOrders): EngineProcess {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(orders)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    asked: once(child.stdout, 'data'),
    gone: once(child, 'exit'),
    kill: () => void child.kill('SIGKILL'),
  };
}

async function carryOut({
  stateDir,
  script,
  requests = [],
  crashAt,
  withParent = false,
}: EngineOrders): Promise<void> {
  const crash = () => process.kill(process.pid, 'SIGKILL');
  const options = optionsFor(stateDir, script);
  const engine = openLocalEngine({
    ...options,
    withParent,
    logger: createLogger('victim', 'info', {
      write: (line) => void ((JSON.parse(line) as { msg: string }).msg === crashAt && crash()),
    }),
    command: (request) => {
      if (crashAt === 'taken') crash();
      return options.command(request);
    },
  });
  for (const request of requests) await engine.start(request);
  process.stdout.write('asked\n');
  setInterval(() => undefined, 60_000); // lives until it is killed
}

if (argv[1] === fileURLToPath(import.meta.url)) await carryOut(JSON.parse(argv[2] ?? '') as EngineOrders);
