import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createRunReader, type ReadRun, type RunReaderOptions } from './run-reader.js';

/** A folder to be read, with what else the page of its run is made of. */
export interface Reading {
  folder: string;
  /** What the engine knows of it, as `packBuild` gives it. */
  build: string | undefined;
  /** What its page was made from last. */
  pageKey: string | undefined;
}

const BLOCK = 20;
/** So many blocks lie with the other thread, so that it has work while this one cannot give it any. */
const AHEAD = 6;
/** So many folders are worth a thread of their own, which takes 100 ms to start. */
const WORTH_WORKER = 500;

/**
 * Reads these folders, with the help of another thread if they are many, and lets others have their turn.
 * @param onRead given what came of each, as soon as it is there
 */
export async function readMany(
  options: RunReaderOptions,
  readings: readonly Reading[],
  onRead: (read: ReadRun) => void,
): Promise<void> {
  const blocks: (readonly Reading[])[] = [];
  for (let at = 0; at < readings.length; at += BLOCK) blocks.push(readings.slice(at, at + BLOCK));
  // They are taken from the end, and given back there.
  blocks.reverse();
  const reader = createRunReader(options);
  const workOff = async () => {
    for (let block = blocks.pop(); block; block = blocks.pop()) {
      for (const reading of block) onRead(await reader(reading));
      await setImmediate();
    }
  };
  // More threads would wait for the same disk, and each takes 40 MB.
  const isShared = readings.length >= WORTH_WORKER && availableParallelism() > 1;
  const help = isShared ? workThrough(options, blocks, onRead) : Promise.resolve();
  // Whatever went wrong there is told below, when our own work is done.
  help.catch(() => undefined);
  await workOff();
  await help;
  // What a thread that failed gave back.
  await workOff();
}

/**
 * One thread that takes a block after the other until there are none; it resolves also when the thread fails.
 * @throws what `onRead` does
 */
function workThrough(
  options: RunReaderOptions,
  blocks: (readonly Reading[])[],
  onRead: (read: ReadRun) => void,
): Promise<void> {
  const worker = new Worker(new URL('./read-worker.js', import.meta.url), {
    workerData: options,
    // Nothing it makes is kept for long.
    resourceLimits: { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 32 },
  });
  const taken: (readonly Reading[])[] = [];
  const give = () => {
    const block = blocks.pop();
    if (!block) return;
    taken.push(block);
    worker.postMessage(block);
  };
  return new Promise((resolve, reject) => {
    // Blocks are answered in the order they were given.
    worker.on('message', (answer: ReadRun[]) => {
      taken.shift();
      try {
        for (const read of answer) onRead(read);
      } catch (error) {
        reject(error);
        void worker.terminate();
        return;
      }
      give();
      if (taken.length === 0) void worker.terminate();
    });
    worker.on('error', () => void worker.terminate());
    worker.on('exit', () => {
      blocks.push(...taken);
      resolve();
    });
    for (let ahead = 0; ahead < AHEAD; ahead++) give();
  });
}
