import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '@cc-ci/core/reading';

// Synchronous throughout: a full build makes 100,000 files, and a write of a few kilobytes costs a fraction of the trip
// through the thread pool that would spare us from waiting for it. The generator lets others have their turn between
// runs. Nothing is forced to the disk either: a site can be made again, and after a crash of the machine it is.

/** Marks a folder as ours to write to and to delete from. Hidden, so no web server of ours serves it. */
const MARKER = '.cc-ci-site';

/**
 * Makes sure that a folder is a site of ours, or is made one.
 * @throws InputError when there is something else in it: we delete what does not belong to the site
 */
export function claimSite(siteDir: string): void {
  mkdirSync(siteDir, { recursive: true });
  if (existsSync(join(siteDir, MARKER))) return;
  if (readdirSync(siteDir).length > 0) {
    throw new InputError(`${siteDir} is not empty and holds no site of cc-ci`, {
      hint: 'CC_CI_SITE_DIR must be an empty or new folder; what does not belong to the site is deleted from it',
    });
  }
  replaceFile(join(siteDir, MARKER), 'cc-ci writes this folder; everything in it is made from run records\n');
}

/** What a file of the site is to be: text, or another name of a file that is there already. */
export type Content = string | { file: string };

/** Writes a file of the site, at once or not at all, unless it has this content already. @returns whether it wrote */
export function writeIfChanged(path: string, content: Content): boolean {
  if (linkNew(path, content)) return true;
  if (isSame(path, content)) return false;
  overwrite(path, content);
  return true;
}

/** Mostly there is nothing yet, and then a link appears at once by itself. @returns whether it did */
function linkNew(path: string, content: Content): boolean {
  if (typeof content === 'string') return false;
  try {
    linkSync(content.file, path);
  } catch {
    return false;
  }
  refuseExchanged(content.file, path);
  return true;
}

function isSame(path: string, content: Content): boolean {
  const there = lstatIfAny(path);
  if (!there) return false;
  if (typeof content === 'string') {
    return there.size === Buffer.byteLength(content) && readFileSync(path, 'utf8') === content;
  }
  const wanted = lstatIfAny(content.file);
  if (!wanted) return false;
  if (there.ino === wanted.ino && there.dev === wanted.dev) return true;
  // A copy, where a link could not be made.
  return there.dev !== wanted.dev && there.size === wanted.size && there.mtimeMs >= wanted.mtimeMs;
}

function replaceFile(path: string, content: Content): void {
  if (!linkNew(path, content)) overwrite(path, content);
}

function overwrite(path: string, content: Content): void {
  const temporary = temporaryName(path);
  try {
    put(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function put(path: string, content: Content): void {
  const write = () =>
    typeof content === 'string' ? writeText(path, content) : linkOrCopy(content.file, path);
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    mkdirSync(dirname(path), { recursive: true });
    write();
  }
}

/** Texts are written from here: a buffer for each would be most of what the garbage collector has to do. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024);

/** Writes a file that must not be there yet. */
function writeText(path: string, text: string): void {
  const file = openSync(path, 'wx');
  try {
    const bytes = 3 * text.length <= scratch.length ? scratch : Buffer.from(text);
    const length = bytes === scratch ? scratch.write(text) : bytes.length;
    for (let at = 0; at < length; ) at += writeSync(file, bytes, at, length - at);
  } finally {
    closeSync(file);
  }
}

/** No other process or thread has it. */
const OURS = randomBytes(6).toString('hex');
let temporaries = 0;

function temporaryName(path: string): string {
  temporaries += 1;
  return join(dirname(path), `.${OURS}${temporaries}.tmp`);
}

/**
 * Puts these files into a folder of the site, in their order, and nothing else: each changes at once or not at all, and
 * those that are not wanted any more go last. So a page that comes last is there only when all that it leads to is.
 * @param files by their path in the folder
 * @returns how many were written
 */
export function publishFolder(folder: string, files: ReadonlyMap<string, Content>): number {
  if (makeFolder(folder)) {
    for (const [name, content] of files) replaceFile(`${folder}/${name}`, content);
    return files.size;
  }
  let written = 0;
  for (const [name, content] of files) if (writeIfChanged(join(folder, name), content)) written += 1;
  removeOthers(folder, '', new Set(files.keys()));
  return written;
}

/** Makes a folder. @returns whether it did: false when there is one already */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return mkdirSync(folder, { recursive: true }) !== undefined;
  }
}

