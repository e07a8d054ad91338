import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Docker,
  describeError,
  InputError,
  killMarked,
  type Plan,
  readJson,
  secretsFile,
  stageFile,
  stageRecord,
  writeJson,
} from '@cc-ci/core';
import { z } from 'zod';
import { abraFolder, RUN_MARKER } from './context.js';
import { appFile } from './recipe-tests/app-file.js';
import { removeApp } from './remove-app.js';
import { removeSnapshots } from './snapshots.js';

/**
 * There while something of a run may be left on the node: written before a clean-up begins, deleted when it has come to
 * its end. Who finds it without anybody holding the run's lock tries again, also when the run has ended.
 */
export const leftoversFile = (dir: string) => join(dir, 'leftovers.json');

const leftovers = z.strictObject({
  /** When the last clean-up began. */
  triedAt: z.iso.datetime(),
  /** How many there were. */
  tries: z.number().int(),
  /** What the last one could not do; nothing where it did not come to its end. */
  problems: z.array(z.string()),
});
export type Leftovers = z.output<typeof leftovers>;

/** What a run's clean-up has left to do, or undefined when there is nothing. A damaged file counts as one never tried. */
export async function readLeftovers(dir: string): Promise<Leftovers | undefined> {
  try {
    return await readJson(leftoversFile(dir), leftovers);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { triedAt: new Date(0).toISOString(), tries: 0, problems: [error.message] };
  }
}

export interface CleanUpOptions {
  /** The setting CC_CI_FORGET_SNAPSHOTS. */
  forgetSnapshots?: string | undefined;
  /** Kills what carries the run's mark first: for those who come after the run's own process. */
  killProcesses?: boolean;
  /** Milliseconds that removing the app may take; default: 180 s, and 30 s for what is left from an earlier try. */
  appTimeoutMs?: number;
}

export interface CleanedUp {
  /** What was found and removed, as "kind name". */
  removed: string[];
  /** What could not be done; nothing when all is well. */
  problems: string[];
}

/** How long removing may take in milliseconds; again, when what is left has had its time already. */
const APP_TIMEOUT_MS = { first: 180_000, again: 30_000 };
const SNAPSHOTS_TIMEOUT_MS = { first: 300_000, again: 60_000 };

/**
 * Leaves nothing of a run on the node: its processes, its app, its backups, and what its folder must not keep. Each is
 * tried, whatever becomes of the others. What could not be done is kept in the run's folder for the next janitor.
 * Twice is the same as once. The caller holds the run's lock. Never throws.
 */
export async function cleanUp(
  docker: Docker,
  { dir, plan }: { dir: string; plan: Plan },
  options: CleanUpOptions = {},
): Promise<CleanedUp> {
  const before = await readLeftovers(dir).catch(() => undefined);
  const round = before?.problems.length ? 'again' : 'first';
  const result: CleanedUp = { removed: [], problems: [] };
  const mark = (problems: string[]) =>
    writeJson(leftoversFile(dir), {
      triedAt: new Date().toISOString(),
      tries: (before?.tries ?? 0) + 1,
      problems,
    } satisfies Leftovers);
  // On a full disk this fails, and removing is what helps.
  await mark([]).catch(() => undefined);

  const { run } = plan.request;
  const stack = plan.app?.stack;
  if (options.killProcesses) {
    await part(result, 'processes', async () =>
      (await killMarked(RUN_MARKER, run)).map((pid) => `process ${pid}`),
    );
  }
  if (stack !== undefined) {
    await Promise.all([
      part(result, 'app', () => removeApp(docker, stack, options.appTimeoutMs ?? APP_TIMEOUT_MS[round])),
      part(result, 'snapshots', async () => {
        const ids = await removeSnapshots(docker, stack, {
          program: options.forgetSnapshots,
          timeoutMs: SNAPSHOTS_TIMEOUT_MS[round],
          recorded: plan.snapshots,
          backedUp: await hasBackedUp(dir),
        });
        return ids.map((id) => `snapshot ${id}`);
      }),
    ]);
  }
  await part(result, 'files', () => removeWorkFiles(dir));
  const end = result.problems.length > 0 ? mark(result.problems) : rm(leftoversFile(dir), { force: true });
  await end.catch((error) => result.problems.push(`${leftoversFile(dir)}: ${describeError(error)}`));
  return result;
}

async function part(
  { removed, problems }: CleanedUp,
  name: string,
  work: () => Promise<string[]>,
): Promise<void> {
  try {
    removed.push(...(await work()));
  } catch (error) {
    problems.push(`${name}: ${describeError(error)}`);
  }
}

/** Whether a run has come as far as making a backup; one whose record cannot be read may have. */
async function hasBackedUp(dir: string): Promise<boolean> {
  try {
    return (await readJson(stageFile(dir, 'backup'), stageRecord))?.startedAt !== undefined;
  } catch {
    return true;
  }
}

/** Below a run's folder, besides abra's: what tests, the browser and the look into a backup leave. */
const WORK_FOLDERS = [
  'browser',
  'home',
  'results',
  'test-code',
  'tmp',
  'snapshot',
  'marker',
  'marker-to-copy',
];

/** Deletes what an ended run must not keep (secrets, the app's facts, abra's folder) and what nobody needs. */
async function removeWorkFiles(dir: string): Promise<string[]> {
  const files = [secretsFile(dir), appFile(dir)];
  const folders = [abraFolder(dir), ...WORK_FOLDERS.map((name) => join(dir, name))];
  const tried = await Promise.allSettled(
    [...files, ...folders].map((path) => rm(path, { recursive: true, force: true })),
  );
  const failed = tried.find((it) => it.status === 'rejected');
  if (failed) throw failed.reason;
  return [];
}
