import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { BuildEnd } from './builds.js';
import type { Claim, Job, JobEnd } from './job.js';

const SUPERVISOR = fileURLToPath(new URL('./supervisor.js', import.meta.url));

const processIdentity = z.object({ pid: z.int().positive(), startTime: z.string(), boot: z.string() });
const claimSchema: z.ZodType<Claim> = z.object({
  supervisor: processIdentity.exactOptional(),
  runner: processIdentity.exactOptional(),
});
const endSchema: z.ZodType<JobEnd> = z.object({
  why: z.enum(['ended', 'stopped', 'timeout', 'parent-gone', 'not-started']),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  message: z.string().exactOptional(),
  at: z.iso.datetime(),
});

/**
 * Starts a supervisor for a build, in a session of its own. It does nothing when the build is taken already.
 * @param log file that gets whatever the build prints
 * @param env of supervisor and runner
 */
export function startSupervisor(job: Job, log: string, env: NodeJS.ProcessEnv): ChildProcess {
  const output = openSync(log, 'a');
  try {
    const stdin = job.withParent ? 'pipe' : 'ignore';
    return spawn(process.execPath, [SUPERVISOR, JSON.stringify(job)], {
      cwd: '/',
      env,
      detached: true,
      stdio: [stdin, output, output],
    });
  } finally {
    closeSync(output);
  }
}

/** Who has taken a build; undefined when nobody. One that cannot be understood counts as taken. */
export function readClaim(path: string): Claim | undefined {
  const text = readIfAny(path);
  return text === undefined ? undefined : (parse(claimSchema, text) ?? {});
}

/** How a build's runner ended; undefined while nobody has written it down. */
export function readEnd(path: string): JobEnd | undefined {
  const text = readIfAny(path);
  return text === undefined ? undefined : parse(endSchema, text);
}

/** What the end of its runner means for a build. @param wish why it was to be cancelled, where it was */
export function outcomeOf(
  { why, exitCode, signal, message, at }: JobEnd,
  wish: string | undefined,
): BuildEnd {
  if (why === 'timeout') return { state: 'error', reason: message, at };
  if (why === 'not-started')
    return { state: 'error', reason: `the runner could not be started: ${message}`, at };
  if (why === 'stopped')
    return { state: 'cancelled', reason: wish ?? 'the build was stopped by a signal to its supervisor', at };
  if (why === 'parent-gone') return wish ? { state: 'cancelled', reason: wish, at } : lost(ENGINE_GONE, at);
  if (exitCode === 0) return { state: 'success', reason: undefined, at };
  if (exitCode === 1) return { state: 'failure', reason: undefined, at };
  if (exitCode === 2) return { state: 'error', reason: undefined, at };
  const how = signal ? `it was ended by ${signal}` : `exit code ${exitCode}`;
  return { state: 'error', reason: `the runner ended unexpectedly: ${how}`, at };
}

const ENGINE_GONE = 'the engine was gone while this build ran';

/** The end of a build of which nobody knows how it ended. */
export function lost(why: string, at = new Date().toISOString()): BuildEnd {
  return { state: 'lost', reason: `${why}; comment !testme to run it again`, at };
}

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined; // written atomically, so by somebody else
  }
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
