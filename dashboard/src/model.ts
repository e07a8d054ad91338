import { hash } from 'node:crypto';
import type { Blame, TestRequest, Verdict } from '@cc-ci/core';
import { type Build, isFinal } from '@cc-ci/engine';
import type { RunFacts } from './facts.js';
import type { RecordEntry } from './records.js';

/** Where a run stands. `lost`: its engine was restarted under it; `broken`: its record cannot be read. */
export type RunStatus = 'queued' | 'running' | Verdict | 'lost' | 'broken';

/** One run as lists show it, merged from its record and from what the engine knows; either may be missing. */
export interface Run {
  id: string;
  status: RunStatus;
  /** What happened, or happens, in one sentence. */
  sentence: string;
  /** Whose fault it is; only of a run that ended not green. */
  blame: Blame | undefined;
  /** undefined only of a broken record that no engine knows. */
  request: TestRequest | undefined;
  /** What its record says; undefined when there is none, or no readable one. */
  facts: RunFacts | undefined;
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
  const runs = entries.map((entry) => mergeRun(entry, buildOf.get(entry.folder), now));
  for (const build of builds) if (!recorded.has(build.id)) runs.push(runOfBuild(build));
  return runs.sort(newestFirst);
}

/** The order of lists. */
export function newestFirst(a: Pick<Run, 'time' | 'id'>, b: Pick<Run, 'time' | 'id'>): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

type Standing = Pick<Run, 'status' | 'sentence' | 'blame'>;

/** A run that has a folder. @param now milliseconds since 1970 */
export function mergeRun(entry: RecordEntry, build: Build | undefined, now: number): Run {
  const { facts, asked } = entry;
  const createdAt = facts?.createdAt ?? asked?.createdAt;
  const standing = facts ? standingOf(facts, build, entry, now) : brokenStanding(entry, build);
  const over = standing.status !== 'queued' && standing.status !== 'running';
  return {
    ...standing,
    id: entry.folder,
    request: facts?.request ?? asked?.request ?? build?.request,
    facts,
    build,
    time: build?.createdAt ?? createdAt ?? isoTime(entry.lastChange),
    startedAt: facts?.ended?.startedAt ?? createdAt ?? build?.startedAt,
    finishedAt: over
      ? (facts?.ended?.finishedAt ?? build?.finishedAt ?? (facts && isoTime(entry.lastChange)))
      : undefined,
    dir: entry.dir,
    key: keyOf(standing, build, entry.key),
  };
}

/** A run that only the engine knows. */
export function runOfBuild(build: Build): Run {
  const standing = isFinal(build.state) ? endWithoutRecord(build) : activeStanding(build, undefined);
  return {
    ...standing,
    id: build.id,
    request: build.request,
    facts: undefined,
    build,
    time: build.createdAt,
    startedAt: build.startedAt,
    finishedAt: build.finishedAt,
    dir: undefined,
    key: keyOf(standing, build, ''),
  };
}

function standingOf(facts: RunFacts, build: Build | undefined, entry: RecordEntry, now: number): Standing {
  if (facts.ended) return ended(facts.outcome);
  const alive = build ? !isFinal(build.state) : now - entry.lastChange < SILENT_MS;
  if (alive) return activeStanding(undefined, facts);
  return endWithoutSummary(facts, build);
}

/** A damaged record of a live build is most likely one that is just being written: the engine knows better. */
function brokenStanding(entry: RecordEntry, build: Build | undefined): Standing {
  if (build && !isFinal(build.state)) return activeStanding(build, undefined);
  return {
    status: 'broken',
    sentence: `the record of this run cannot be read: ${entry.error}`,
    blame: 'ci',
  };
}

function activeStanding(build: Build | undefined, facts: RunFacts | undefined): Standing {
  if (build?.state === 'queued') {
    return {
      status: 'queued',
      sentence: `waiting in the queue at place ${build.position ?? 1}`,
      blame: undefined,
    };
  }
  return {
    status: 'running',
    sentence: facts?.activity ?? 'started, nothing recorded yet',
    blame: undefined,
  };
}

/** The end of a run whose `run.json` was never written: from its stages, and from how the engine saw it end. */
function endWithoutSummary({ outcome, failed }: RunFacts, build: Build | undefined): Standing {
  if (!build) return ended(outcome);
  if (build.state === 'cancelled' || build.state === 'lost') return endWithoutRecord(build);
  if (failed || build.state === 'success') return ended(outcome);
  if (build.reason) return ended({ ...OURS, sentence: build.reason });
  if (outcome.verdict !== 'green') return ended(outcome);
  return ended({ ...OURS, sentence: `the engine says ${build.state}, although no stage failed` });
}

/** An exit code alone proves nothing, so a build that left no record is never green. */
function endWithoutRecord(build: Build): Standing {
  if (build.state === 'cancelled') {
    const sentence = build.reason ?? 'the run was cancelled';
    return { status: 'cancelled', sentence, blame: 'cancelled' };
  }
  if (build.state === 'lost') {
    const sentence = build.reason ?? 'the engine lost this run; comment !testme to run it again';
    return { status: 'lost', sentence, blame: 'ci' };
  }
  const sentence =
    build.reason ?? `the engine says ${build.state}, but there is no record of what was tested`;
  return ended({ ...OURS, sentence });
}

const OURS = { verdict: 'error', blame: 'ci' } as const;

function ended({ verdict, blame, sentence }: RunFacts['outcome']): Standing {
  return { status: verdict, sentence, blame };
}

/** Short, for there are tens of thousands of them. */
function keyOf(standing: Standing, build: Build | undefined, record: string): string {
  return hash(
    'sha1',
    JSON.stringify([standing.status, standing.sentence, build ?? null, record]),
    'base64url',
  );
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
