import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '@cc-ci/core/process-identity';

// What engine and supervisor tell each other about a build. No more is imported than a supervisor, one a build, can
// afford to load.

/** What a supervisor is to do; it is given this as JSON, its one argument. */
export interface Job {
  file: string;
  args: readonly string[];
  cwd: string;
  /** Milliseconds until the runner is asked to end. */
  timeoutMs: number;
  /** Milliseconds between that and its being killed. */
  graceMs: number;
  /** Whether stdin is a pipe from the engine whose end means that the build must end, too. */
  withParent: boolean;
  /** Path of the claim and of the end. */
  claim: string;
  end: string;
}

/** Who has taken a build, so that nobody else does. Without a supervisor it was the engine, and nothing was started. */
export interface Claim {
  supervisor?: ProcessIdentity;
  /** Leads a process group of its own. */
  runner?: ProcessIdentity;
}

/** How a runner ended. */
export interface JobEnd {
  /**
   * `ended`: by itself, or killed by somebody else; `stopped`: its supervisor was told to end it; `timeout`: it ran
   * too long; `parent-gone`: the engine was gone; `not-started`: it could not be run. Of the latter and of a timeout
   * `message` says more.
   */
  why: 'ended' | 'stopped' | 'timeout' | 'parent-gone' | 'not-started';
  exitCode: number | null;
  signal: string | null;
  message?: string;
  /** ISO time. */
  at: string;
}

/** Where a build's files are: the log, who has taken it, how it ended. */
export function buildFiles(stateDir: string, id: string): { log: string; claim: string; end: string } {
  const base = join(buildsFolder(stateDir), id);
  return { log: `${base}.log`, claim: `${base}.claim.json`, end: `${base}.end.json` };
}

export const buildsFolder = (stateDir: string) => join(stateDir, 'builds');

/**
 * Takes a build, whole and on disk or not at all; of several that try at once one succeeds.
 * @returns whether it was ours to take
 */
export function takeClaim(path: string, claim: Claim): boolean {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = openSync(temporary, 'wx');
    try {
      writeFileSync(file, JSON.stringify(claim));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}
