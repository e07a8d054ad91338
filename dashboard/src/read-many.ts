import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Build } from '@cc-ci/engine';
import { compact } from './records.js';
import { createRunReader, type ReadRun, type RunReaderOptions } from './run-reader.js';

/** A folder to be read, with what else the page of its run is made of. */
export interface Reading {
  folder: string;
  build: Build | undefined;
  /** What its page was made from last. */
  pageKey: string | undefined;
}

const BLOCK = 20;
/** So many blocks lie with the other thread, so that it has work while this one cannot give it any. */
const AHEAD = 6;
/** So many folders are worth a thread of their own, which takes 100 ms to start. */
const WORTH_WORKER = 500;

/** Reads these folders, with the help of another thread if they are many, and lets others have their turn. */
export async function readMany(options: RunReaderOptions, readings: readonly Reading[]): Promise<ReadRun[]> {
  const blocks: (readonly Reading[])[] = [];
  for (let at = 0; at < readings.length; at += BLOCK) blocks.push(readings.slice(at, at + BLOCK));
  const read: ReadRun[] = [];
  const reader = createRunReader(options);
  const workOff = async () => {
    for (let block = blocks.pop(); block; block = blocks.pop()) {
      for (const reading of block) read.push(compacted(await reader(reading)));
      await setImmediate();
    }
  };
  // More threads would wait for the same disk, and each takes 40 MB.
  const isShared = readings.length >= WORTH_WORKER && availableParallelism() > 1;
  const help = isShared ? workThrough(options, blocks, read) : undefined;
  await workOff();
  await help;
  // What a thread that failed gave back.
  await workOff();
  return read;
}

function compacted(read: ReadRun): ReadRun {
  return { ...read, entry: compact(read.entry) };
}

/** One thread that takes a block after the other until there are none; it resolves also when the thread fails. */
function workThrough(
  options: RunReaderOptions,
  blocks: (readonly Reading[])[],
  read: ReadRun[],
): Promise<void> {
  const worker = new Worker(new URL('./read-worker.js', import.meta.url), {
    workerData: options,
    // Nothing it makes is kept for long.
    resourceLimits: { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 32 },
  });
  const taken: (readonly Reading[])[] = [];
  const give = () => {
    const block = blocks.pop();
    if (!block) return;
    taken.push(block);
    worker.postMessage(block);
  };
  return new Promise((resolve) => {
    // Blocks are answered in the order they were given.
    worker.on('message', (answer: ReadRun[]) => {
      taken.shift();
      for (const one of answer) read.push(compacted(one));
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
