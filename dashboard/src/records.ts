import { readdirSync, type Stats, statSync } from 'node:fs';
import {
  describeError,
  planFile,
  type RunRecord,
  runFolder,
  runsFolder,
  STAGES,
  stageFile,
  stageLogFile,
  summaryFile,
  type TestRequest,
} from '@cc-ci/core';
import { factsOf, type RunFacts } from './facts.js';
import { type Guard, redactDeep } from './guard.js';
import { readPlan, readRecord } from './read-record.js';

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
  /** Who asked for what and when: known of many a damaged record, too. */
  asked: { request: TestRequest; createdAt: string } | undefined;
}

/** A folder that was read just now: what it holds, and its record while it is at hand. */
export interface ReadEntry {
  entry: RecordEntry;
  record: RunRecord | undefined;
}

/** Reads one folder below `runs/`. What is wrong with it is in the entry; nothing is thrown. */
export function readEntry(stateDir: string, folder: string, guard: (dir: string) => Guard): ReadEntry {
  const dir = runFolder(stateDir, folder);
  const trace = fingerprint(dir, false);
  try {
    const found = readRecord(dir);
    // From here on nobody sees what should not be seen.
    const record = found && redactDeep(found, guard(dir));
    if (!record) return failed(folder, dir, trace, 'there is no plan.json in it');
    if (record.run !== folder) return failed(folder, dir, trace, `it holds the record of run ${record.run}`);
    const facts = factsOf(record);
    const asked = { request: facts.request, createdAt: facts.createdAt };
    const { key, lastChange } = facts.ended ? trace : fingerprint(dir, true);
    return { entry: { folder, dir, key, lastChange, facts, error: undefined, asked }, record };
  } catch (error) {
    return failed(folder, dir, trace, guard(dir).text(describeError(error)));
  }
}

function failed(folder: string, dir: string, trace: Fingerprint, error: string): ReadEntry {
  const entry = { folder, dir, ...trace, facts: undefined, error, asked: askedOf(dir, folder) };
  return { entry, record: undefined };
}

function askedOf(dir: string, folder: string): RecordEntry['asked'] {
  try {
    const plan = readPlan(dir);
    return plan?.request.run === folder
      ? plan && { request: plan.request, createdAt: plan.createdAt }
      : undefined;
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
 * Every file's inode, size and time: a replaced file has another inode, an appended one another size. Synchronous,
 * because a few small stats take microseconds and as many trips through the thread pool do not.
 */
function fingerprint(dir: string, withLogs: boolean): Fingerprint {
  const files = [planFile(dir), summaryFile(dir)];
  for (const stage of STAGES) {
    files.push(stageFile(dir, stage));
    if (withLogs) files.push(stageLogFile(dir, stage));
  }
  const stats = files.map(statIfAny);
  const times = [statIfAny(dir), ...stats].map((stat) => stat?.mtimeMs ?? 0);
  return {
    key: stats.map((stat) => (stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : '-')).join(' '),
    lastChange: Math.max(...times),
  };
}

function statIfAny(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // not a folder, or not ours to look into: reading it will say which
  }
}

/** Names of the folders below `runs/`; none where there is no such folder. */
export function runFolders(stateDir: string): string[] {
  try {
    return readdirSync(runsFolder(stateDir), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
