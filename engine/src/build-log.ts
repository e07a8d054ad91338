import { closeSync, fstatSync, openSync, readSync, watch, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { LogLine } from './engine.js';

/**
 * Completes the log of a build that has ended: the last line is whole, and after it comes `line` where one is given.
 * Done a second time, after a crash, it changes nothing.
 */
export function endLog(path: string, line: string | undefined): void {
  const last = line === undefined ? '' : `${line.replaceAll('\n', ' ')}\n`;
  const file = openSync(path, 'a+');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, Buffer.byteLength(last) + 1));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const text = tail.toString('utf8');
    if (last !== '' && (text === last || text.endsWith(`\n${last}`))) return;
    const missing = size > 0 && !text.endsWith('\n') ? `\n${last}` : last;
    if (missing !== '') writeSync(file, missing);
  } finally {
    closeSync(file);
  }
}

/** A file that changed wakes the reader; this is for file systems that do not tell. In milliseconds. */
const LOOK_AGAIN_MS = 200;
const CHUNK = 64 * 1024;

/**
 * The lines of a log file from line `from` (1 is the first) on. A missing file is an empty log.
 * With `follow` it waits for more until `isComplete` says that nothing will be added, or `signal` is aborted.
 */
export async function* readLog(
  path: string,
  options: { from: number; follow: boolean; isComplete: () => boolean; signal?: AbortSignal },
): AsyncGenerator<LogLine> {
  let offset = 0;
  let seq = 0;
  let partial = Buffer.alloc(0);
  while (!options.signal?.aborted) {
    // Asked before reading: what was written before completion is then surely read.
    const complete = !options.follow || options.isComplete();
    for (;;) {
      const chunk = await readAt(path, offset);
      if (chunk.length === 0) break;
      offset += chunk.length;
      const bytes = Buffer.concat([partial, chunk]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      partial = bytes.subarray(end);
      for (const text of bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1)) {
        seq += 1;
        if (seq >= options.from) yield { seq, text: text.replace(/\r$/, '') };
      }
    }
    if (complete) return;
    await nextChange(path, options.signal);
  }
}

async function readAt(path: string, offset: number): Promise<Buffer> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    const buffer = Buffer.alloc(CHUNK);
    const { bytesRead } = await file.read(buffer, 0, CHUNK, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function nextChange(path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      watcher?.close();
      resolve();
    };
    const timer = setTimeout(done, LOOK_AGAIN_MS);
    signal?.addEventListener('abort', done, { once: true });
    const watcher = watchIfAny(path, done);
  });
}

function watchIfAny(path: string, onChange: () => void) {
  try {
    const watcher = watch(path, onChange);
    watcher.on('error', onChange);
    return watcher;
  } catch {
    return undefined; // not there yet: the timer looks again
  }
}
