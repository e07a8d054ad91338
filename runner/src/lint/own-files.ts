import { realpath, stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';

/**
 * Why a file that a recipe names cannot be used, or undefined where it can. A file elsewhere on the machine that
 * deploys would end up in the app: a recipe may only bring its own.
 */
export async function fileProblem(dir: string, file: string): Promise<string | undefined> {
  const outside = 'which is not in the recipe; a recipe may only use files of its own';
  if (!isBelow(dir, resolve(dir, file))) return outside;
  try {
    const [root, real] = await Promise.all([realpath(dir), realpath(resolve(dir, file))]);
    if (!isBelow(root, real)) return outside;
    return (await stat(real)).isFile() ? undefined : 'which is a folder; name a file in it';
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return 'and there is no such file; add it';
  }
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}
