import { CcCiError } from './errors.js';

/** What SQLite says when the file, not what is asked of it, is the trouble. */
const FILE_TROUBLE = /^SQLITE_(?:CANTOPEN|READONLY|FULL|IOERR|PERM)/;

/** Opens a file of SQLite's, whose own error tells neither which one it was nor what to do. @throws CcCiError */
export function namingFile<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!FILE_TROUBLE.test((error as { code?: string }).code ?? '')) throw error;
    throw new CcCiError(`${path} cannot be written: ${(error as Error).message}`, {
      hint: 'see that its file system is neither full nor read-only, and that this user may write there',
      cause: error,
    });
  }
}
