import { type Logger, watchParent } from '@cc-ci/core';

/** How long all steps of a shutdown may take together before the process ends anyway, in milliseconds. */
const FORCE_AFTER_MS = 240_000;

/** Why a service ends. */
export type ShutdownCause = 'SIGINT' | 'SIGTERM' | 'parent is gone';

/** One named step of ending a service. */
export interface ShutdownStep {
  name: string;
  run(why: ShutdownCause): Promise<void>;
}

/**
 * Resolves once a service was told to end (SIGTERM, SIGINT, or its parent's death where asked for) and its steps are
 * done, in order. A step that fails is logged and the next one done.
 */
export async function untilShutdown(
  logger: Logger,
  steps: readonly ShutdownStep[],
  withParent: boolean,
): Promise<void> {
  const why = await new Promise<ShutdownCause>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal));
    if (withParent) watchParent(() => resolve('parent is gone'));
  });
  logger.info({ why }, 'shutting down');
  setTimeout(() => {
    logger.fatal('shutdown took too long');
    process.exit(1);
  }, FORCE_AFTER_MS).unref();
  for (const { name, run } of steps) {
    try {
      await run(why);
    } catch (error) {
      logger.error({ err: error, step: name }, 'a step of the shutdown failed');
    }
  }
  logger.info('ended');
}
