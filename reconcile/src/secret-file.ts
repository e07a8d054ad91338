import { chmod, readFile, stat } from 'node:fs/promises';
import { writeFileAtomic } from '@cc-ci/core';

/** A file of secrets that only its owner reads. */
const MODE = 0o600;

/** What a file of secrets holds, and whether others may read it; undefined where there is none. */
export interface SecretFile {
  text: string;
  open: boolean;
}

/** @throws Error when it is there and cannot be read */
export async function readSecret(path: string): Promise<SecretFile | undefined> {
  try {
    const [text, { mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { text, open: (mode & 0o077) !== 0 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes it at once as a whole; nobody but us may read it at any moment. */
export function writeSecret(path: string, text: string): Promise<void> {
  return writeFileAtomic(path, text, MODE);
}

/** Closes it to others. */
export function closeSecret(path: string): Promise<void> {
  return chmod(path, MODE);
}
