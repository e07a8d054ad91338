import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { STAGES, type StageName, stageLogFile } from '@cc-ci/core';
import { createGuard, type LineFilter, secretsOfRun } from './guard.js';
import { lineWriter } from './log-html.js';
import { openIfAny, PAGE_LIMITS, shorten } from './log-tail.js';

/** A place in the logs of a run: behind line `line` of a stage. */
export interface LogPlace {
  stage: StageName;
  line: number;
}

/** Lines of one stage that came together, ready to be sent. */
export interface LogBatch {
  /** Counts from 0; no two batches of a feed have the same. */
  seq: number;
  stage: StageName;
  first: number;
  last: number;
  /** The event as it goes over the wire, without the lines up to `known`. Made when it is first asked for. */
  event(known: number): string;
}

/**
 * The logs of one run, read once for everybody who follows them. Readers take batches at their own pace: one that is
 * slow finds those that were let go of by reading the logs again, and holds up nobody.
 */
export interface LogFeed {
  /** The batches from `seq` on that are still held, and the number of the oldest that is. */
  from(seq: number): { batches: LogBatch[]; oldest: number };
  /** By stage, the last line that is not held any more. */
  released(): ReadonlyMap<StageName, number>;
  /** Whether the run has ended and everything was read. */
  ended(): boolean;
  /** Called whenever there is more, or the end. @returns how to stop it */
  onMore(listener: () => void): () => void;
  /** Resolves when all that was written before the call was read. */
  ready: Promise<void>;
  close(): void;
}

/** A watch tells of changes at once; this is for file systems that do not, in milliseconds. */
const LOOK_AGAIN_MS = 500;
const CHUNK = 256 * 1024;
const LINES_PER_BATCH = 200;
/** Characters of events that are held for readers who are a little late. */
const HELD_CHARS = 2 * 1024 * 1024;

interface StageReader {
  stage: StageName;
  offset: number;
  line: number;
  rest: Buffer;
  filter: LineFilter;
}

/** @param isOver asked before reading: what was written before a run ended is then surely read */
export function openLogFeed(dir: string, isOver: () => Promise<boolean>): LogFeed {
  const guard = () => createGuard(secretsOfRun(dir));
  const readers = STAGES.map((stage) => newReader(dir, stage));
  const listeners = new Set<() => void>();
  let held: LogBatch[] = [];
  let heldChars = 0;
  let next = 0;
  let over = false;
  let closed = false;
  let wake: () => void = () => undefined;

  const released = new Map<StageName, number>();
  const sizes = new Map<LogBatch, number>();
  const take = (stage: StageName, { first, lines }: Lines) => {
    const batch = makeBatch(next, stage, first, lines);
    next += 1;
    held.push(batch);
    const size = lines.reduce((sum, line) => sum + line.length + 100, 0);
    sizes.set(batch, size);
    heldChars += size;
    while (heldChars > HELD_CHARS && held.length > 1) {
      const oldest = held.shift();
      if (!oldest) return;
      heldChars -= sizes.get(oldest) ?? 0;
      sizes.delete(oldest);
      released.set(oldest.stage, oldest.last);
    }
  };
  const look = async () => {
    const done = await isOver();
    const before = next;
    for (const reader of readers) {
      // Secrets are made during install: what hides them is asked for anew whenever there is something to read.
      for await (const lines of readOn(dir, reader, guard().text, done)) take(reader.stage, lines);
    }
    over = done;
    if (next > before || over) for (const listener of [...listeners]) listener();
  };

  let watchers: FSWatcher[] = [];
  const watchAll = () => {
    for (const path of [dir, join(dir, 'logs')]) {
      try {
        const watcher = watch(path, () => wake());
        watcher.on('error', () => watcher.close());
        watchers.push(watcher);
      } catch {
        // not there yet: the timer looks again
      }
    }
  };
  watchAll();
  const first = look();
  const run = async () => {
    await first;
    while (!closed && !over) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_AGAIN_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (watchers.length < 2) {
        for (const watcher of watchers) watcher.close();
        watchers = [];
        watchAll();
      }
      if (!closed) await look();
    }
  };
  const loop = run().catch(() => {
    over = true; // the logs cannot be read any more: their readers ask again, and get a new feed or none
    for (const listener of [...listeners]) listener();
  });

  return {
    from(seq) {
      const oldest = held[0]?.seq ?? next;
      return { batches: seq >= next ? [] : held.slice(Math.max(0, seq - oldest)), oldest };
    },
    released: () => released,
    ended: () => over,
    onMore(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ready: first.catch(() => undefined),
    close() {
      closed = true;
      held = [];
      for (const watcher of watchers) watcher.close();
      wake();
      void loop;
    },
  };
}

