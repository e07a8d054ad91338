import { setTimeout as delay } from 'node:timers/promises';

const BETWEEN_MS = 100;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Calls `check` until it does not throw, and answers what it answered. Use it instead of sleeping.
 * @param options.timeoutMs how long to try, default 10 s; then the last error is thrown
 * @param options.signal ends the wait early with its reason
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await check();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await delay(BETWEEN_MS);
  }
}
