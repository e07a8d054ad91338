import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type StageName, stageLogFile } from '@cc-ci/core';
import type { Guard } from './guard.js';
import { createLogCopy, filterLines, type LogCopy } from './log-copy.js';
import { type LogTail, PAGE_LIMITS, type TailReader, tailOf } from './log-tail.js';
import type { Content, Publishable } from './site-files.js';

/** What logs of runs that go on have been copied so far, by the copy's path. */
export type LogCopies = Map<string, LogCopy>;

/** Where copies lie while they grow: hidden, in the site, so that its files can be other names of them. */
export const LIVE_FOLDER = '.live';
/** A log up to this many bytes is looked at in one piece. */
const SMALL = 1024 * 1024;

export interface PublishedLog {
  tail: LogTail;
  /** What its raw file in the site is. */
  content: Content;
  /** A file with the same text, to read more of it from; absent for small ones, whose tail is all. */
  file?: string;
}

export interface LogSource {
  siteDir: string;
  run: string;
  /** Whether a file of the run may be published. */
  publishable: (source: string) => Publishable | undefined;
  stages: readonly StageName[];
  guard: Guard;
  active: boolean;
}

/**
 * The logs of a run as they may be seen. That of a run that has ended is published as it is, under another name, if
 * the guard finds nothing in it; of everything else there is a copy that the guard has gone through.
 */
export async function runLogs(
  source: LogSource,
  copies: LogCopies,
  tails: TailReader,
): Promise<Map<StageName, PublishedLog>> {
  const logs = new Map<StageName, PublishedLog>();
  for (const stage of source.stages) {
    const log = await logOf(source, stage, copies, tails);
    if (log) logs.set(stage, log);
  }
  return logs;
}

async function logOf(
  { siteDir, run, publishable, guard, active }: LogSource,
  stage: StageName,
  copies: LogCopies,
  tails: TailReader,
): Promise<PublishedLog | undefined> {
  const found = publishable(stageLogFile('.', stage));
  if (!found) return undefined;
  const { path, size } = found;
  const copyPath = join(siteDir, LIVE_FOLDER, `${run}.${stage}.log`);
  if (!active && size <= SMALL) {
    endCopy(copies, copyPath);
    return smallLog(path, guard);
  }
  const hidden = await copyOf(path, copyPath, guard, copies)
    .advance({ complete: !active })
    .catch((error: unknown) => {
      endCopy(copies, copyPath);
      throw error;
    });
  const file = active || hidden ? copyPath : path;
  const tail = await tails.read(file);
  if (!active && !hidden) endCopy(copies, copyPath);
  return tail && { tail, content: { file }, file };
}

function smallLog(path: string, guard: Guard): PublishedLog {
  const text = readFileSync(path, 'utf8');
  const safe = filterLines(text, guard, guard.lines());
  return { tail: tailOf(safe, PAGE_LIMITS), content: safe === text ? { file: path } : safe };
}

function copyOf(path: string, copyPath: string, guard: Guard, copies: LogCopies): LogCopy {
  const known = copies.get(copyPath);
  if (known && existsSync(copyPath)) return known;
  const copy = createLogCopy(path, copyPath, guard);
  copies.set(copyPath, copy);
  return copy;
}

function endCopy(copies: LogCopies, copyPath: string): void {
  copies.get(copyPath)?.remove();
  copies.delete(copyPath);
}

/** Lets go of the copies of a run that has been published for good. */
export function endCopies(copies: LogCopies, siteDir: string, run: string): void {
  for (const path of [...copies.keys()])
    if (path.startsWith(join(siteDir, LIVE_FOLDER, `${run}.`))) endCopy(copies, path);
}
