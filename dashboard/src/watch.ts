import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runsFolder } from '@cc-ci/core';

/** Tells when a run appears or goes, and when anything about the runs it was pointed at changes. */
export interface RunsWatcher {
  /**
   * Watches the insides of exactly these run folders from now on.
   * @returns whether one of them is new: what happened in it before now went unseen
   */
  follow(runDirs: readonly string[]): boolean;
  close(): void;
}

/**
 * Watches the folder of all runs, and of those that go on also their files and logs.
 *
 * Not one recursive watch: Node's, on Linux, takes an inotify watch for every file below (each run brings a whole git
 * checkout) and, measured, says nothing of a file that is replaced a second time, which is how records are written.
 */
export async function watchRuns(stateDir: string, onChange: () => void): Promise<RunsWatcher> {
  const runs = runsFolder(stateDir);
  await mkdir(runs, { recursive: true });
  const top = watch(runs, onChange);
  top.on('error', () => top.close());
  const followed = new Map<string, FSWatcher>();

  function forget(path: string): void {
    followed.get(path)?.close();
    followed.delete(path);
  }

  function add(path: string): boolean {
    if (followed.has(path)) return false;
    try {
      const watcher = watch(path, onChange);
      watcher.on('error', () => forget(path));
      followed.set(path, watcher);
      return true;
    } catch {
      return false; // not there yet, or gone already; its parent tells when that changes
    }
  }

  return {
    follow(runDirs) {
      const wanted = new Set(runDirs.flatMap((dir) => [dir, join(dir, 'logs')]));
      for (const path of [...followed.keys()]) if (!wanted.has(path)) forget(path);
      return [...wanted].map(add).includes(true);
    },
    close() {
      top.close();
      for (const path of [...followed.keys()]) forget(path);
    },
  };
}
