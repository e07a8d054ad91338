import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CancelledError, CcCiError, describeError, run } from '@cc-ci/core';
import { request } from 'undici';
import { selfCommand } from '../runner-process.js';

/** A cc-ci service in a process of its own, its log in a file. */
export interface Service {
  /** Asks it to end and waits; a bridge tears down what its builds have deployed first. */
  stop(): Promise<void>;
}

/** A bridge may have to wait for the teardown of its builds. */
const STOP_GRACE_MS = 240_000;

/**
 * Starts `cc-ci <args>` and waits until it answers at `health`. It ends with this process, however that dies, unless
 * `withParent` is false: then it is as a service manager would start it.
 * @throws CcCiError when it ends, or does not answer within 30 s; the log's file is named
 */
export async function startService(
  args: readonly string[],
  {
    env,
    logFile,
    health,
    signal,
    withParent = true,
  }: {
    env: NodeJS.ProcessEnv;
    logFile: string;
    health: string;
    signal: AbortSignal;
    withParent?: boolean;
  },
): Promise<Service> {
  const log = createWriteStream(logFile, { flags: 'a' });
  const stopping = new AbortController();
  const [file = '', ...argv] = selfCommand(...args, ...(withParent ? ['--with-parent'] : []));
  let failure: string | undefined;
  const ended = run(file, argv, {
    env,
    signal: stopping.signal,
    graceMs: STOP_GRACE_MS,
    keep: 2_000,
    onLine: (line) => void log.write(`${line}\n`),
  })
    .then(() => 'it ended', describeError)
    .then((text) => {
      failure = text;
      log.end();
    });
  const stop = async () => {
    stopping.abort();
    await ended;
  };
  const deadline = performance.now() + 30_000;
  while (!(await answers(health))) {
    const why = signal.aborted
      ? 'stopped'
      : (failure ?? (performance.now() > deadline ? 'no answer within 30 s' : undefined));
    if (why !== undefined) {
      await stop();
      if (signal.aborted) throw new CancelledError(`cc-ci ${args.join(' ')}: stopped`);
      throw new CcCiError(`cc-ci ${args.join(' ')} did not come up: ${why}`, { hint: `its log: ${logFile}` });
    }
    await delay(50);
  }
  return { stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 2_000 });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

/** A free TCP port on loopback: the wished one where possible. */
export async function freePort(wish: number): Promise<number> {
  for (const port of [wish, 0]) {
    const found = await new Promise<number | undefined>((resolve) => {
      const server = createServer();
      server.on('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
      });
    });
    if (found !== undefined) return found;
  }
  throw new CcCiError('there is no free TCP port on 127.0.0.1');
}
