import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { writeJson } from '@cc-ci/core/files';
import { endGroup, signalGroup } from '@cc-ci/core/process-group';
import { identifyProcess } from '@cc-ci/core/process-identity';
import { type Claim, type Job, type JobEnd, takeClaim } from './job.js';

// One build's supervisor, a program: takes the build, runs its runner in a process group of its own, ends it in time,
// and writes down how it ended. It lives in a session of its own and outlives the engine. stdout and stderr are the
// build's log; the runner inherits them, so what it prints passes through nobody's hands.

/** A disk that is full is waited for this long before the end of a build is given up, in milliseconds. */
const WRITE_END_FOR_MS = 600_000;
const WRITE_AGAIN_MS = 1_000;

async function supervise(job: Job): Promise<void> {
  const self = identifyProcess(process.pid);
  if (!self) throw new Error('/proc does not list this process: builds need Linux with /proc');
  let runner: ChildProcess | undefined;
  let why: JobEnd['why'] = 'ended';
  const stop = (cause: JobEnd['why']) => {
    if (why !== 'ended') return;
    why = cause;
    if (runner?.pid !== undefined) void endGroup(runner.pid, job.graceMs);
  };
  // From before the claim on: whoever reads the claim may signal us.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop('stopped'));
  if (job.withParent) {
    process.stdin.on('error', () => undefined).on('close', () => stop('parent-gone'));
    process.stdin.resume();
  }
  // No signal is heard between here and the start of the runner: nothing is waited for.
  if (!takeClaim(job.claim, { supervisor: self })) return;
  try {
    runner = spawn(job.file, job.args, {
      cwd: job.cwd,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  } catch (error) {
    return writeEnd(job.end, notStarted(error as Error));
  }
  const { pid } = runner;
  const ended = endOf(runner);
  const timer = setTimeout(stop, job.timeoutMs, 'timeout');
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  if (identity) {
    const claim: Claim = { supervisor: self, runner: identity };
    // Needed only if we are killed: a full disk must not end the build for it.
    await writeJson(job.claim, claim).catch(complain);
  }
  const end = await ended;
  clearTimeout(timer);
  // Whatever it left behind in its group.
  if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  await writeEnd(job.end, end.why === 'ended' ? { ...end, why, ...timeoutMessage(why, job) } : end);
}

function endOf(runner: ChildProcess): Promise<JobEnd> {
  return new Promise((resolve) => {
    runner.once('error', (error) => resolve(notStarted(error)));
    runner.once('exit', (exitCode, signal) => resolve({ why: 'ended', exitCode, signal, at: now() }));
  });
}

function notStarted({ message }: Error): JobEnd {
  return { why: 'not-started', exitCode: null, signal: null, message, at: now() };
}

function timeoutMessage(why: JobEnd['why'], { timeoutMs }: Job): Pick<JobEnd, 'message'> {
  if (why !== 'timeout') return {};
  return { message: `the build took longer than ${timeoutMs / 1000} s and was ended` };
}

function now(): string {
  return new Date().toISOString();
}

async function writeEnd(path: string, end: JobEnd): Promise<void> {
  const deadline = performance.now() + WRITE_END_FOR_MS;
  for (;;) {
    try {
      return await writeJson(path, end);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(WRITE_AGAIN_MS);
    }
  }
}

function complain(error: Error): void {
  process.stderr.write(`the build's supervisor: ${error.message}\n`);
}

try {
  await supervise(JSON.parse(process.argv[2] ?? '') as Job);
} catch (error) {
  complain(error as Error);
  process.exitCode = 1;
}
// A pipe from the engine would keep us.
process.exit();
