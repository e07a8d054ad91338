import { describeError, InputError, waitForLock } from '@cc-ci/core';
import { inOrder } from './order.js';
import type { Change, Look, Obstacle, Part } from './part.js';

/**
 * How a part ended:
 * - converged: it was right
 * - changed: it was not, and is now; with `dryRun`: it would be changed
 * - unknown: with `dryRun` only: what it needs must be changed first
 * - blocked: something is missing that only a person can give
 * - failed: it could not be looked at or put right
 */
export type PartState = 'converged' | 'changed' | 'unknown' | 'blocked' | 'failed';

/** What became of one part. */
export interface PartReport {
  part: string;
  state: PartState;
  /** What was seen. */
  notes: string[];
  /** What was wrong, and what was done about it, or would be. */
  changes: { found: string; plan: string }[];
  obstacles: Obstacle[];
  /** Why it failed. */
  error?: string;
}

/** What became of all. */
export interface Report {
  dryRun: boolean;
  /** The worst of the parts' states: failed, blocked, changed, converged. */
  state: Exclude<PartState, 'unknown'>;
  parts: PartReport[];
}

/** Exit code of each state, for systemd and scripts: `SuccessExitStatus=3`. 1 is Node's own. */
export const EXIT_CODES: Readonly<Record<Report['state'], number>> = {
  converged: 0,
  changed: 3,
  blocked: 4,
  failed: 2,
};

export interface ReconcileOptions {
  /** Only look. */
  dryRun?: boolean;
  /** Called before each change is made. */
  onChange?: (part: string, change: { found: string; plan: string }) => void;
}

/**
 * Brings the named parts, and what they need, to what they should be: look, act on what differs only, look again.
 * A part whose needs are not right is not touched; the others go on.
 * @throws InputError for a part that does not exist
 */
export async function reconcile(
  parts: readonly Part[],
  names: readonly string[],
  options: ReconcileOptions = {},
): Promise<Report> {
  const reports: PartReport[] = [];
  for (const part of inOrder(parts, names)) {
    const needs = reports.filter((report) => part.needs.includes(report.part));
    reports.push(await reconcilePart(part, needs, options));
  }
  return { dryRun: options.dryRun ?? false, state: worst(reports), parts: reports };
}

/** How long another run may take until this one gives up, in milliseconds: less than the units' TimeoutStartSec. */
const LOCK_TIMEOUT_MS = 600_000;

/**
 * The same, one at a time on this host: waits for another that is at work. The lock is the kernel's and ends with the
 * process. Only looking needs no lock.
 * @throws InputError when the other is not done after ten minutes
 */
export async function reconcileAlone(
  lockFile: string,
  parts: readonly Part[],
  names: readonly string[],
  options: ReconcileOptions = {},
  lockTimeoutMs = LOCK_TIMEOUT_MS,
): Promise<Report> {
  inOrder(parts, names); // a name that is wrong is told at once
  if (options.dryRun) return reconcile(parts, names, options);
  const lock = await waitForLock(lockFile, lockTimeoutMs);
  if (!lock) {
    throw new InputError(`another cc-ci reconcile has held ${lockFile} for ${lockTimeoutMs / 1000} s`, {
      hint: `see what it waits for: fuser ${lockFile}`,
    });
  }
  try {
    return await reconcile(parts, names, options);
  } finally {
    lock.release();
  }
}

async function reconcilePart(
  part: Part,
  needs: readonly PartReport[],
  { dryRun, onChange }: ReconcileOptions,
): Promise<PartReport> {
  const report = (state: PartState, rest: Partial<PartReport> = {}): PartReport => {
    return { part: part.name, state, notes: [], changes: [], obstacles: [], ...rest };
  };
  const bad = needs.filter(({ state }) => state === 'blocked' || state === 'failed').map((need) => need.part);
  if (bad.length > 0) return report('blocked', { obstacles: bad.map(waitsFor) });
  const pending = dryRun ? needs.filter(({ state }) => state !== 'converged').map((need) => need.part) : [];
  if (pending.length > 0) return report('unknown', { notes: [`is looked at after ${pending.join(', ')}`] });

  const done: PartReport['changes'] = [];
  try {
    const before = await part.look();
    if (before.obstacles.length > 0) return report('blocked', { ...asFound(before), changes: [] });
    if (before.changes.length === 0) return report('converged', asFound(before));
    if (dryRun) return report('changed', asFound(before));
    const trouble = await applyAll(before.changes, (change) => {
      onChange?.(part.name, change);
      done.push(change);
    });
    const { notes, obstacles, changes } = await part.look();
    const left = changes.map(({ found }) => found).join('; ');
    if (obstacles.length > 0) return report('blocked', { notes, obstacles, changes: done });
    if (left)
      return report('failed', {
        notes,
        changes: done,
        error: trouble ?? `it was changed, and still ${left}`,
      });
    return report('changed', {
      notes: trouble ? [...notes, `right all the same: ${trouble}`] : notes,
      changes: done,
    });
  } catch (error) {
    return report('failed', { changes: done, error: describeError(error) });
  }
}

/**
 * Makes changes up to the first that fails; somebody else may have made that one.
 * @returns why it failed
 */
async function applyAll(
  changes: readonly Change[],
  onChange: (change: { found: string; plan: string }) => void,
): Promise<string | undefined> {
  for (const { found, plan, apply } of changes) {
    onChange({ found, plan });
    try {
      await apply();
    } catch (error) {
      return describeError(error);
    }
  }
  return undefined;
}

function asFound({ notes, obstacles, changes }: Look): Partial<PartReport> {
  return { notes, obstacles, changes: changes.map(({ found, plan }) => ({ found, plan })) };
}

function waitsFor(part: string): Obstacle {
  return {
    missing: `${part} is not right`,
    whose: 'cc-ci',
    todo: `see what is said of ${part}, then run this again`,
  };
}

function worst(reports: readonly PartReport[]): Report['state'] {
  const states = new Set(reports.map(({ state }) => state));
  return (['failed', 'blocked', 'changed'] as const).find((state) => states.has(state)) ?? 'converged';
}
