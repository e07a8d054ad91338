import type { LogLine as Line } from '../drone-runner/protocol.js';

/** A running step's log in Drone's memory: the last lines, and whoever listens. */
export interface LiveLog {
  write(line: Line): void;
  /** The lines so far and those that come, until the log is closed or `signal` aborted. */
  tail(signal: AbortSignal): AsyncGenerator<Line>;
  close(): void;
}

/** @param keep how many lines are kept for who comes late */
export function createLiveLog(keep: number): LiveLog {
  let kept: Line[] = [];
  let closed = false;
  const listeners = new Set<() => void>();
  const queues = new Set<Line[]>();
  const tell = () => {
    for (const wake of listeners) wake();
  };
  return {
    write(line) {
      kept = [...kept, line].slice(-keep);
      for (const queue of queues) queue.push(line);
      tell();
    },
    async *tail(signal) {
      const queue = [...kept];
      queues.add(queue);
      try {
        for (;;) {
          yield* queue.splice(0);
          if (closed || signal.aborted) return;
          await new Promise<void>((resolve) => {
            const wake = () => {
              listeners.delete(wake);
              signal.removeEventListener('abort', wake);
              resolve();
            };
            listeners.add(wake);
            signal.addEventListener('abort', wake);
          });
        }
      } finally {
        queues.delete(queue);
      }
    },
    close() {
      closed = true;
      tell();
    },
  };
}
