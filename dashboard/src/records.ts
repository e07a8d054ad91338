import { hash } from 'node:crypto';
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  describeError,
  planFile,
  reportFile,
  runFolder,
  runsFolder,
  STAGES,
  stageFile,
  stageLogFile,
  summaryFile,
  type TestRequest,
} from '@cc-ci/core';
import { factsOf, type RunFacts } from './facts.js';
import type { Guard } from './guard.js';
import { type ReadRecord, readPlan, readRecord } from './read-record.js';

/** What one folder below `runs/` holds: facts of a record, or the reason there are none. */
export interface RecordEntry {
  folder: string;
  dir: string;
  /** Changes whenever a file of the record does, or of a run that goes on a stage's log. */
  key: string;
  /** When anything in it changed last, in milliseconds since 1970. */
  lastChange: number;
  facts: RunFacts | undefined;
  error: string | undefined;
  /** Of a damaged record: who asked for what and when, where that can still be read. */
  asked: { request: TestRequest; createdAt: string } | undefined;
}

/** A folder below `runs/` that was read. */
export interface ReadFolder {
  entry: RecordEntry;
  /** Its record; undefined when there is none that can be read. */
  read: ReadRecord | undefined;
  /** What must not be seen of it. */
  guard: Guard;
}

/** Reads one folder below `runs/`. What is wrong with it is in the entry; nothing is thrown. */
export function readEntry(stateDir: string, folder: string, guardOf: (dir: string) => Guard): ReadFolder {
  const dir = runFolder(stateDir, folder);
  const trace = fingerprint(dir, false);
  const guard = guardOf(dir);
  const failed = (error: string) => ({
    entry: { folder, dir, ...trace, facts: undefined, error, asked: askedOf(dir, folder, guard) },
    read: undefined,
    guard,
  });
  try {
    const read = readRecord(dir, guard);
    if (!read) return failed('there is no plan.json in it');
    const { record } = read;
    if (record.run !== folder) return failed(`it holds the record of run ${record.run}`);
    const facts = factsOf(record);
    const { key, lastChange } = facts.ended ? trace : fingerprint(dir, true);
    const known = { facts, error: undefined, asked: undefined };
    return { entry: { folder, dir, key, lastChange, ...known }, read, guard };
  } catch (error) {
    return failed(guard.text(describeError(error)));
  }
}

function askedOf(dir: string, folder: string, guard: Guard): RecordEntry['asked'] {
  try {
    const plan = readPlan(dir, guard);
    if (plan?.request.run !== folder) return undefined;
    return { request: plan.request, createdAt: plan.createdAt };
  } catch {
    return undefined;
  }
}

/** Whether a folder holds something else than when it was read. */
export function hasChanged(entry: RecordEntry): boolean {
  return fingerprint(entry.dir, entry.facts !== undefined && !entry.facts.ended).key !== entry.key;
}

interface Fingerprint {
  key: string;
  lastChange: number;
}

/**
 * Every file's inode, size and time: a replaced file has another inode, an appended one another size. Of a run that has
 * ended its report stands for all. Synchronous, because a few small stats take microseconds and as many trips through
 * the thread pool do not.
 */
function fingerprint(dir: string, withLogs: boolean): Fingerprint {
  const report = statIfAny(reportFile(dir));
  const stats = report ? [report] : partsOf(dir, withLogs).map(statIfAny);
  const times = [statIfAny(dir), ...stats].map((stat) => stat?.mtimeMs ?? 0);
  return {
    key: hash(
      'sha1',
      stats.map((stat) => (stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : '-')).join(' '),
      'base64url',
    ),
    lastChange: Math.max(...times),
  };
}

function partsOf(dir: string, withLogs: boolean): string[] {
  const files = [planFile(dir), summaryFile(dir)];
  for (const stage of STAGES) {
    files.push(stageFile(dir, stage));
    if (withLogs) files.push(stageLogFile(dir, stage));
  }
  return files;
}

function statIfAny(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // not a folder, or not ours to look into: reading it will say which
  }
}

/**
 * An entry that came from another thread or from the disk, with the texts it has in common with many others held once.
 * Tens of thousands are kept.
 */
export function compact(entry: RecordEntry): RecordEntry {
  const { facts, asked } = entry;
  const request = facts?.request ?? asked?.request;
  if (request) compactRequest(request);
  if (facts) {
    facts.request.run = entry.folder;
    facts.outcome.sentence = shared(facts.outcome.sentence);
    facts.activity = shared(facts.activity);
    for (const stage of facts.stages) {
      stage.stage = shared(stage.stage);
      stage.state = shared(stage.state);
    }
    if (facts.ended?.startedAt === facts.createdAt) facts.ended.startedAt = facts.createdAt;
    if (facts.base !== undefined) facts.base = shared(facts.base);
    if (facts.level?.missing !== undefined) facts.level.missing = shared(facts.level.missing);
    facts.failedTests = facts.failedTests.map(shared);
  }
  return entry;
}

/** Makes a request hold the texts that others have too. */
export function compactRequest(request: TestRequest): void {
  for (const name of ['recipe', 'src', 'origin', 'repo', 'requestedBy'] as const) {
    const text = request[name];
    if (text !== undefined) request[name] = shared(text);
  }
}

const texts = new Map<string, string>();
const TEXTS_KEPT = 20_000;

function shared<T extends string>(text: T): T {
  const known = texts.get(text);
  if (known !== undefined) return known as T;
  if (texts.size >= TEXTS_KEPT) texts.clear();
  texts.set(text, text);
  return text;
}

/**
 * Names of what lies below `runs/`; none where there is no such folder. Names alone, for asking of each of tens of
 * thousands whether it is a folder takes most of the time: that is asked of those that are new.
 */
export function runNames(stateDir: string): string[] {
  try {
    return readdirSync(runsFolder(stateDir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Whether something below `runs/` is a folder. */
export function isRunFolder(stateDir: string, name: string): boolean {
  return statIfAny(join(runsFolder(stateDir), name))?.isDirectory() ?? false;
}
