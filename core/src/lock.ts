import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';

/** A lock that is held. */
export interface HeldLock {
  release(): void;
}

/**
 * Takes the lock that belongs to `path`, without waiting.
 *
 * It is SQLite's exclusive lock on that file, which is a kernel (fcntl) lock of this process: it ends with the
 * process however that dies, and no child inherits it. Node has no flock of its own.
 * @returns undefined when another process (or another holder in this one) has it
 */
export function tryLock(path: string): HeldLock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return {
    release() {
      if (!database.open) return;
      database.exec('ROLLBACK');
      database.close();
    },
  };
}
