import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '@cc-ci/core';
import { FORM } from './packed.js';
import type { RecordEntry } from './records.js';
import { claimSite } from './site-files.js';

/** What a generator remembers across processes, so that the next one begins where this one ended. */
export interface IndexStore {
  /** All of it, but for the facts. */
  load(): { entries: RecordEntry[]; pages: Map<string, string> };
  /** The packed facts of a run that were saved last; undefined: another version of the generator has been there since. */
  facts(folder: string): string | undefined;
  /** Writes what changed, all or nothing. `undefined` forgets. */
  save(entries: Map<string, RecordEntry | undefined>, pages: Map<string, string | undefined>): void;
  close(): void;
}

const MIGRATIONS = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE entries (folder TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
   CREATE TABLE pages (site TEXT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (site, path)) STRICT, WITHOUT ROWID;`,
];
/** No migration: an older cc-ci, come back to, refuses a database of a newer form, and nothing in this one is worth that. */
const FACTS =
  'CREATE TABLE IF NOT EXISTS facts (folder TEXT PRIMARY KEY, facts TEXT NOT NULL, version TEXT NOT NULL) STRICT';

/**
 * Opens `site.sqlite` in the state folder. Nothing in it is precious: what was written by another version of the
 * generator, or before the machine was started last (a page may have been lost with its power), is thrown away.
 * @throws InputError when the site's folder holds something else
 */
export function openIndexStore(stateDir: string, siteDir: string): IndexStore {
  claimSite(siteDir);
  const store = openStore(join(stateDir, 'site.sqlite'), MIGRATIONS);
  // Made again at need: a crash of the machine may cost the last transactions.
  store.pragma('synchronous = OFF');
  store.exec(FACTS);
  const site = realpathSync(siteDir);
  const version = `${generatorVersion()} ${bootId()}`;
  const setEntry = store.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)');
  const dropEntry = store.prepare('DELETE FROM entries WHERE folder = ?');
  const setFacts = store.prepare('INSERT OR REPLACE INTO facts VALUES (?, ?, ?)');
  const getFacts = store.prepare<[string, string], { facts: string }>(
    'SELECT facts FROM facts WHERE folder = ? AND version = ?',
  );
  const dropFacts = store.prepare('DELETE FROM facts WHERE folder = ?');
  const setPage = store.prepare('INSERT OR REPLACE INTO pages VALUES (?, ?, ?)');
  const dropPage = store.prepare('DELETE FROM pages WHERE site = ? AND path = ?');
  return {
    load() {
      const known = store
        .prepare<[], { value: string }>(`SELECT value FROM meta WHERE name = 'version'`)
        .get();
      if (known?.value !== version) {
        store.transaction(() => {
          store.exec('DELETE FROM entries; DELETE FROM facts; DELETE FROM pages');
          store.prepare(`INSERT OR REPLACE INTO meta VALUES ('version', ?)`).run(version);
        })();
      }
      const rows = store.prepare<[], { entry: string }>('SELECT entry FROM entries').iterate();
      const pages = store
        .prepare<[string], { path: string; key: string }>('SELECT path, key FROM pages WHERE site = ?')
        .iterate(site);
      return {
        entries: Array.from(rows, ({ entry }) => entryFrom(entry)),
        pages: new Map(Array.from(pages, ({ path, key }) => [path, key])),
      };
    },
    facts: (folder) => getFacts.get(folder, version)?.facts,
    save: store.transaction((entries, pages) => {
      for (const [folder, entry] of entries) {
        const { facts, ...rest } = entry ?? {};
        if (entry) setEntry.run(folder, JSON.stringify(rest));
        else dropEntry.run(folder);
        if (facts !== undefined) setFacts.run(folder, facts, version);
        else dropFacts.run(folder);
      }
      for (const [path, key] of pages) {
        if (key === undefined) dropPage.run(site, path);
        else setPage.run(site, path, key);
      }
    }),
    close: () => store.close(),
  };
}

/** JSON has no `undefined`; who reads an entry may rely on its members. */
function entryFrom(text: string): RecordEntry {
  const { error, asked, ...rest } = JSON.parse(text) as Omit<RecordEntry, 'facts'>;
  return { ...rest, facts: undefined, error, asked };
}

/** Changes with everything a page is made of besides its run: our code, templates and assets; and the form of facts. */
function generatorVersion(): string {
  const hash = createHash('sha256').update(FORM);
  for (const folder of ['.', '../templates', '../assets']) {
    const dir = fileURLToPath(new URL(folder, import.meta.url));
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)))
      if (entry.isFile() && /\.(?:js|eta|css|svg|txt)$/.test(entry.name))
        hash.update(entry.name).update(readFileSync(join(dir, entry.name)));
  }
  return hash.digest('hex').slice(0, 16);
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
