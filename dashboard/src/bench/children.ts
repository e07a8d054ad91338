import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BuildJob, BuildReport } from './build-once.js';
import type { ServeJob } from './serve-job.js';

/** What a process of its own is asked to do; it answers with one message. */
export type Job = { build: BuildJob } | { serve: ServeJob };

/** What a measured process runs, which calls `doJob`, and Node's own flags for it. */
export interface Program {
  path: string;
  flags: string[];
}

const PROGRAM: Program = { path: fileURLToPath(new URL('./program.js', import.meta.url)), flags: [] };

/** Builds a site in a process of its own, so that memory is only its own. */
export async function buildInChild(job: BuildJob, { path, flags } = PROGRAM): Promise<BuildReport> {
  const child = fork(path, { execArgv: flags });
  try {
    return await answer<BuildReport>(child, { build: job });
  } finally {
    await end(child);
  }
}

/** A dashboard that another process serves. */
export interface ServedSite {
  url: string;
  /** The most that was ever resident in that process, as Linux tells it. */
  peakMb(): number;
  close(): Promise<void>;
}

/** A dashboard that is served by a process of its own: whoever reads from it does not slow it down. */
export async function serveInChild(job: ServeJob, { path, flags } = PROGRAM): Promise<ServedSite> {
  const child = fork(path, { execArgv: flags });
  try {
    const { url } = await answer<{ url: string }>(child, { serve: job });
    const peakMb = () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
    };
    return { url, peakMb, close: () => end(child) };
  } catch (error) {
    await end(child);
    throw error;
  }
}

async function answer<T>(child: ChildProcess, job: Job): Promise<T> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the measured process ended with ${code ?? signal}`);
  });
  child.send(job);
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message as T;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  await ended;
}
