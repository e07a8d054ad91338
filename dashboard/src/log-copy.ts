import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Guard, LineFilter } from './guard.js';

const CHUNK = 1024 * 1024;

/** A copy of a log that follows it: whole lines only, each looked at by the guard before it is written. */
export interface LogCopy {
  path: string;
  /** Copies what is new. @returns whether anything was hidden, now or earlier */
  advance(options: { complete: boolean }): Promise<boolean>;
  remove(): void;
}

/** Begins a copy anew. A line longer than a chunk is passed on in pieces. */
export function createLogCopy(source: string, path: string, guard: Guard): LogCopy {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  closeSync(openSync(path, 'wx'));
  const filter = guard.lines();
  let offset = 0;
  let inode: number | undefined;
  let hidden = false;
  let cut = false;

  return {
    path,
    async advance({ complete }) {
      const from = openSync(source, 'r');
      const to = openSync(path, 'a');
      try {
        const { ino, size } = fstatSync(from);
        // Logs are only ever appended to; if one was replaced after all, its copy begins anew with the next generation.
        if (inode !== undefined && (ino !== inode || size < offset))
          throw new Error(`${source} was replaced`);
        inode = ino;
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size - offset)));
        for (;;) {
          const length = readSync(from, buffer, 0, Math.min(buffer.length, size - offset), offset);
          if (length === 0) return hidden;
          const last = complete && offset + length >= size;
          const whole = last ? length : wholeLines(buffer, length);
          if (whole === 0) return hidden;
          const text = buffer.toString('utf8', 0, whole);
          const safe = filterLines(text, guard, filter, cut);
          cut = !text.endsWith('\n');
          hidden ||= safe !== text;
          writeSync(to, safe);
          offset += whole;
          await setImmediate();
        }
      } finally {
        closeSync(from);
        closeSync(to);
      }
    },
    remove: () => rmSync(path, { force: true }),
  };
}

function wholeLines(buffer: Buffer, length: number): number {
  const end = buffer.subarray(0, length).lastIndexOf(10) + 1;
  return end > 0 || length < CHUNK ? end : length;
}

/** Most text holds nothing to hide, and looking at much at once is cheaper than line by line. */
export function filterLines(text: string, guard: Guard, filter: LineFilter, cut = false): string {
  if (!cut && !filter.isOpen() && !guard.finds(text)) return text;
  return text
    .split('\n')
    .map((line, index, lines) => (index === lines.length - 1 && line === '' ? '' : filter(line)))
    .join('\n');
}
