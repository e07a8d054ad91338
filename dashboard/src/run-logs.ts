import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoggedStage, runLogFile, type StageName, splitLogs, stageLogFile } from '@cc-ci/core/reading';
import type { Guard } from './guard.js';
import { createLogCopy, filterLines, type LogCopy } from './log-copy.js';
import { type LogTail, PAGE_LIMITS, shorten, type TailReader, tailOf } from './log-tail.js';
import type { Content, Publishable } from './site-files.js';

/** What logs of runs that go on have been copied so far, by the copy's path. */
export type LogCopies = Map<string, LogCopy>;

/** Where copies lie while they grow: hidden, in the site, so that its files can be other names of them. */
export const LIVE_FOLDER = '.live';
/** A log up to this many bytes is looked at in one piece. */
const SMALL = 1024 * 1024;

/** A stage's log in the site. */
export interface PublishedLog {
  tail: LogTail;
  /** The file of the run's page that holds it as it is. */
  raw: string;
  /** A file with the same text, to read more of it from, where there is one. */
  file?: string;
}

/** The logs of a run, and what files of its page they are. */
export interface PublishedLogs {
  logs: Map<StageName, PublishedLog>;
  files: Map<string, Content>;
}

export interface LogSource {
  siteDir: string;
  run: string;
  /** Whether a file of the run may be published. */
  publishable: (source: string) => Publishable | undefined;
  stages: readonly StageName[];
  /** Stages whose log is in `log.txt`. */
  logged: readonly LoggedStage[];
  guard: Guard;
  active: boolean;
}

/** All logs of a run that has ended in one file, where they are short. */
const ALL_LOGS = runLogFile('.');

/**
 * The logs of a run as they may be seen. Those of a run that has ended are published as they are, under another name,
 * if the guard finds nothing in them; of everything else there is a copy that the guard has gone through.
 */
export async function runLogs(
  source: LogSource,
  copies: LogCopies,
  tails: TailReader,
): Promise<PublishedLogs> {
  return allLogs(source) ?? (await eachLog(source, copies, tails));
}

/** From `log.txt`; undefined where it does not hold them. */
function allLogs({ publishable, logged, guard }: LogSource): PublishedLogs | undefined {
  const found = logged.length > 0 ? publishable(ALL_LOGS) : undefined;
  if (!found) return undefined;
  const { text, content } = guardedText(found.path, guard);
  const split = splitLogs(text, logged);
  if (!split) return undefined;
  const logs = new Map<StageName, PublishedLog>();
  for (const { stage, bytes } of logged) {
    const lines = (split.get(stage) ?? []).map((line) => shorten(line, PAGE_LIMITS.width));
    logs.set(stage, { tail: { firstLine: 1, lines, bytes }, raw: ALL_LOGS });
  }
  return { logs, files: new Map([[ALL_LOGS, content]]) };
}

async function eachLog(source: LogSource, copies: LogCopies, tails: TailReader): Promise<PublishedLogs> {
  const published: PublishedLogs = { logs: new Map(), files: new Map() };
  for (const stage of source.stages) {
    const log = await logOf(source, stage, copies, tails);
    if (!log) continue;
    const { content, ...shown } = log;
    const raw = stageLogFile('.', stage);
    published.logs.set(stage, { ...shown, raw });
    published.files.set(raw, content);
  }
  return published;
}

type CopiedLog = Omit<PublishedLog, 'raw'> & { content: Content };

async function logOf(
  { siteDir, run, publishable, guard, active }: LogSource,
  stage: StageName,
  copies: LogCopies,
  tails: TailReader,
): Promise<CopiedLog | undefined> {
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

function smallLog(path: string, guard: Guard): CopiedLog {
  const { text, content } = guardedText(path, guard);
  const tail = tailOf(text, PAGE_LIMITS);
  return typeof content === 'string' ? { tail, content } : { tail, content, file: path };
}

/** A text without what must not be seen, and as what it is published. */
function guardedText(path: string, guard: Guard): { text: string; content: Content } {
  const text = readFileSync(path, 'utf8');
  const safe = filterLines(text, guard, guard.lines());
  return { text: safe, content: safe === text ? { file: path } : safe };
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
