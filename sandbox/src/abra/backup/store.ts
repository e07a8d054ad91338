import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, readJson, writeJson } from '@cc-ci/core';
import { z } from 'zod';
import type { Abra } from '../context.js';
import { namesIn } from '../folders.js';

const snapshot = z.object({
  id: z.string(),
  /** ISO 8601 in UTC, milliseconds included. */
  time: z.string(),
  /** What the app's labels said when it was made. */
  version: z.string(),
  archives: z.array(
    z.object({
      /** The volume's key in the compose file. */
      volume: z.string(),
      /** Folder of the volume that the archive's content belongs into; its root: empty. */
      into: z.string(),
      /** The tar file, beside this description. */
      file: z.string(),
    }),
  ),
});
/** One backup of one stack. */
export type Snapshot = z.output<typeof snapshot>;
export type Archive = Snapshot['archives'][number];

const DESCRIPTION = 'snapshot.json';

/**
 * The folder in which the bot keeps its snapshots, `<stack>/<id>/`. They outlive their app, as restic's do.
 * @throws InputError in abra's words when no bot is there (ABRA_STANDIN_BACKUPS is not set)
 */
export function snapshotStore(abra: Abra): string {
  const folder = abra.env.ABRA_STANDIN_BACKUPS;
  if (folder) return folder;
  throw new InputError('no backupbot discovered, is it deployed?', {
    hint: "ABRA_STANDIN_BACKUPS, this stand-in's folder for snapshots, is not set",
  });
}

/** The snapshots of a stack, the oldest first. */
export async function listSnapshots(store: string, stack: string): Promise<Snapshot[]> {
  const names = await namesIn(join(store, stack));
  const found = await Promise.all(names.map((id) => readJson(join(store, stack, id, DESCRIPTION), snapshot)));
  return found.filter((item) => item !== undefined).sort((a, b) => a.time.localeCompare(b.time));
}

/** A snapshot by its id, by default the newest of the stack. @throws InputError when there is none */
export async function findSnapshot(store: string, stack: string, id: string | undefined): Promise<Snapshot> {
  const snapshots = await listSnapshots(store, stack);
  const found = id === undefined ? snapshots.at(-1) : snapshots.find((candidate) => candidate.id === id);
  if (found) return found;
  throw new InputError(id === undefined ? `no snapshots of ${stack}` : `no snapshot ${id} of ${stack}`);
}

/** The path of an archive. */
export function archivePath(store: string, stack: string, { id }: Snapshot, { file }: Archive): string {
  return join(store, stack, id, file);
}

/**
 * Makes a snapshot: `write` puts its archives into a folder, which counts as a snapshot only once all are there.
 * @returns the snapshot, with the id by which it can be restored
 */
export async function saveSnapshot(
  store: string,
  stack: string,
  version: string,
  write: (folder: string) => Promise<Archive[]>,
): Promise<Snapshot> {
  const id = randomBytes(4).toString('hex');
  const folder = join(store, stack, id);
  const partial = `${folder}.partial`;
  await mkdir(partial, { recursive: true });
  try {
    const archives = await write(partial);
    const description = { id, time: new Date().toISOString(), version, archives };
    await writeJson(join(partial, DESCRIPTION), description);
    await rename(partial, folder);
    return description;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}
