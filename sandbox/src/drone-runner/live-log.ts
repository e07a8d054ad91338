import { describeError, type Logger } from '@cc-ci/core';
import type { DroneRpc, LogLine } from './protocol.js';

/** The real runner sends what has come at most once a second. */
const SEND_EVERY_MS = 1_000;
/** What a log may hold, in bytes; of a longer one the beginning is dropped, and no more is sent before the end. */
const LIMIT_BYTES = 5 * 1024 * 1024;

/** The log of one step: sent in batches while it grows, as a whole at the end. */
export interface LiveLog {
  write(chunk: string): void;
  /** Sends what is left, then the whole. */
  close(): Promise<void>;
}

/** A log of one step. @param everyMs how often what has come is sent */
export function openLiveLog(
  rpc: Pick<DroneRpc, 'batch' | 'upload'>,
  step: number,
  logger: Logger,
  everyMs = SEND_EVERY_MS,
): LiveLog {
  const started = performance.now();
  const history: LogLine[] = [];
  let pending: LogLine[] = [];
  let size = 0;
  let count = 0;
  let full = false;
  const add = (out: string) => {
    const line = { pos: count++, out, time: Math.floor((performance.now() - started) / 1000) };
    history.push(line);
    size += out.length;
    full ||= size > LIMIT_BYTES;
    if (!full) pending.push(line);
    while (size > LIMIT_BYTES && history.length > 1) size -= history.shift()?.out.length ?? 0;
  };
  let sending: Promise<void> = Promise.resolve();
  const flush = () => {
    const lines = pending;
    if (lines.length === 0) return;
    pending = [];
    // A live log is a kindness: the build does not depend on it.
    sending = sending
      .then(() => rpc.batch(step, lines))
      .catch((error: unknown) => logger.warn({ step, error: describeError(error) }, 'live log not taken'));
  };
  const timer = setInterval(flush, everyMs);
  return {
    write(chunk) {
      for (const part of cut(chunk)) add(part);
    },
    async close() {
      clearInterval(timer);
      flush();
      await sending;
      await rpc.upload(step, history);
    },
  };
}

/**
 * As the real runner cuts what it is given: after every newline, with what stands behind the last one (even nothing) as
 * a line of its own; a part of a line that comes alone is a line too. Who reads such a log joins before they cut.
 */
export function cut(chunk: string): string[] {
  return chunk.replace(/\n$/, '').includes('\n')
    ? chunk.split('\n').map((line, i, all) => (i < all.length - 1 ? `${line}\n` : line))
    : [chunk];
}
