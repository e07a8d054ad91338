import { type Stats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  describeError,
  folderNames,
  type Plan,
  planFile,
  plan as planSchema,
  type RunRecord,
  readJson,
  readRun,
  runFolder,
  runsFolder,
  STAGES,
  stageFile,
  stageLogFile,
  summaryFile,
} from '@cc-ci/core';
import { forEachAtOnce } from './parallel.js';

/** What one folder below `runs/` holds: a record, or the reason it is none (`plan` where that much can be read). */
export interface RecordEntry {
  folder: string;
  dir: string;
  /** Changes whenever a file of the record, or a stage's log, does. */
  key: string;
  /** When anything in it changed last, in milliseconds since 1970. */
  lastChange: number;
  record: RunRecord | undefined;
  error: string | undefined;
  plan: Plan | undefined;
}

/** Records as they were read last, by folder: what has not changed since is not read again. */
export type RecordCache = Map<string, RecordEntry>;

const READ_AT_ONCE = 16;
const BREATHE_EVERY = 100;

/**
 * Everything below the state folder's `runs/`, also what cannot be read. This is core's `listRuns`, but it reads
 * only what changed since the last time it was called with this cache.
 */
export async function readRecords(stateDir: string, cache: RecordCache): Promise<RecordEntry[]> {
  const folders = await folderNames(runsFolder(stateDir));
  const known = new Set(folders);
  for (const folder of cache.keys()) if (!known.has(folder)) cache.delete(folder);
  let seen = 0;
  await forEachAtOnce(folders, READ_AT_ONCE, async (folder) => {
    seen += 1;
    // Looking at what has not changed waits for nothing: let the web server have its turn now and then.
    if (seen % BREATHE_EVERY === 0) await setImmediate();
    await refresh(stateDir, folder, cache);
  });
  return [...cache.values()];
}

async function refresh(stateDir: string, folder: string, cache: RecordCache): Promise<void> {
  const dir = runFolder(stateDir, folder);
  const trace = fingerprint(dir);
  if (cache.get(folder)?.key === trace.key) return;
  cache.set(folder, { folder, dir, ...trace, ...(await readEntry(dir, folder)) });
}

async function readEntry(
  dir: string,
  folder: string,
): Promise<Pick<RecordEntry, 'record' | 'error' | 'plan'>> {
  try {
    const record = await readRun(dir);
    if (!record) return { record: undefined, error: 'there is no plan.json in it', plan: undefined };
    if (record.run !== folder)
      return { record: undefined, error: `it holds the record of run ${record.run}`, plan: undefined };
    return { record, error: undefined, plan: record.plan };
  } catch (error) {
    // Pages are public: where the folder lies on this machine is nobody's business.
    const message = describeError(error).replaceAll(`${dir}/`, '');
    return { record: undefined, error: message, plan: await readPlan(dir, folder) };
  }
}

async function readPlan(dir: string, folder: string): Promise<Plan | undefined> {
  const found = await readJson(planFile(dir), planSchema).catch(() => undefined);
  return found?.request.run === folder ? found : undefined;
}

/**
 * Every file's inode, size and time: a replaced file has another inode, an appended one another size. Synchronous,
 * because 14 small stats take microseconds and 14 trips through the thread pool do not.
 */
function fingerprint(dir: string): { key: string; lastChange: number } {
  const files = [planFile(dir), summaryFile(dir)];
  for (const stage of STAGES) files.push(stageFile(dir, stage), stageLogFile(dir, stage));
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
