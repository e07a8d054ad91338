import { openStore, type Store } from '@cc-ci/core';

/** Migrations of the bridge's database; append, never edit. INTEGER times are milliseconds since 1970. */
const MIGRATIONS = [
  `CREATE TABLE feed (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     baseline_id INTEGER NOT NULL,
     newest_at INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE inbox (
     comment_id INTEGER PRIMARY KEY,
     decision TEXT NOT NULL,
     seen_at TEXT NOT NULL
   ) STRICT;
   CREATE TABLE triggers (
     number INTEGER PRIMARY KEY AUTOINCREMENT,
     comment_id INTEGER NOT NULL UNIQUE REFERENCES inbox (comment_id),
     run TEXT NOT NULL UNIQUE,
     repo TEXT NOT NULL,
     pr INTEGER NOT NULL,
     author TEXT NOT NULL,
     state TEXT NOT NULL,
     sha TEXT,
     src TEXT,
     origin TEXT,
     reason TEXT,
     reply_id INTEGER,
     reply_body TEXT,
     verdict TEXT,
     sentence TEXT,
     attempts INTEGER NOT NULL DEFAULT 0,
     last_error TEXT,
     due_at INTEGER,
     seen_at TEXT NOT NULL,
     updated_at TEXT NOT NULL
   ) STRICT;
   CREATE INDEX triggers_due ON triggers (due_at) WHERE due_at IS NOT NULL;
   CREATE INDEX triggers_by_commit ON triggers (repo, sha);
   CREATE TABLE status_refusals (repo TEXT PRIMARY KEY, refused_at INTEGER NOT NULL) STRICT;
   CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), at TEXT NOT NULL) STRICT;`,
  // Where the feed had nothing, nobody knows from when on comments count: the next look begins anew.
  `CREATE TABLE look (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     baseline_at INTEGER NOT NULL,
     read_to INTEGER NOT NULL
   ) STRICT;
   INSERT INTO look (one, baseline_at, read_to) SELECT 1, newest_at, newest_at FROM feed WHERE newest_at > 0;
   DROP TABLE feed;`,
  // `stop_number` is the trigger that asked to stop this one; `answers` says what was granted an answer, and when.
  `ALTER TABLE triggers ADD COLUMN command TEXT NOT NULL DEFAULT 'testme';
   ALTER TABLE triggers ADD COLUMN stop_number INTEGER REFERENCES triggers (number);
   ALTER TABLE triggers ADD COLUMN stop_reason TEXT;
   ALTER TABLE triggers ADD COLUMN stop_passed_on INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE triggers ADD COLUMN collapsed INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX triggers_by_pull ON triggers (repo, pr);
   CREATE TABLE answers (
     run TEXT PRIMARY KEY REFERENCES triggers (run),
     kind TEXT NOT NULL,
     author TEXT NOT NULL COLLATE NOCASE,
     repo TEXT NOT NULL,
     pr INTEGER NOT NULL,
     granted_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX answers_by_author ON answers (kind, author);
   CREATE INDEX answers_by_pull ON answers (kind, repo, pr);`,
];

/** Opens the bridge's database. */
export function openBridgeStore(path: string): Store {
  return openStore(path, MIGRATIONS);
}

/**
 * How far the forge was read, in milliseconds by the forge's clock. Comments made before `baselineAt` are older than
 * this bridge; of what was said up to `readTo` nothing is missing, save for what a forge brings late.
 */
export interface LookMark {
  baselineAt: number;
  readTo: number;
}

/** How far the forge was read; undefined when it never was. */
export function readMark(store: Store): LookMark | undefined {
  return store.prepare<[], LookMark>('SELECT baseline_at AS baselineAt, read_to AS readTo FROM look').get();
}

/** Keeps how far the forge was read; the baseline is set once and for all. */
export function saveMark(store: Store, mark: LookMark): void {
  store
    .prepare<[LookMark]>(
      `INSERT INTO look (one, baseline_at, read_to) VALUES (1, @baselineAt, @readTo)
       ON CONFLICT (one) DO UPDATE SET read_to = excluded.read_to`,
    )
    .run(mark);
}

/** A repository in which the bot may not set commit statuses, and since when we know (milliseconds). */
export interface StatusRefusal {
  repo: string;
  refusedAt: number;
}

/** All repositories in which the bot may not set commit statuses, as far as we know. */
export function listStatusRefusals(store: Store): StatusRefusal[] {
  return store
    .prepare<[], StatusRefusal>('SELECT repo, refused_at AS refusedAt FROM status_refusals ORDER BY repo')
    .all();
}

/** Remembers that the bot may not set statuses in a repository. */
export function rememberStatusRefusal(store: Store, refusal: StatusRefusal): void {
  store
    .prepare<[StatusRefusal]>(
      `INSERT INTO status_refusals (repo, refused_at) VALUES (@repo, @refusedAt)
       ON CONFLICT (repo) DO UPDATE SET refused_at = excluded.refused_at`,
    )
    .run(refusal);
}

/** Forgets that: the bot may now. */
export function forgetStatusRefusal(store: Store, repo: string): void {
  store.prepare('DELETE FROM status_refusals WHERE repo = ?').run(repo);
}

/**
 * Writes a row that nobody reads.
 * @throws SqliteError when the database cannot be written (read-only, disk full)
 */
export function probeStore(store: Store): void {
  store
    .prepare('INSERT INTO probe (one, at) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET at = excluded.at')
    .run(new Date().toISOString());
}
