import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, endGroup } from '@cc-ci/core';
import { request } from 'undici';

/** A server of others that we started. */
export interface RunningProgram {
  pid: number;
  /** Ends it (SIGTERM, then SIGKILL after 5 s) and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it as a crash would: SIGKILL, at once. */
  kill(): Promise<void>;
}

/** How a server is started. */
export interface ProgramOptions {
  args: readonly string[];
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Where what it prints is added. */
  logFile: string;
  /** Answers with a status below 500 as soon as the server is ready. */
  readyUrl: string;
  /** The user it runs as, where we are root. */
  asUser?: UserId | undefined;
}

/** A user of the machine who may do nothing in particular. */
export interface UserId {
  uid: number;
  gid: number;
}

const READY_TIMEOUT_MS = 60_000;
const ASK_EVERY_MS = 50;
const LOG_TAIL = 2_000;

/**
 * The command line that runs a program as a user who is not us, and that ends with us even if we are killed.
 * `setpriv` belongs to util-linux.
 */
export function bound(executable: string, args: readonly string[], asUser?: UserId): [string, string[]] {
  const user = asUser ? [`--reuid=${asUser.uid}`, `--regid=${asUser.gid}`, '--clear-groups'] : [];
  return ['setpriv', ['--pdeathsig', 'TERM', ...user, '--', executable, ...args]];
}

/**
 * Starts a server and waits until it answers.
 * @throws CcCiError with the end of its log when it ends before, or is not ready within a minute
 */
export async function startProgram(executable: string, options: ProgramOptions): Promise<RunningProgram> {
  const log = await open(options.logFile, 'a');
  const [file, args] = bound(executable, options.args, options.asUser);
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const gone = once(child, 'exit');
  await log.close();
  const { pid } = child;
  if (pid === undefined) throw new CcCiError('setpriv cannot be run', { hint: 'install util-linux' });
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const program: RunningProgram = {
    pid,
    async stop() {
      if (ended()) return;
      await endGroup(pid, 5_000);
      await gone;
    },
    async kill() {
      if (ended()) return;
      child.kill('SIGKILL');
      await gone;
    },
  };
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await answers(options.readyUrl))) {
    const why = ended() ? 'ended while it started' : 'does not answer';
    if (ended() || performance.now() > deadline) {
      await program.stop();
      const said = (await readFile(options.logFile, 'utf8')).slice(-LOG_TAIL);
      throw new CcCiError(`${executable} ${why} (${options.readyUrl}):\n${said}`);
    }
    await delay(ASK_EVERY_MS);
  }
  return program;
}

async function answers(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 5_000 });
    await body.dump();
    return statusCode < 500;
  } catch {
    return false;
  }
}

/** A TCP port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
