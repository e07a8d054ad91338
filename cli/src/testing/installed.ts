import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { selfCommand } from '../runner-process.js';

/** Makes a folder for PATH with this program as `cc-ci`, as an installed package has it. @returns the folder */
export async function installed(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const words = selfCommand().map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  await writeFile(join(dir, 'cc-ci'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  return dir;
}
