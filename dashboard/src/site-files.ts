import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { copyFile, link, lstat, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, readFileIfAny, writeFileAtomic } from '@cc-ci/core';

/** Marks a folder as ours to write to and to delete from. Hidden, so no web server of ours serves it. */
const MARKER = '.cc-ci-site';

/**
 * Makes sure that a folder is a site of ours, or is made one.
 * @throws InputError when there is something else in it: we delete what does not belong to the site
 */
export async function claimSite(siteDir: string): Promise<void> {
  await mkdir(siteDir, { recursive: true });
  const names = await readdir(siteDir);
  if (names.includes(MARKER)) return;
  if (names.length > 0) {
    throw new InputError(`${siteDir} is not empty and holds no site of cc-ci`, {
      hint: 'CC_CI_SITE_DIR must be an empty or new folder; what does not belong to the site is deleted from it',
    });
  }
  await writeFileAtomic(
    join(siteDir, MARKER),
    'cc-ci writes this folder; everything in it is made from run records\n',
  );
}

/** Writes a file of the site unless it has this content already. @returns whether it was written */
export async function writeIfChanged(path: string, content: string): Promise<boolean> {
  if ((await readFileIfAny(path)) === content) return false;
  await writeFileAtomic(path, content);
  return true;
}

/** What is served of an artifact is decided by its name; anything a browser could run as a page is not. */
const SAFE_NAME = /\.(?:png|jpe?g|webp|gif|zip|txt|log)$/i;

/**
 * Puts a file of a run into the site: as another name for the same file, so that a growing log needs no copying, or
 * as a copy where that cannot be (another file system).
 *
 * Only regular files that no symbolic link leads to: what a recipe's tests leave in the run's folder is not trusted,
 * and a link may point anywhere.
 * @param runDir the run's folder, as `realpath` gives it
 * @returns whether the file is in the site now
 */
export async function publishFile(runDir: string, source: string, target: string): Promise<boolean> {
  if (!SAFE_NAME.test(target)) return false;
  const from = join(runDir, source);
  const stat = await lstatIfAny(from);
  if (!stat?.isFile() || (await realpath(from)) !== from) return false;
  const there = await lstatIfAny(target);
  if (there && there.ino === stat.ino && there.dev === stat.dev) return true;
  if (there && there.size === stat.size && there.mtimeMs >= stat.mtimeMs) return true;
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await linkOrCopy(from, temporary);
    // Looked at again behind the link: it may have been exchanged since.
    if (!(await lstat(temporary)).isFile()) return false;
    await rename(temporary, target);
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

async function lstatIfAny(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Deletes the members of a folder that are not among `wanted`. @returns how many */
export async function keepOnly(folder: string, wanted: ReadonlySet<string>): Promise<number> {
  if (!existsSync(folder)) return 0;
  const unwanted = (await readdir(folder)).filter((name) => !wanted.has(name));
  for (const name of unwanted) await rm(join(folder, name), { recursive: true, force: true });
  return unwanted.length;
}

/** A write takes moments: a temporary file older than this, in milliseconds, belongs to nobody who is alive. */
const ABANDONED_MS = 60_000;

/** Deletes what a generator that was killed left half-written. */
export async function sweepTemporaries(siteDir: string): Promise<void> {
  for (const entry of await readdir(siteDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.[0-9a-f]{8}\.tmp$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const stat = await lstatIfAny(path);
    if (stat && Date.now() - stat.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}
