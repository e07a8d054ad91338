import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** All of a folder that writing to it could change: content, modes, links, times to the nanosecond (but not of reading). */
export async function everythingOf(dir: string): Promise<Record<string, string>> {
  const names = await readdir(dir, { recursive: true });
  const entries = ['.', ...names].sort().map(async (name) => {
    const info = await lstat(join(dir, name), { bigint: true });
    const text = info.isFile() ? await readFile(join(dir, name), 'base64') : '';
    return [name, [info.ino, info.mode, info.nlink, info.mtimeNs, info.ctimeNs, text].join(' ')] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
