import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { CcCiError } from './errors.js';
import { namingFile } from './sqlite-file.js';

export type Store = Database.Database;

/**
 * Opens a SQLite database (WAL, foreign keys, waits up to 5 s for another writer) and brings it to the newest form.
 * @param path file, created with its folder when missing; `:memory:` for a throw-away one
 * @param migrations one SQL script per version, applied in order, each in its own transaction, never edited later
 * @throws CcCiError when the file was written by a newer program, or cannot be written
 */
export function openStore(path: string, migrations: readonly string[]): Store {
  return namingFile(path, () => open(path, migrations));
}

function open(path: string, migrations: readonly string[]): Store {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const store = new Database(path, { timeout: 5_000 });
  store.pragma('journal_mode = WAL');
  store.pragma('foreign_keys = ON');
  store.pragma('synchronous = FULL');
  // In KiB: SQLite's own default, of which better-sqlite3 makes eight times as much for each file that is open.
  store.pragma('cache_size = -2000');
  const migrate = store.transaction(() => {
    const version = store.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      throw new CcCiError(`${path} has version ${version}, this program knows ${migrations.length}`, {
        hint: 'run the newer cc-ci that wrote it',
      });
    }
    for (const script of migrations.slice(version)) store.exec(script);
    store.pragma(`user_version = ${migrations.length}`);
  });
  migrate.immediate();
  return keepStatements(store);
}

/**
 * Makes `prepare` give the same statement for the same text. To compile one costs as much as to run it, and SQLite's
 * memory of it is freed only when the garbage collector comes by. Texts must be constants, and statements be run to
 * their end (`get`, `all`, `run`): an `iterate` under way would be in the next one's way.
 */
function keepStatements(store: Store): Store {
  const kept = new Map<string, Database.Statement>();
  const prepare = store.prepare.bind(store);
  store.prepare = ((text: string) => {
    const known = kept.get(text) ?? prepare(text);
    kept.set(text, known);
    return known;
  }) as typeof store.prepare;
  return store;
}
