import type { Blame, TestRequest, Verdict } from '@cc-ci/core/reading';
import { type Build, isFinal } from '@cc-ci/engine/engine';
import type { RunFacts } from './facts.js';
import { shortHash } from './packed.js';
import { factsIn, type LoadFacts, type RecordEntry } from './records.js';

/** Where a run stands. `lost`: its engine was restarted under it; `broken`: its record cannot be read. */
export type RunStatus = 'queued' | 'running' | Verdict | 'lost' | 'broken';

/** What an engine knows of a run besides who asked for what. */
export type BuildFacts = Omit<Build, 'id' | 'request'>;

/** One run as lists show it, merged from its record and from what the engine knows; either may be missing. */
export interface Run {
  id: string;
  status: RunStatus;
  /** What happened, or happens, in one sentence. */
  sentence: string;
  /** Whose fault it is; only of a run that ended not green. */
  blame: Blame | undefined;
  /** This and `request` are undefined only of a broken record that no engine knows. */
  recipe: string | undefined;
  request: TestRequest | undefined;
  /** What its record says; undefined when there is none, or no readable one. */
  facts: RunFacts | undefined;
  build: BuildFacts | undefined;
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

/** The order of lists. */
export function newestFirst(a: Pick<Run, 'time' | 'id'>, b: Pick<Run, 'time' | 'id'>): number {
  if (a.time !== b.time) return a.time < b.time ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

type Standing = Pick<Run, 'status' | 'sentence' | 'blame'>;

/** What is kept of a run besides its record and its build, each of which is one text. */
class MergedRun implements Run {
  readonly status: RunStatus;
  readonly sentence: string;
  readonly blame: Blame | undefined;
  readonly recipe: string | undefined;
  readonly time: string;
  readonly key: string;

  constructor(
    readonly id: string,
    { status, sentence, blame }: Standing,
    time: string | undefined,
    private readonly entry: RecordEntry | undefined,
    private readonly packedBuild: string | undefined,
    /** Of its build; not needed where there is a record. */
    private readonly asked: TestRequest | undefined,
    private readonly load: LoadFacts,
  ) {
    this.status = status;
    this.sentence = shared(sentence);
    this.blame = blame && shared(blame);
    const recipe = this.request?.recipe;
    this.recipe = recipe && shared(recipe);
    this.time = time ?? isoTime(entry?.lastChange ?? 0);
    this.key = keyOf(this, packedBuild, entry?.key ?? '');
  }

  get facts(): RunFacts | undefined {
    return this.entry && factsIn(this.entry, this.load);
  }

  get build(): BuildFacts | undefined {
    return this.packedBuild === undefined ? undefined : unpackBuild(this.packedBuild);
  }

  get request(): TestRequest | undefined {
    return this.facts?.request ?? this.entry?.asked?.request ?? this.asked;
  }

  get startedAt(): string | undefined {
    const { facts, entry } = this;
    return facts?.ended?.startedAt ?? facts?.createdAt ?? entry?.asked?.createdAt ?? this.build?.startedAt;
  }

  get finishedAt(): string | undefined {
    if (isActive(this)) return undefined;
    const { facts, entry } = this;
    return (
      facts?.ended?.finishedAt ?? this.build?.finishedAt ?? (facts && entry && isoTime(entry.lastChange))
    );
  }

  get dir(): string | undefined {
    return this.entry?.dir;
  }
}

type PackedBuild = [
  state: Build['state'],
  createdAt: string,
  startedAt: string | null,
  finishedAt: string | null,
  position: number | null,
  reason: string | null,
];

/** A build as one text, without its request; as long as nothing about it has changed, the text is the same. */
export function packBuild({ state, createdAt, startedAt, finishedAt, position, reason }: Build): string {
  const times = [createdAt, startedAt ?? null, finishedAt ?? null] as const;
  const packed: PackedBuild = [state, ...times, position ?? null, reason ?? null];
  return JSON.stringify(packed);
}

function unpackBuild(text: string): BuildFacts {
  const [state, createdAt, startedAt, finishedAt, position, reason] = JSON.parse(text) as PackedBuild;
  return {
    state,
    createdAt,
    startedAt: startedAt ?? undefined,
    finishedAt: finishedAt ?? undefined,
    position: position ?? undefined,
    reason: reason ?? undefined,
  };
}

/** What an engine knows of a run. */
export interface KnownBuild {
  /** As `packBuild` gives it. */
  packed: string;
  /** Who asked for what; not needed where there is a record that can be read. */
  request?: TestRequest | undefined;
}

/** A run that has a folder. @param now milliseconds since 1970 */
export function mergeRun(
  entry: RecordEntry,
  known: KnownBuild | undefined,
  now: number,
  load: LoadFacts = () => undefined,
): Run {
  const facts = factsIn(entry, load);
  const build = known && unpackBuild(known.packed);
  const standing = facts ? standingOf(facts, build, entry, now) : brokenStanding(entry, build);
  const time = build?.createdAt ?? facts?.createdAt ?? entry.asked?.createdAt;
  return new MergedRun(entry.folder, standing, time, entry, known?.packed, known?.request, load);
}

/** A run that only the engine knows. */
export function runOfBuild(id: string, { packed, request }: KnownBuild): Run {
  const build = unpackBuild(packed);
  const standing = isFinal(build.state) ? endWithoutRecord(build) : activeStanding(build, undefined);
  return new MergedRun(id, standing, build.createdAt, undefined, packed, request, () => undefined);
}

function standingOf(
  facts: RunFacts,
  build: BuildFacts | undefined,
  entry: RecordEntry,
  now: number,
): Standing {
  if (facts.ended) return ended(facts.outcome);
  const alive = build ? !isFinal(build.state) : now - entry.lastChange < SILENT_MS;
  if (alive) return activeStanding(undefined, facts);
  return endWithoutSummary(facts, build);
}

/** A damaged record of a live build is most likely one that is just being written: the engine knows better. */
function brokenStanding(entry: RecordEntry, build: BuildFacts | undefined): Standing {
  if (build && !isFinal(build.state)) return activeStanding(build, undefined);
  return {
    status: 'broken',
    sentence: `the record of this run cannot be read: ${entry.error}`,
    blame: 'ci',
  };
}

function activeStanding(build: BuildFacts | undefined, facts: RunFacts | undefined): Standing {
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
function endWithoutSummary({ outcome, failed }: RunFacts, build: BuildFacts | undefined): Standing {
  if (!build) return ended(outcome);
  if (build.state === 'cancelled' || build.state === 'lost') return endWithoutRecord(build);
  if (failed || build.state === 'success') return ended(outcome);
  if (build.reason) return ended({ ...OURS, sentence: build.reason });
  if (outcome.verdict !== 'green') return ended(outcome);
  return ended({ ...OURS, sentence: `the engine says ${build.state}, although no stage failed` });
}

/** An exit code alone proves nothing, so a build that left no record is never green. */
function endWithoutRecord(build: BuildFacts): Standing {
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

function keyOf({ status, sentence }: Standing, packedBuild: string | undefined, record: string): string {
  return shortHash([status, sentence, packedBuild ?? '', record].join('\n'));
}

const texts = new Map<string, string>();
const TEXTS_KEPT = 20_000;

/** One of equal texts, of which many runs have the same. */
function shared<T extends string>(text: T): T {
  const known = texts.get(text);
  if (known !== undefined) return known as T;
  if (texts.size >= TEXTS_KEPT) texts.clear();
  texts.set(text, text);
  return text;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
