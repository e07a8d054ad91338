import { InputError, judge, type Level, type Outcome, type RunRecord, type StageRecord } from '@cc-ci/core';
import type { Build, BuildState } from '@cc-ci/engine';

/** How far a run is, as far as people want to know. */
export type Progress =
  | { phase: 'queued'; position: number | undefined }
  | { phase: 'running'; since: string | undefined; stages: readonly StageRecord[] }
  | { phase: 'ended'; outcome: Outcome; stages: readonly StageRecord[]; level?: Level };

/** Reads a run's record; undefined when there is none. */
export type ReadRecord = (run: string) => Promise<RunRecord | undefined>;

/**
 * How far a run is, from the engine's build and the run's record.
 * @param build undefined when the engine has no such build although it was given one
 * @throws what `readRecord` throws, save for a damaged record: that is part of the answer
 */
export async function readProgress(
  run: string,
  build: Build | undefined,
  readRecord: ReadRecord,
): Promise<Progress> {
  if (build?.state === 'queued') return { phase: 'queued', position: build.position };
  const { record, damage } = await tryRead(run, readRecord);
  const stages = record?.stages ?? [];
  if (build?.state === 'running') return { phase: 'running', since: build.startedAt, stages };
  const outcome = outcomeOf(build, record, damage);
  const level = outcome === record?.summary?.outcome ? record.summary.level : undefined;
  return { phase: 'ended', stages, outcome, ...(level ? { level } : {}) };
}

async function tryRead(
  run: string,
  readRecord: ReadRecord,
): Promise<{ record?: RunRecord | undefined; damage?: string }> {
  try {
    return { record: await readRecord(run) };
  } catch (error) {
    if (error instanceof InputError) return { damage: error.message };
    throw error;
  }
}

/** What an ended build came to. The run's record has the say, unless the engine's word makes it impossible. */
function outcomeOf(
  build: Build | undefined,
  record: RunRecord | undefined,
  damage: string | undefined,
): Outcome {
  const said = engineSays(build);
  if (damage !== undefined) return broken('the run ended, but its record cannot be read', [damage, said]);
  if (record?.summary) {
    const { outcome } = record.summary;
    if (outcome.verdict === 'green' && (build?.state === 'failure' || build?.state === 'error')) {
      return broken('the record says green, but the engine saw the run fail', [said]);
    }
    return outcome;
  }
  if (build?.state === 'cancelled') {
    return { verdict: 'cancelled', blame: 'cancelled', sentence: reasonOf(build), evidence: [] };
  }
  if (record) {
    const outcome = judge(record.stages);
    if (outcome.verdict === 'green') return broken('the run ended without closing its record', [said]);
    return { ...outcome, evidence: [...outcome.evidence, said] };
  }
  if (build?.state === 'lost') return broken(reasonOf(build), []);
  if (build && build.state !== 'success') return broken('the run ended before it wrote a record', [said]);
  return broken(
    build ? 'the run ended without a record, so nothing is known of it' : 'the engine does not know this run',
    [said],
  );
}

const ENDED_AS: Record<BuildState, string> = {
  queued: 'is queued',
  running: 'runs',
  success: 'succeeded',
  failure: 'failed',
  error: 'ended with an error',
  cancelled: 'was cancelled',
  lost: 'was lost',
};

function engineSays(build: Build | undefined): string {
  if (!build) return 'the engine has no build of this run; its database may have been replaced';
  return `the engine says: the build ${ENDED_AS[build.state]}${build.reason ? `: ${build.reason}` : ''}`;
}

function reasonOf(build: Build): string {
  return build.reason ?? `the build ${ENDED_AS[build.state]}`;
}

function broken(sentence: string, evidence: readonly string[]): Outcome {
  return { verdict: 'error', blame: 'ci', sentence, evidence: [...evidence] };
}
