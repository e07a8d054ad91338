import { setTimeout as delay } from 'node:timers/promises';
import { connectDocker, type Diagnosis, type Docker, diagnose, disconnectDocker } from '@cc-ci/core';
import { ALL } from '../order.js';
import type { Part } from '../part.js';
import { type PartReport, reconcile } from '../reconcile.js';

/** Looking at all parts takes seconds; one that hangs must not hold up the rest of what is told. */
const TIMEOUT_MS = 60_000;

/** It has a look of its own. */
const TOLD_APART = 'certificate';

/** Each part of the host as `cc-ci reconcile all --dry-run` finds it. */
export async function examineParts(
  hostParts: (docker: Docker) => Part[],
  { isRoot = process.getuid?.() === 0, timeoutMs = TIMEOUT_MS } = {},
): Promise<Diagnosis[]> {
  if (!isRoot) {
    const said = 'only root can look at the parts of the host; what became of their units is told below';
    return [diagnose.unknown('parts', said, 'ask as root: sudo -i cc-ci doctor')];
  }
  const docker = connectDocker();
  const late = new AbortController();
  try {
    const report = await Promise.race([
      reconcile(hostParts(docker), [ALL], { dryRun: true }),
      delay(timeoutMs, undefined, { signal: late.signal, ref: false }),
    ]);
    if (report) return report.parts.filter(({ part }) => part !== TOLD_APART).map(partDiagnosis);
    const said = `looking at the parts of the host took longer than ${timeoutMs / 1000} s`;
    return [diagnose.unknown('parts', said, 'cc-ci reconcile all --dry-run shows at which')];
  } finally {
    late.abort();
    await disconnectDocker(docker);
  }
}

/** What a look at a part means to whoever asks after the host. */
export function partDiagnosis({ part, state, notes, changes, obstacles, error }: PartReport): Diagnosis {
  const name = `part ${part}`;
  if (state === 'converged') return diagnose.ok(name, notes.join('; ') || 'as it should be');
  if (state === 'changed') {
    const todo = `cc-ci reconcile ${part}, or wait: its unit does it at the next round`;
    return diagnose.warn(name, changes.map(({ found }) => found).join('; '), todo);
  }
  if (state === 'unknown') return diagnose.unknown(name, notes.join('; '));
  if (state === 'failed')
    return diagnose.fail(name, error ?? 'it failed', `cc-ci reconcile ${part} tells more`);
  const todo = obstacles
    .map(
      ({ whose, todo }) => `${whose === 'operator' ? "the operator's job" : 'nothing to do here'}: ${todo}`,
    )
    .join('; ');
  return diagnose.fail(name, obstacles.map(({ missing }) => missing).join('; '), todo);
}
