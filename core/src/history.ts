import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { folderNames, readJson } from './files.js';
import { isConclusive, levelOfRun, STEADY_RUNS } from './level.js';
import {
  type Level,
  type Outcome,
  planFile,
  type RunRecord,
  runFolder,
  runSummary,
  runsFolder,
  stateFolderOf,
  summaryFile,
} from './record.js';

/** All that is read of a plan: whose run it is, and whether it was to be a whole one. */
const planHead = z.object({
  request: z.object({ recipe: z.string() }),
  only: z.array(z.string()).optional(),
});
/** Run folders looked at side by side. */
const BATCH = 32;
/** How far a file system's clock may lag behind the one that run records are dated by, in milliseconds. */
const CLOCK_LAG_MS = 1_000;

/**
 * Outcomes of the recipe's earlier runs that say something of it (green or red), the newest first. Earlier are those
 * that had ended when `before` was: so two runs side by side do not count each other, whoever asks and whenever.
 * Folders that cannot be read are passed over, and so are runs of which only some stages were wanted.
 *
 * Folders are read in the order of their last change, which is never before their run began: once enough are found
 * that began after the last change of all that are left, those need not be opened.
 * @param before an ISO time
 * @param limit how many at most
 */
export async function earlierOutcomes(
  stateDir: string,
  recipe: string,
  before: string,
  limit: number,
): Promise<Outcome[]> {
  const found: { startedAt: string; outcome: Outcome }[] = [];
  for (const batch of batches(await byLastChange(stateDir))) {
    const oldestThatCounts = found[limit - 1];
    const newestLeft = batch[0]?.changedMs ?? 0;
    if (oldestThatCounts && newestLeft + CLOCK_LAG_MS < Date.parse(oldestThatCounts.startedAt)) break;
    for (const summary of await Promise.all(batch.map(({ dir }) => summaryOf(dir, recipe)))) {
      if (summary && summary.finishedAt <= before && isConclusive(summary.outcome)) found.push(summary);
    }
    found.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }
  return found.slice(0, limit).map(({ outcome }) => outcome);
}

interface Folder {
  dir: string;
  changedMs: number;
}

async function byLastChange(stateDir: string): Promise<Folder[]> {
  const folders: Folder[] = [];
  for (const names of batches(await folderNames(runsFolder(stateDir)))) {
    const looks = names.map(async (name) => {
      const dir = runFolder(stateDir, name);
      // A folder may be removed while we look.
      const changedMs = (await stat(dir).catch(() => undefined))?.mtimeMs;
      if (changedMs !== undefined) folders.push({ dir, changedMs });
    });
    await Promise.all(looks);
  }
  return folders.sort((a, b) => b.changedMs - a.changedMs);
}

function* batches<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += BATCH) yield items.slice(at, at + BATCH);
}

async function summaryOf(dir: string, recipe: string) {
  try {
    const plan = await readJson(planFile(dir), planHead);
    if (plan?.request.recipe !== recipe || plan.only) return undefined;
    return await readJson(summaryFile(dir), runSummary);
  } catch {
    return undefined;
  }
}

/**
 * A run's level by today's scale, from its own record and those of the runs before it that are still there; none for a
 * run of which only some stages were wanted.
 */
export async function levelFromFiles(record: RunRecord): Promise<Level | undefined> {
  const { request, createdAt, only } = record.plan;
  if (only) return undefined;
  return levelOfRun(
    record,
    await earlierOutcomes(stateFolderOf(record.dir), request.recipe, createdAt, STEADY_RUNS),
  );
}
