import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * Reads a file that somebody else's code has written: only a plain file, and only up to a size.
 * @returns its text, empty where there is no file; or what is wrong with it, as the end of a sentence
 */
export async function readUntrusted(
  path: string,
  maxBytes: number,
): Promise<{ text: string; problem?: string }> {
  try {
    // Not a link that leads elsewhere; a named pipe must not keep us waiting.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return { text: '', problem: 'is no plain file' };
      if (stat.size > maxBytes) return { text: '', problem: `is larger than ${maxBytes / 2 ** 20} MiB` };
      return { text: await file.readFile('utf8') };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return { text: '' };
    return { text: '', problem: `cannot be read (${code})` };
  }
}
