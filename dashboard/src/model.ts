import {
  type Blame,
  isSettled,
  judge,
  type Outcome,
  type Plan,
  type RunRecord,
  type StageRecord,
  type TestRequest,
  type Verdict,
} from '@cc-ci/core';
import { type Build, isFinal } from '@cc-ci/engine';
import type { RecordEntry } from './records.js';

/** Where a run stands. `lost`: its engine was restarted under it; `broken`: its record cannot be read. */
export type RunStatus = 'queued' | 'running' | Verdict | 'lost' | 'broken';

/** One run as the pages show it, merged from its record and from what the engine knows; either may be missing. */
export interface Run {
  id: string;
  status: RunStatus;
  /** What happened, or happens, in one sentence. */
  sentence: string;
  /** Whose fault it is; only of a run that ended not green. */
  blame: Blame | undefined;
  evidence: readonly string[];
  /** undefined only of a broken record that no engine knows. */
  request: TestRequest | undefined;
  plan: Plan | undefined;
  /** Empty when there is no record, or no readable one. */
  stages: readonly StageRecord[];
  record: RunRecord | undefined;
  build: Build | undefined;
  /** ISO times. `time`: when it was asked for; runs are sorted by it. */
  time: string;
  startedAt: string | undefined;
  finishedAt: string | undefined;
  /** Folder of the record, if there is one. */
  dir: string | undefined;
  /** Equal as long as nothing about the run has changed. */
  key: string;
}

/**
 * A run that no engine knows (`cc-ci run` by hand) and that has not ended counts as running while its files change;
 * one that was silent for longer, in milliseconds, was killed.
 */
const SILENT_MS = 15 * 60_000;

/** Whether a run is still to come to its end. */
export function isActive(run: Run): boolean {
  return run.status === 'queued' || run.status === 'running';
}

/**
 * Merges what the engine knows with the records, the newest first. List the builds before reading the records: a run
 * that ends in between then shows its end, and never a gap.
 * @param now milliseconds since 1970
 */
export function mergeRuns(builds: readonly Build[], entries: readonly RecordEntry[], now: number): Run[] {
  const buildOf = new Map(builds.map((build) => [build.id, build]));
  const recorded = new Set(entries.map((entry) => entry.folder));
  const runs = entries.map((entry) => fromEntry(entry, buildOf.get(entry.folder), now));
  for (const build of builds) if (!recorded.has(build.id)) runs.push(fromBuild(build));
  return runs.sort((a, b) => b.time.localeCompare(a.time) || b.id.localeCompare(a.id));
}

type Standing = Pick<Run, 'status' | 'sentence' | 'blame' | 'evidence'>;

function fromEntry(entry: RecordEntry, build: Build | undefined, now: number): Run {
  const { record, plan } = entry;
  const standing = record ? standingOf(record, build, entry, now) : brokenStanding(entry, build);
  const summary = record?.summary;
  const over = standing.status !== 'queued' && standing.status !== 'running';
  return {
    ...standing,
    id: entry.folder,
    request: plan?.request ?? build?.request,
    plan,
    stages: record?.stages ?? [],
    record,
    build,
    time: build?.createdAt ?? plan?.createdAt ?? isoTime(entry.lastChange),
    startedAt: summary?.startedAt ?? plan?.createdAt ?? build?.startedAt,
    finishedAt: over
      ? (summary?.finishedAt ?? build?.finishedAt ?? (record && isoTime(entry.lastChange)))
      : undefined,
    dir: entry.dir,
    key: keyOf(standing, build, entry.key),
  };
}

function fromBuild(build: Build): Run {
  const standing = isFinal(build.state) ? endWithoutRecord(build) : activeStanding(build, []);
  return {
    ...standing,
    id: build.id,
    request: build.request,
    plan: undefined,
    stages: [],
    record: undefined,
    build,
    time: build.createdAt,
    startedAt: build.startedAt,
    finishedAt: build.finishedAt,
    dir: undefined,
    key: keyOf(standing, build, ''),
  };
}

function standingOf(record: RunRecord, build: Build | undefined, entry: RecordEntry, now: number): Standing {
  if (record.summary) return ended(record.summary.outcome);
  const alive = build ? !isFinal(build.state) : now - entry.lastChange < SILENT_MS;
  if (alive) return activeStanding(undefined, record.stages);
  return endWithoutSummary(record, build);
}

/** A damaged record of a live build is most likely one that is just being written: the engine knows better. */
function brokenStanding(entry: RecordEntry, build: Build | undefined): Standing {
  if (build && !isFinal(build.state)) return activeStanding(build, []);
  return {
    status: 'broken',
    sentence: `the record of this run cannot be read: ${entry.error}`,
    blame: 'ci',
    evidence: [],
  };
}

function activeStanding(build: Build | undefined, stages: readonly StageRecord[]): Standing {
  const active = (status: RunStatus, sentence: string): Standing => ({
    status,
    sentence,
    blame: undefined,
    evidence: [],
  });
  if (build?.state === 'queued')
    return active('queued', `waiting in the queue at place ${build.position ?? 1}`);
  const current = stages.find((stage) => stage.state === 'running');
  const step = current?.phases.findLast((phase) => !phase.finishedAt)?.name;
  if (current)
    return active(
      'running',
      `${current.stage} is running${step && step !== current.stage ? ` (${step})` : ''}`,
    );
  const next = stages.find((stage) => !isSettled(stage.state));
  if (next) return active('running', `${next.stage} is next`);
  return active('running', stages.length > 0 ? 'all stages have ended' : 'started, nothing recorded yet');
}

/** The end of a run whose `run.json` was never written: from its stages, and from how the engine saw it end. */
function endWithoutSummary(record: RunRecord, build: Build | undefined): Standing {
  const outcome = judge(record.stages);
  if (!build) return ended(outcome);
  if (build.state === 'cancelled' || build.state === 'lost') return endWithoutRecord(build);
  const failed = record.stages.some((stage) => stage.failure || stage.state === 'failed');
  if (failed || build.state === 'success') return ended(outcome);
  if (build.reason) return ended({ ...OURS, sentence: build.reason });
  if (outcome.verdict !== 'green') return ended(outcome);
  return ended({ ...OURS, sentence: `the engine says ${build.state}, although no stage failed` });
}

/** An exit code alone proves nothing, so a build that left no record is never green. */
function endWithoutRecord(build: Build): Standing {
  if (build.state === 'cancelled') {
    const sentence = build.reason ?? 'the run was cancelled';
    return { status: 'cancelled', sentence, blame: 'cancelled', evidence: [] };
  }
  if (build.state === 'lost') {
    const sentence = build.reason ?? 'the engine lost this run; comment !testme to run it again';
    return { status: 'lost', sentence, blame: 'ci', evidence: [] };
  }
  const sentence =
    build.reason ?? `the engine says ${build.state}, but there is no record of what was tested`;
  return ended({ ...OURS, sentence });
}

const OURS = { verdict: 'error', blame: 'ci', evidence: [] as string[] } as const;

function ended(outcome: Outcome): Standing {
  const { verdict, blame, sentence, evidence } = outcome;
  return { status: verdict, sentence, blame, evidence };
}

function keyOf(standing: Standing, build: Build | undefined, record: string): string {
  return JSON.stringify([standing.status, standing.sentence, build ?? null, record]);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
