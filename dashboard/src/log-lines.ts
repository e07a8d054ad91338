import { type FileHandle, open } from 'node:fs/promises';

/** Lines of one page of a long log. */
export const LINES_PER_PAGE = 1_000;
/** Characters of a page's lines together, at most; the rest of a monstrous line is in the raw log. */
const PAGE_BYTES = 2 * 1024 * 1024;
const CHUNK = 256 * 1024;

/** Where the pages of a log begin, in bytes, and how many lines and bytes it has. */
export interface LogIndex {
  starts: number[];
  lines: number;
  bytes: number;
}

/** Counts the lines of a file. @throws the file system's error */
export async function indexLog(path: string): Promise<LogIndex> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    const index: LogIndex = { starts: [0], lines: 0, bytes: 0 };
    let open = false;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, index.bytes);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
        index.lines += 1;
        if (index.lines % LINES_PER_PAGE === 0) index.starts.push(index.bytes + at + 1);
      }
      open = chunk[bytesRead - 1] !== 10;
      index.bytes += bytesRead;
    }
    if (open) index.lines += 1;
    // A page that would begin behind the last line is none.
    if (index.starts.length > 1 && index.starts.at(-1) === index.bytes) index.starts.pop();
    return index;
  } finally {
    await file.close();
  }
}

/** The lines of one page, the first is 0; undefined where there is no such page. */
export async function readLogPage(
  path: string,
  index: LogIndex,
  page: number,
): Promise<string[] | undefined> {
  const start = index.starts[page];
  if (start === undefined) return undefined;
  const end = index.starts[page + 1] ?? index.bytes;
  const file = await open(path, 'r');
  try {
    return (await readText(file, start, Math.min(end - start, PAGE_BYTES))).replace(/\n$/, '').split('\n');
  } finally {
    await file.close();
  }
}

async function readText(file: FileHandle, start: number, length: number): Promise<string> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, start);
  return buffer.toString('utf8', 0, bytesRead);
}
