import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
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
} from '@cc-ci/core/reading';
import { factsOf, packFacts, type RunFacts, unpackFacts } from './facts.js';
import type { Guard } from './guard.js';
import { shortHash } from './packed.js';
import { type ReadRecord, readPlan, readRecord } from './read-record.js';

/** What one folder below `runs/` holds: facts of a record, or the reason there are none. */
export interface RecordEntry {
  folder: string;
  dir: string;
  /** Changes whenever a file of the record does, or of a run that goes on a stage's log. */
  key: string;
  /** When anything in it changed last, in milliseconds since 1970; of a run that has ended, its report. */
  lastChange: number;
  /** Packed; undefined where they are in `site.sqlite`, or there is no record that can be read. */
  facts: string | undefined;
  /** Whether its record tells how it ended. */
  ended: boolean;
  /** Why the record cannot be read; undefined: it can be. */
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
    entry: {
      folder,
      dir,
      ...trace,
      facts: undefined,
      ended: false,
      error,
      asked: askedOf(dir, folder, guard),
    },
    read: undefined,
    guard,
  });
  try {
    const read = readRecord(dir, guard);
    if (!read) return failed('there is no plan.json in it');
    const { record } = read;
    if (record.run !== folder) return failed(`it holds the record of run ${record.run}`);
    const facts = factsOf(record);
    const ended = facts.ended !== undefined;
    const { key, lastChange } = ended ? trace : fingerprint(dir, true);
    const known = { facts: packFacts(facts), ended, error: undefined, asked: undefined };
    const entry: RecordEntry = { folder, dir, key, lastChange, ...known };
    remember(entry, facts);
    return { entry, read, guard };
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

/** Gives the facts of a run whose entry does not hold them; undefined where there are none any more. */
export type LoadFacts = (entry: RecordEntry) => RunFacts | undefined;

/** Those that were asked for last: lists look at the runs of a recipe, mostly fewer than these, several times over. */
const recent = new Map<RecordEntry, RunFacts>();
const RECENT = 200;

function remember(entry: RecordEntry, facts: RunFacts): void {
  if (recent.size >= RECENT) recent.clear();
  recent.set(entry, facts);
}

/** The facts of a run; undefined where its record cannot be read. They must not be changed. */
export function factsIn(entry: RecordEntry, load: LoadFacts): RunFacts | undefined {
  const known = recent.get(entry);
  if (known) return known;
  if (entry.error !== undefined) return undefined;
  const facts = entry.facts === undefined ? load(entry) : unpackFacts(entry.facts);
  if (facts) remember(entry, facts);
  return facts;
}

/** The facts of a record, read once more. */
export function readFacts({ dir }: RecordEntry, guardOf: (dir: string) => Guard): RunFacts | undefined {
  try {
    const read = readRecord(dir, guardOf(dir));
    return read && factsOf(read.record);
  } catch {
    // Damaged since it was looked at: the next look will say so.
    return undefined;
  }
}

/** Whether a folder holds something else than when it was read. */
export function hasChanged(entry: RecordEntry): boolean {
  return fingerprint(entry.dir, entry.error === undefined && !entry.ended).key !== entry.key;
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
  const times = (report ? stats : [statIfAny(dir), ...stats]).map((stat) => stat?.mtimeMs ?? 0);
  return {
    key: shortHash(stats.map((stat) => (stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : '-')).join(' ')),
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
 * Names of the folders below `runs/`, also of those that a symbolic link leads to; none where there is no such folder. Of
 * which kind something is stands where its name does: to ask each of tens of thousands would take most of the time.
 */
export function runNames(stateDir: string): string[] {
  const folder = runsFolder(stateDir);
  const isFolder = (entry: Dirent) =>
    entry.isDirectory() ||
    (entry.isSymbolicLink() && statIfAny(join(folder, entry.name))?.isDirectory() === true);
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter(isFolder).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
