import { type FileHandle, open } from 'node:fs/promises';
import { SHORT_LOG } from '@cc-ci/core/reading';

/** The last part of a log. */
export interface LogTail {
  /** Number of the first line in `lines`; the log's first is 1. */
  firstLine: number;
  lines: string[];
  /** Size of the whole log in bytes. */
  bytes: number;
}

/** How much of a log is put on a page. */
export interface TailLimits {
  lines: number;
  bytes: number;
  /** Characters of one line. */
  width: number;
}

export const PAGE_LIMITS: TailLimits = { ...SHORT_LOG, width: 4_000 };

/** Reads the ends of logs; of one that grew since the last time, only the new part is scanned. */
export interface TailReader {
  /** @returns undefined when there is no such file */
  read(path: string): Promise<LogTail | undefined>;
  /** Lets go of what is remembered about a log. */
  forget(path: string): void;
}

/** How far a log was scanned, and where its last lines begin. */
interface Scan {
  inode: number;
  scanned: number;
  newlines: number;
  starts: number[];
}

const CHUNK = 256 * 1024;

export function createTailReader(limits: TailLimits = PAGE_LIMITS): TailReader {
  const scans = new Map<string, Scan>();
  return {
    async read(path) {
      const file = await openIfAny(path);
      if (!file) return undefined;
      try {
        const { ino, size } = await file.stat();
        let scan = scans.get(path);
        if (!scan || scan.inode !== ino || scan.scanned > size) {
          scan = { inode: ino, scanned: 0, newlines: 0, starts: [0] };
          scans.set(path, scan);
        }
        await advance(file, scan, size, limits.lines);
        return await readTail(file, scan, size, limits);
      } finally {
        await file.close();
      }
    },
    forget: (path) => void scans.delete(path),
  };
}

/** Counts the lines up to `size`, keeping where the last ones begin. */
async function advance(file: FileHandle, scan: Scan, size: number, keep: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  while (scan.scanned < size) {
    const length = Math.min(CHUNK, size - scan.scanned);
    const { bytesRead } = await file.read(buffer, 0, length, scan.scanned);
    if (bytesRead === 0) return;
    const chunk = buffer.subarray(0, bytesRead);
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
      scan.newlines += 1;
      scan.starts.push(scan.scanned + at + 1);
    }
    scan.scanned += bytesRead;
    if (scan.starts.length > 2 * keep) scan.starts.splice(0, scan.starts.length - keep - 1);
  }
}

async function readTail(file: FileHandle, scan: Scan, size: number, limits: TailLimits): Promise<LogTail> {
  // The last start is behind the last newline: a line of its own only if something follows.
  const open = (scan.starts.at(-1) ?? 0) < size;
  const starts = open ? scan.starts : scan.starts.slice(0, -1);
  const total = scan.newlines + (open ? 1 : 0);
  let first = Math.max(0, starts.length - limits.lines);
  while (first < starts.length - 1 && size - (starts[first] ?? 0) > limits.bytes) first += 1;
  const from = starts[first] ?? size;
  const buffer = Buffer.alloc(Math.min(size - from, limits.bytes));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  const text = buffer.toString('utf8', 0, bytesRead).replace(/\n$/, '');
  const lines = starts.length === 0 ? [] : text.split('\n').map((line) => shorten(line, limits.width));
  return { firstLine: total - (starts.length - first) + 1, lines, bytes: size };
}

/** The same of a text that is at hand. */
export function tailOf(text: string, limits: TailLimits): LogTail {
  const all = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  let first = Math.max(0, all.length - limits.lines);
  let length = 0;
  for (let at = all.length - 1; at >= first; at--) {
    length += (all[at]?.length ?? 0) + 1;
    if (length > limits.bytes && at < all.length - 1) first = at + 1;
  }
  const lines = all.slice(first).map((line) => shorten(line, limits.width));
  return { firstLine: first + 1, lines, bytes: Buffer.byteLength(text) };
}

/** A line no longer than `width` characters. */
export function shorten(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width)} … (${line.length - width} more characters)`;
}

/** Opens a file to be read; undefined when there is none. */
export async function openIfAny(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
