import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CcCiError, type HeldLock, run, waitForLock } from '@cc-ci/core';
import { PARTS, type PartName, saidVersion } from './definitions.js';
import { checkBuild, noteChecksum, type PartPlace, partPlace, partsCache } from './folders.js';
import { goBuild, moduleFolder } from './go.js';
import { findOnPath } from './on-path.js';

/** A program of others that is ready to be started. */
export interface Part {
  name: PartName;
  /** Undefined for an installed one that cannot say. */
  version: string | undefined;
  executable: string;
  /** The folder with what the program reads while it runs; undefined for an installed one, which knows its own. */
  folder: string | undefined;
}

/** How parts are looked for. */
export interface PartsOptions {
  /** Told in whole sentences what goes on. */
  say?: ((text: string) => void) | undefined;
  /** Default: the cache of this user. */
  cache?: string;
  signal?: AbortSignal;
}

/** A progress line is said this often while a build goes on, in milliseconds. */
const SAY_EVERY_MS = 15_000;
/** Somebody else may be building the same part: as long as the slowest machine needs. */
const LOCK_TIMEOUT_MS = 60 * 60_000;

/**
 * A part, installed or from the cache; undefined when it would have to be built first.
 * @throws CcCiError when the cache holds something else than was built
 */
export async function findPart(name: PartName, options: PartsOptions = {}): Promise<Part | undefined> {
  const installed = await findOnPath(name, options.say);
  if (installed) return { name, folder: undefined, ...installed };
  const place = await partPlace(name, options.cache ?? partsCache());
  const { executable } = PARTS[name];
  const state = await checkBuild(place.folder, executable);
  if (state === 'damaged')
    throw new CcCiError(`${place.folder} does not hold what was built there: its checksum differs`, {
      hint: '`npm run parts` builds it again',
    });
  return state === 'sound' ? cached(name, place) : undefined;
}

/**
 * A part, installed or from the cache; built into the cache where there is none, or a damaged one. Two processes that
 * ask at the same time build once.
 */
export async function ensurePart(name: PartName, options: PartsOptions = {}): Promise<Part> {
  const { say = () => {} } = options;
  const installed = await findOnPath(name, say);
  if (installed) {
    say(`${name} ${installed.version ?? ''}: installed, ${installed.executable}`);
    return { name, folder: undefined, ...installed };
  }
  const place = await partPlace(name, options.cache ?? partsCache());
  const lock = await lockPart(name, place, say);
  try {
    const state = await checkBuild(place.folder, PARTS[name].executable);
    if (state === 'damaged') say(`${name} ${place.version}: ${place.folder} is damaged, building it again`);
    if (state !== 'sound') await build(name, place, options);
    else say(`${name} ${place.version}: built before, ${place.folder}`);
    return cached(name, place);
  } finally {
    lock.release();
  }
}

function cached(name: PartName, { version, folder }: PartPlace): Part {
  return { name, version, folder, executable: join(folder, PARTS[name].executable) };
}

async function lockPart(name: PartName, place: PartPlace, say: (text: string) => void): Promise<HeldLock> {
  const path = `${dirname(place.folder)}.lock`;
  const atOnce = await waitForLock(path, 0);
  if (atOnce) return atOnce;
  say(`${name} ${place.version}: another process is building it, waiting`);
  const later = await waitForLock(path, LOCK_TIMEOUT_MS);
  if (!later) throw new CcCiError(`${path} is still held after ${LOCK_TIMEOUT_MS / 60_000} min`);
  return later;
}

/** Builds beside the place and moves the finished folder there, so that nobody ever sees half a part. */
async function build(
  name: PartName,
  place: PartPlace,
  { say = () => {}, signal }: PartsOptions,
): Promise<void> {
  const definition = PARTS[name];
  const started = performance.now();
  const seconds = () => `${Math.round((performance.now() - started) / 1000)} s`;
  let packages = 0;
  const onPackage = (count: number) => {
    packages = count;
  };
  const tell = () => say(`${name} ${place.version}: ${packages} packages compiled, ${seconds()}`);
  say(`${name} ${place.version}: building`);
  await mkdir(dirname(place.folder), { recursive: true });
  const scratch = await mkdtemp(`${place.folder}.`);
  const timer = setInterval(tell, SAY_EVERY_MS);
  try {
    const folder = join(scratch, 'part');
    const about = { definition, version: place.version, source: place.source, signal };
    const output = join(folder, definition.executable);
    await goBuild({ ...about, output, onPackage });
    await copyFolders(await moduleFolder(about), folder, definition.folders ?? []);
    await checkVersion(name, output, place.version);
    await noteChecksum(folder, definition.executable);
    await chmod(folder, 0o755);
    await rm(place.folder, { recursive: true, force: true });
    await rename(folder, place.folder);
    say(`${name} ${place.version}: built in ${seconds()}, ${place.folder}`);
  } finally {
    clearInterval(timer);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Go keeps its modules read-only; copies of them are not to be. */
async function copyFolders(from: string, to: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await run('cp', ['-r', '--no-preserve=mode', ...names.map((name) => join(from, name)), to]);
}

async function checkVersion(name: PartName, executable: string, version: string): Promise<void> {
  const { askVersion } = PARTS[name];
  if (!askVersion) return;
  const { stdout } = await run(executable, askVersion, { timeoutMs: 30_000 });
  const said = saidVersion(stdout);
  if (said !== version) throw new CcCiError(`${name} was built as ${version} and calls itself ${said}`);
}
