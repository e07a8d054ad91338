import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  createLogger,
  loadConfig,
  type Plan,
  planFile,
  type RunSummary,
  runFolder,
  summaryFile,
  type TestRequest,
} from '@cc-ci/core';
import type { BuildCommand } from '@cc-ci/engine';

// A bridge with the embedded engine in a process of its own, for tests and measures that kill it or look at it from
// outside. All is as in `cc-ci bridge`, save for what a build runs: a shell script that notes when it began and leaves
// the record of a green run. Whole runs take a minute each, and are not what is judged here.

const RUNNER = `date +%s.%N >> "$6" && mkdir -p "$1" && printf '%s' "$2" > "$3" && sleep 0.1 && printf '%s' "$4" > "$5"`;

/** A bridge in a process of its own. */
export interface BridgeProcess {
  /** Resolves after its first look at the forge, when it takes deliveries; rejects when it ends before that. */
  ready: Promise<void>;
  /** Resolves with its exit code, or the signal that ended it. */
  gone: Promise<number | string>;
  pid: number;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
}

/**
 * Starts a bridge with these settings; `dir` gets its log, `bridge.log`, and when its builds began. It ends with this
 * process.
 */
export function startBridgeProcess(env: NodeJS.ProcessEnv, dir: string): BridgeProcess {
  const log = openSync(join(dir, 'bridge.log'), 'a');
  mkdirSync(startsFolder(dir), { recursive: true });
  const child = fork(fileURLToPath(import.meta.url), [startsFolder(dir)], {
    env,
    stdio: ['ignore', log, log, 'ipc'],
  });
  const gone = once(child, 'exit').then(
    ([code, signal]: unknown[]) => (code as number | null) ?? String(signal),
  );
  const ready = readiness(child, gone);
  // Whoever kills it does not wait for it.
  ready.catch(() => undefined);
  return { ready, gone, pid: child.pid ?? 0, kill: (signal) => void child.kill(signal) };
}

async function readiness(child: ChildProcess, gone: Promise<number | string>): Promise<void> {
  const ended = gone.then((how) => {
    throw new Error(`the bridge ended before it was up: ${how}`);
  });
  await Promise.race([once(child, 'message'), ended]);
}

const startsFolder = (dir: string) => join(dir, 'starts');

/** When a run's build began, once for each time it did (milliseconds since 1970). */
export async function startsOf(dir: string, run: string): Promise<number[]> {
  const text = await readFile(join(startsFolder(dir), run), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((seconds) => Number(seconds) * 1_000);
}

function buildCommand(stateDir: string, starts: string, request: TestRequest): BuildCommand {
  const dir = runFolder(stateDir, request.run);
  const at = new Date().toISOString();
  const plan: Plan = {
    schema: 1,
    request,
    mode: 'run',
    createdAt: at,
    stages: ['install'],
    snapshots: [],
    overlays: [],
    tools: {},
  };
  const outcome = { verdict: 'green' as const, sentence: 'all passed', evidence: [] };
  const summary: RunSummary = { run: request.run, startedAt: at, finishedAt: at, outcome };
  const files = [dir, JSON.stringify(plan), planFile(dir), JSON.stringify(summary), summaryFile(dir)];
  const args = [...files, join(starts, request.run)];
  return { file: 'sh', args: ['-c', RUNNER, 'sh', ...args], env: { PATH: process.env.PATH }, cwd: '/' };
}

async function serve(starts: string): Promise<void> {
  const { startBridge } = await import('@cc-ci/bridge');
  const { openEngine } = await import('../engine.js');
  const config = loadConfig(['common', 'engine', 'bridge']);
  const logger = createLogger('bridge', config.common.logLevel);
  const command = (request: TestRequest) => buildCommand(config.common.stateDir, starts, request);
  const engine = await openEngine(config, logger, { command, withParent: false });
  const bridge = await startBridge(config, engine, logger);
  const stop = async () => {
    await bridge.stop();
    await engine.close({ running: 'leave' });
    process.exit();
  };
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  process.send?.('ready');
}

if (argv[1] === fileURLToPath(import.meta.url)) await serve(argv[2] ?? '');
