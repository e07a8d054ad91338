import { parentPort, workerData } from 'node:worker_threads';
import type { Reading } from './read-many.js';
import { createRunReader, type ReadRun, type RunReaderOptions } from './run-reader.js';

// Reads blocks of folders beside the main thread, which says what comes next.
const reader = createRunReader(workerData as RunReaderOptions);
let before: Promise<unknown> = Promise.resolve();
parentPort?.on('message', (block: Reading[]) => {
  before = before.then(async () => {
    const answer: ReadRun[] = [];
    for (const reading of block) answer.push(await reader(reading));
    parentPort?.postMessage(answer);
  });
});
