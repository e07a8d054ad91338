import { randomBytes } from 'node:crypto';
import { processTree } from './process-tree.js';

/** What a program may use before it is killed. */
export interface RunLimits {
  /** Memory of all its processes together, in bytes; looked at every 250 ms. */
  memoryBytes?: number;
  /** Bytes of stdout and stderr together. */
  outputBytes?: number;
}

const LOOK_MS = 250;
/** How long the output may stay open once all that was started has been killed, in milliseconds. */
const OUTPUT_CLOSE_MS = 1_000;

/** Set for every process of one limited program, so that none can leave it unseen. */
export const PROCESS_MARKER = 'CC_CI_PROCESS';

/** A value of the marker for one program. */
export const newProcessMark = () => randomBytes(8).toString('hex');

/** What of a child process is needed here. */
interface Child {
  pid?: number | undefined;
  stdout: { destroy(): unknown } | null;
  stderr: { destroy(): unknown } | null;
  once(event: 'exit', listener: () => void): unknown;
}

/** Holds a program to its limits. */
export interface LimitGuard {
  /** Counts what the program printed. @returns whether it may still be looked at */
  mayPrint(chunk: string): boolean;
  /** Resolves when the program has ended and all it had started is killed. */
  settled(): Promise<void>;
}

/**
 * Watches over a program until it ends, then kills all it has started.
 * @param value of `PROCESS_MARKER` in its environment
 * @param onOver called with the limit it went over, each time that is seen
 */
export function guardLimits(
  child: Child,
  value: string,
  limits: RunLimits,
  onOver: (limit: keyof RunLimits) => void,
): LimitGuard {
  const { memoryBytes = Number.POSITIVE_INFINITY, outputBytes = Number.POSITIVE_INFINITY } = limits;
  const tree = child.pid === undefined ? undefined : processTree(child.pid, `${PROCESS_MARKER}=${value}`);
  // Also without a limit on memory: who has been seen to belong to the program cannot hide later.
  const watch = setInterval(() => tree?.exceeds(memoryBytes) && onOver('memoryBytes'), LOOK_MS);
  let printed = 0;
  let closing: NodeJS.Timeout | undefined;
  let killed: Promise<void> | undefined;
  child.once('exit', () => {
    clearInterval(watch);
    killed = tree?.kill().then(() => {
      // Whoever got away may hold the output open, and us waiting.
      closing = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, OUTPUT_CLOSE_MS);
    });
  });
  return {
    mayPrint(chunk) {
      printed += Buffer.byteLength(chunk);
      if (printed > outputBytes) onOver('outputBytes');
      return printed <= outputBytes;
    },
    async settled() {
      clearInterval(watch);
      await killed;
      clearTimeout(closing);
    },
  };
}