function removeOthers(folder: string, below: string, wanted: ReadonlySet<string>): void {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const name = below ? `${below}/${entry.name}` : entry.name;
    if (entry.isDirectory()) removeOthers(folder, name, wanted);
    else if (!wanted.has(name) && !isBeingWritten(join(folder, name)))
      rmSync(join(folder, name), { force: true });
  }
}

/** A write takes moments: a temporary file older than this, in milliseconds, belongs to nobody who is alive. */
const ABANDONED_MS = 60_000;

function isBeingWritten(path: string): boolean {
  const stat = path.endsWith('.tmp') ? lstatIfAny(path) : undefined;
  return stat !== undefined && Date.now() - stat.mtimeMs < ABANDONED_MS;
}

/** What is served of a file is decided by its name; anything a browser could run as a page is not. */
const SAFE_NAME = /\.(?:png|jpe?g|webp|gif|zip|txt|log)$|^(?:report\.json|junit\.xml)$/i;

/** A file that may be published, and its size in bytes. */
export interface Publishable {
  path: string;
  size: number;
}

/**
 * Tells which files of a run may be other names of files of the site: regular files of a harmless kind that no symbolic
 * link below the run's folder leads to (what a recipe's tests leave there is not trusted, and a link may point
 * anywhere). Folders are looked at once: ask anew for each publication.
 */
export function publishableOf(runDir: string): (source: string) => Publishable | undefined {
  const folders = new Map([[runDir, true]]);
  const isReal = (folder: string): boolean => {
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const real = isReal(dirname(folder)) && lstatIfAny(folder)?.isDirectory() === true;
    folders.set(folder, real);
    return real;
  };
  return (source) => {
    if (!SAFE_NAME.test(source)) return undefined;
    const path = join(runDir, source);
    if (!path.startsWith(`${runDir}/`)) return undefined;
    try {
      const stat = lstatSync(path);
      return stat.isFile() && isReal(dirname(path)) ? { path, size: stat.size } : undefined;
    } catch {
      return undefined;
    }
  };
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
  refuseExchanged(from, to);
}

/** What was linked is looked at again: it may have been exchanged since it was chosen. */
function refuseExchanged(from: string, to: string): void {
  if (lstatSync(to).isFile()) return;
  rmSync(to, { force: true });
  throw new Error(`${from} was exchanged for something that is no file`);
}

export function lstatIfAny(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Deletes the members of a folder that are not wanted. @returns how many */
export function keepOnly(folder: string, isWanted: (name: string) => boolean): number {
  if (!existsSync(folder)) return 0;
  const unwanted = readdirSync(folder).filter((name) => !isWanted(name) && !name.endsWith('.tmp'));
  for (const name of unwanted) rmSync(join(folder, name), { recursive: true, force: true });
  return unwanted.length;
}

/** Where folders come and go; looking below each of tens of thousands of runs would take seconds. */
const SWEPT = ['.', 'runs', 'recipes', 'badges', 'api', 'api/runs', 'state', 'level'];

/** Deletes what a generator that was killed left half-written. */
export async function sweepTemporaries(siteDir: string): Promise<void> {
  for (const folder of SWEPT) {
    const names = await readdir(join(siteDir, folder)).catch(() => []);
    for (const name of names.filter((it) => it.endsWith('.tmp'))) {
      const path = join(siteDir, folder, name);
      if (!isBeingWritten(path)) rmSync(path, { recursive: true, force: true });
    }
  }
}
