import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createGuardOf } from './guard.js';
import { compact, type RecordEntry, readEntry } from './records.js';

/** Folders to read; whoever reads takes the next block. */
export interface ReadJob {
  stateDir: string;
  folders: readonly string[];
  secrets: readonly string[];
  /** How many have been taken, shared between threads. */
  taken: Int32Array;
}

const BLOCK = 50;
/** So many folders are worth a second thread, which takes 50 ms to start. */
const WORTH_A_WORKER = 1_000;

/** The next folders to read; undefined when all are taken. */
export function takeBlock({ folders, taken }: ReadJob): readonly string[] | undefined {
  const from = Atomics.add(taken, 0, BLOCK);
  return from < folders.length ? folders.slice(from, from + BLOCK) : undefined;
}

/** Reads these folders, many of them on two threads, and lets others have their turn. */
export async function readMany(
  stateDir: string,
  folders: readonly string[],
  secrets: readonly string[],
): Promise<RecordEntry[]> {
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const job: ReadJob = { stateDir, folders, secrets, taken };
  const read = new Map<string, RecordEntry>();
  const worker = folders.length >= WORTH_A_WORKER ? startWorker(job, read) : undefined;
  const guard = createGuardOf(secrets);
  for (let block = takeBlock(job); block; block = takeBlock(job)) {
    for (const folder of block) read.set(folder, compact(readEntry(stateDir, folder, guard)));
    await setImmediate();
  }
  await worker;
  // What a worker that failed had taken.
  for (const folder of folders) if (!read.has(folder)) read.set(folder, readEntry(stateDir, folder, guard));
  return [...read.values()];
}

function startWorker(job: ReadJob, read: Map<string, RecordEntry>): Promise<void> {
  const worker = new Worker(new URL('./read-worker.js', import.meta.url), {
    workerData: job,
    // Each block is let go of when it was told of.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  worker.on('message', (entries: RecordEntry[]) => {
    for (const entry of entries) read.set(entry.folder, compact(entry));
  });
  return new Promise((resolve) => {
    worker.on('error', () => resolve());
    worker.on('exit', () => resolve());
  });
}