function makeBatch(seq: number, stage: StageName, first: number, lines: readonly string[]): LogBatch {
  const last = first + lines.length - 1;
  let whole: string | undefined;
  const make = (known: number) =>
    eventOf(stage, Math.max(first, known + 1), lines.slice(Math.max(0, known + 1 - first)));
  return {
    seq,
    stage,
    first,
    last,
    event(known) {
      if (known >= first) return make(known);
      whole ??= make(0);
      return whole;
    },
  };
}

/** Server-Sent Events: the id is what the browser says when it comes back. */
function eventOf(stage: StageName, first: number, lines: readonly string[]): string {
  const write = lineWriter(`${stage}-`);
  const html = lines.map((line, index) => write(shorten(line, PAGE_LIMITS.width), first + index));
  return `id: ${stage}:${first + html.length - 1}\nevent: lines\ndata: ${JSON.stringify({ stage, first, html })}\n\n`;
}

interface Lines {
  first: number;
  lines: string[];
}

/** What was added to a stage's log since it was read last, redacted; of a line without an end only when `complete`. */
async function* readOn(
  dir: string,
  reader: StageReader,
  hide: (line: string) => string,
  complete: boolean,
): AsyncGenerator<Lines> {
  const file = await openIfAny(stageLogFile(dir, reader.stage));
  if (!file) return;
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, reader.offset);
      if (bytesRead === 0) break;
      reader.offset += bytesRead;
      const bytes = Buffer.concat([reader.rest, buffer.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(10) + 1;
      reader.rest = Buffer.from(bytes.subarray(end));
      if (end > 0) yield* takeLines(reader, bytes.toString('utf8', 0, end - 1).split('\n'), hide);
      await setImmediate();
    }
    if (complete && reader.rest.length > 0) {
      const line = reader.rest.toString('utf8');
      reader.rest = Buffer.alloc(0);
      yield* takeLines(reader, [line], hide);
    }
  } finally {
    await file.close();
  }
}

function* takeLines(
  reader: StageReader,
  raw: readonly string[],
  hide: (line: string) => string,
): Generator<Lines> {
  const lines = raw.map((line) => hide(reader.filter(line)));
  const first = reader.line + 1;
  reader.line += lines.length;
  for (let at = 0; at < lines.length; at += LINES_PER_BATCH)
    yield { first: first + at, lines: lines.slice(at, at + LINES_PER_BATCH) };
}

function newReader(dir: string, stage: StageName): StageReader {
  const filter = createGuard(secretsOfRun(dir)).lines();
  return { stage, offset: 0, line: 0, rest: Buffer.alloc(0), filter };
}

/**
 * The part of the logs between two places, for a reader who is too far behind to be served from what is held.
 * @param after by stage, the last line that is known
 * @param until by stage, the last line that is wanted
 */
export async function* readEvents(
  dir: string,
  after: ReadonlyMap<StageName, number>,
  until: ReadonlyMap<StageName, number>,
): AsyncGenerator<{ event: string; stage: StageName; last: number }> {
  const hide = createGuard(secretsOfRun(dir)).text;
  for (const stage of STAGES) {
    const from = after.get(stage) ?? 0;
    const to = until.get(stage) ?? 0;
    if (to <= from) continue;
    for await (const { first, lines } of readOn(dir, newReader(dir, stage), hide, true)) {
      if (first > to) break;
      const last = Math.min(to, first + lines.length - 1);
      if (last <= from) continue;
      const event = makeBatch(0, stage, first, lines.slice(0, last - first + 1)).event(from);
      yield { event, stage, last };
    }
  }
}
