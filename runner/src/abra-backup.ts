import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CcCiError, CommandFailedError } from '@cc-ci/core';
import { abra } from './abra.js';
import { requireApp, type StageContext } from './context.js';

/** What abra prints when a snapshot is made; restic's own words, too. */
const SAVED = /snapshot ([0-9a-f]{8,64}) saved/i;

/** How the bot says that a hook failed; it goes on, and so does abra. */
const HOOK_FAILED = /^.*\bfailed to run command\b.*$/gim;

/**
 * Makes a backup as an operator would.
 * @returns the snapshot's id, by which it is restored (the newest of that name may be somebody else's), and what the
 *   bot said of hooks that failed
 * @throws CcCiError when abra does not say which snapshot it made
 */
export async function createBackup(context: StageContext): Promise<{ id: string; hookErrors: string[] }> {
  const { domain } = requireApp(context);
  const before = await listSnapshots(context);
  const { stdout, stderr } = await abra(context, 'createBackup', { about: [domain] });
  const output = `${stdout}\n${stderr}`;
  const named = SAVED.exec(output)?.[1];
  const made = (await listSnapshots(context)).filter((id) => !before.includes(id));
  const id = named ?? (made.length === 1 ? made[0] : undefined);
  if (id) return { id, hookErrors: output.match(HOOK_FAILED) ?? [] };
  throw new CcCiError(
    `abra app backup create did not say which snapshot it made (new ones: ${made.join(', ') || 'none'})`,
  );
}

/** Ids of the app's snapshots, the oldest first; none where abra knows none. */
async function listSnapshots(context: StageContext): Promise<string[]> {
  const { domain } = requireApp(context);
  try {
    const { stdout } = await abra(context, 'listSnapshots', { about: [domain] });
    return [...stdout.matchAll(/\b[0-9a-f]{8,64}\b/g)].map(([id]) => id);
  } catch (error) {
    if (error instanceof CommandFailedError) return [];
    throw error;
  }
}

/**
 * Writes a snapshot's files into a folder as abra gives them out: one tar archive.
 * @returns the archive's path
 */
export async function downloadBackup(context: StageContext, snapshot: string, dir: string): Promise<string> {
  const { domain } = requireApp(context);
  await mkdir(dir, { recursive: true });
  await abra(context, 'downloadBackup', { about: [domain], values: { snapshot }, cwd: dir });
  const [archive] = (await readdir(dir)).filter((name) => /\.tar(\.gz)?$|\.tgz$/.test(name));
  if (!archive) throw new CcCiError('abra app backup download wrote no archive');
  return join(dir, archive);
}

/** Restores exactly this snapshot into the running app. @returns what the bot said of hooks that failed */
export async function restoreBackup(context: StageContext, snapshot: string): Promise<string[]> {
  const { domain } = requireApp(context);
  const { stdout, stderr } = await abra(context, 'restoreBackup', { about: [domain], values: { snapshot } });
  return `${stdout}\n${stderr}`.match(HOOK_FAILED) ?? [];
}
