import { describeError, type Logger, run } from '@cc-ci/core';

/** systemd's side of a service: told when it is up, that it lives, and when it ends. */
export interface SystemdUnit {
  /** Says that the service is up, and from now on, as often as the unit wants, that it lives. */
  ready(): Promise<void>;
  /** Says that it is ending, which may take its time. */
  stopping(): Promise<void>;
}

export interface SystemdOptions {
  /** What hangs; while anything does, the watchdog is not fed, and systemd ends the service and starts it again. */
  late: () => string[];
  logger: Logger;
  env?: NodeJS.ProcessEnv;
}

/** Variables by which systemd asks to be told. They are ours: what we start must not speak in our name. */
export const SYSTEMD_VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

const NOTIFY_TIMEOUT_MS = 10_000;

/**
 * The unit this process is the service of; outside systemd all of it does nothing. Node has no datagram sockets of the
 * file system, so `systemd-notify` speaks for us, and the unit needs `NotifyAccess=all`.
 */
export function systemdUnit({ late, logger, env = process.env }: SystemdOptions): SystemdUnit {
  const { NOTIFY_SOCKET, PATH } = env;
  if (!NOTIFY_SOCKET) return { ready: async () => undefined, stopping: async () => undefined };
  let timer: NodeJS.Timeout | undefined;
  let feeding: Promise<void> | undefined;

  /** Never fails: a service is none the worse for what systemd does not hear. */
  async function tell(...words: string[]): Promise<void> {
    try {
      await run('systemd-notify', words, {
        env: { NOTIFY_SOCKET, ...(PATH === undefined ? {} : { PATH }) },
        timeoutMs: NOTIFY_TIMEOUT_MS,
        missingHint: 'systemd brings it; without it use Type=exec and no WatchdogSec=',
      });
    } catch (error) {
      logger.error({ words, why: describeError(error) }, 'systemd could not be told');
    }
  }

  function feed(): void {
    if (feeding) return;
    const hanging = late();
    if (hanging.length > 0) {
      logger.error({ late: hanging }, 'the watchdog is not fed: something hangs');
      return;
    }
    feeding = tell('WATCHDOG=1').finally(() => {
      feeding = undefined;
    });
  }

  return {
    async ready() {
      await tell('READY=1');
      const everyMs = watchdogMs(env);
      if (everyMs !== undefined) timer = setInterval(feed, everyMs / 2);
    },
    async stopping() {
      // Fed no more: systemd's stop timeout counts from here on.
      clearInterval(timer);
      await feeding;
      await tell('STOPPING=1');
    },
  };
}

/** How often systemd wants to hear that this process lives, in milliseconds; undefined when it does not. */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | undefined {
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return undefined;
  const microseconds = Number(WATCHDOG_USEC);
  return microseconds > 0 && Number.isFinite(microseconds) ? microseconds / 1_000 : undefined;
}
