import { CancelledError, loadConfig, watchParent } from '@cc-ci/core';
import type { RunnerOptions } from '@cc-ci/runner';
import { z } from 'zod';
import { parse } from './parse.js';
import { selfCommand } from './runner-process.js';
import { openTerminal, type Terminal } from './terminal.js';

/** Seconds a run may take unless told otherwise. */
export const DEFAULT_TIMEOUT = '3600';

/**
 * What a runner needs of the process it is in: settings, where to tell its progress, and to be told when to stop (a
 * signal, or the death of the process that started us).
 */
export function runnerOptions(flags: { timeout?: string }): RunnerOptions & { terminal: Terminal } {
  const timeout = parse(z.coerce.number().min(1).max(86_400), flags.timeout ?? DEFAULT_TIMEOUT, '--timeout');
  const config = loadConfig(['common', 'runner']);
  const terminal = openTerminal(process.stdout, process.env);
  const cancelled = new AbortController();
  const cancel = (why: string) => {
    if (!cancelled.signal.aborted) terminal.print(`stopping: ${why}; what was deployed is removed first`);
    cancelled.abort(new CancelledError(why));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => cancel(`the run was stopped (${signal})`));
  }
  // Whoever reads our output may die before us; the teardown that follows must not die of that.
  process.stdout.on('error', () => undefined);
  watchParent(() => cancel('the process that started this run is gone'));
  return {
    config,
    signal: cancelled.signal,
    timeoutMs: timeout * 1000,
    say: terminal.say,
    terminal,
    watchdog: selfCommand('watchdog'),
  };
}
