import { parentPort, workerData } from 'node:worker_threads';
import { createGuardOf } from './guard.js';
import { type ReadJob, takeBlock } from './read-many.js';
import { readEntry } from './records.js';

// Reads its share of many folders beside the main thread; each block of them is told of as soon as it is read.
const job = workerData as ReadJob;
const guard = createGuardOf(job.secrets);
for (let block = takeBlock(job); block; block = takeBlock(job))
  parentPort?.postMessage(block.map((folder) => readEntry(job.stateDir, folder, guard)));
