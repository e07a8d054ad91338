import { createReadStream, type Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { BackedUpVolume } from './backup-labels.js';

/** How dumps begin whose last line says that they are whole, and that line. */
const DUMPS: readonly { begins: RegExp; ends: RegExp; what: string }[] = [
  {
    begins: /^--\s*\n-- PostgreSQL database (?:cluster )?dump/,
    ends: /-- PostgreSQL database (?:cluster )?dump complete/,
    what: 'pg_dump',
  },
  {
    begins: /^(?:\/\*M?!.*?\*\/;?\s*)?-- (?:MySQL|MariaDB) dump/,
    ends: /-- Dump completed/,
    what: 'mariadb-dump',
  },
];
/** Characters at both ends of a dump in which its marks are looked for. */
const EDGE = 4096;

/**
 * Looks whether the files of a backup hold what they should: every volume and path that takes part, no empty dump,
 * no archive or dump that was cut short. Success of the backup command proves none of this.
 * @param folder the unpacked backup; volumes are folders in it, called by their key or by Docker's name
 * @param marker name of a file that every volume has at its root
 * @returns what is wrong, in words; empty when all is well
 */
export async function artefactProblems(
  folder: string,
  stack: string,
  wanted: readonly BackedUpVolume[],
  marker: string,
): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const pathOf = (entry: Dirent) => relative(folder, join(entry.parentPath, entry.name));
  const all = entries.map(pathOf);
  const files = entries.filter((entry) => entry.isFile()).map(pathOf);
  const problems: string[] = [];
  for (const { volume, paths } of wanted) {
    for (const path of paths.length > 0 ? paths : [marker]) {
      const found = files.filter((file) => isBelow(file, stack, volume, path));
      // An empty folder is one that was backed up, too.
      if (!all.some((file) => isBelow(file, stack, volume, path))) {
        problems.push(
          paths.length > 0
            ? `${path} of volume ${volume} is not in the backup`
            : `volume ${volume} is not in the backup`,
        );
      }
      if (paths.length === 0) continue;
      for (const file of found)
        problems.push(
          ...(await faultsOf(join(folder, file), `${path} of volume ${volume}`, found.length === 1)),
        );
    }
  }
  return problems;
}

/** `<volume>/<path>` as abra's download has it, or `.../<stack>_<volume>/_data/<path>` as the bot's own archive does. */
function isBelow(file: string, stack: string, volume: string, path: string): boolean {
  const text = `/${file}`;
  return [`/${volume}/`, `/${stack}_${volume}/_data/`].some((root) => {
    const at = text.indexOf(root);
    if (at < 0) return false;
    const inside = text.slice(at + root.length);
    return inside === path || inside.startsWith(`${path}/`);
  });
}

async function faultsOf(file: string, what: string, isAlone: boolean): Promise<string[]> {
  // One of many files may well be empty; a lone one is the dump.
  if ((await stat(file)).size === 0) return isAlone ? [`${what} is empty`] : [];
  try {
    const { head, tail } = file.endsWith('.gz') ? await gunzippedEdges(file) : await edges(file);
    const dump = DUMPS.find(({ begins }) => begins.test(head));
    return dump && !dump.ends.test(tail)
      ? [`${what} was cut short: ${dump.what}'s last line is missing`]
      : [];
  } catch (error) {
    return [`${what} is no whole gzip file: ${(error as Error).message}`];
  }
}

async function edges(path: string): Promise<{ head: string; tail: string }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read = async (at: number) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(EDGE), 0, EDGE, at);
      return buffer.toString('latin1', 0, bytesRead);
    };
    return { head: await read(0), tail: await read(Math.max(0, size - EDGE)) };
  } finally {
    await file.close();
  }
}

async function gunzippedEdges(path: string): Promise<{ head: string; tail: string }> {
  let head = '';
  let tail = '';
  for await (const chunk of createReadStream(path).pipe(createGunzip())) {
    const text = (chunk as Buffer).toString('latin1');
    if (head.length < EDGE) head += text.slice(0, EDGE - head.length);
    tail = (tail + text).slice(-EDGE);
  }
  return { head, tail };
}
