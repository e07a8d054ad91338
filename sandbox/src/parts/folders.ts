import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { readFileIfAny, writeFileAtomic } from '@cc-ci/core';
import { PARTS, type PartName, requiredVersion } from './definitions.js';

const SOURCES = fileURLToPath(new URL('../../../parts/', import.meta.url));
const SUMS = 'SHA256SUMS';

/** Where parts are kept: outside any checkout, so that every checkout shares them. */
export function partsCache(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cc-ci', 'parts');
}

/** Where a part is pinned, and where its build belongs. */
export interface PartPlace {
  /** The folder with its `go.mod` and `go.sum`. */
  source: string;
  version: string;
  /** The folder of exactly this build. */
  folder: string;
}

/** The place of a part: its key changes with everything the build is made from. */
export async function partPlace(name: PartName, cache: string): Promise<PartPlace> {
  const source = join(SOURCES, name);
  const [mod, sum] = await Promise.all(
    ['go.mod', 'go.sum'].map((file) => readFile(join(source, file), 'utf8')),
  );
  const version = requiredVersion(mod ?? '', PARTS[name].module);
  const made = JSON.stringify([mod, sum, PARTS[name], process.platform, process.arch]);
  const key = createHash('sha256').update(made).digest('hex').slice(0, 12);
  return { source, version, folder: join(cache, name, `${version}-${key}`) };
}

/** Notes the checksum of a program beside it, in the form of `sha256sum`. */
export async function noteChecksum(folder: string, executable: string): Promise<void> {
  await writeFileAtomic(join(folder, SUMS), `${await checksum(join(folder, executable))}  ${executable}\n`);
}

/**
 * Whether a folder holds the program that was built there.
 * @returns `missing` when nothing was finished there, `damaged` when it is not what was noted
 */
export async function checkBuild(
  folder: string,
  executable: string,
): Promise<'sound' | 'missing' | 'damaged'> {
  const noted = await readFileIfAny(join(folder, SUMS));
  if (noted === undefined) return 'missing';
  const found = await checksum(join(folder, executable)).catch(() => 'unreadable');
  return noted === `${found}  ${executable}\n` ? 'sound' : 'damaged';
}

async function checksum(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
