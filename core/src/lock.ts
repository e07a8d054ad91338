import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { namingFile } from './sqlite-file.js';

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
 * @throws CcCiError when the file cannot be made or written
 */
export function tryLock(path: string): HeldLock | undefined {
  return namingFile(path, () => take(path));
}

function take(path: string): HeldLock | undefined {
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

/** How often a lock that is held is tried again, in milliseconds; the kernel tells nobody when it becomes free. */
const TRY_AGAIN_MS = 50;

/**
 * Takes the lock that belongs to `path` as soon as it is free.
 * @returns undefined when it is still held after `timeoutMs`
 */
export async function waitForLock(path: string, timeoutMs: number): Promise<HeldLock | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const lock = tryLock(path);
    if (lock || performance.now() >= deadline) return lock;
    await delay(TRY_AGAIN_MS);
  }
}
