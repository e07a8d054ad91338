import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from './files.js';
import {
  type Blame,
  type Level,
  plan,
  type RunRecord,
  type RunSummary,
  runSummary,
  type StageName,
  type StageRecord,
  type StageState,
  stageLogFile,
  stageName,
  stageRecord,
  type TestRequest,
} from './record.js';

/** Version of the form of `report.json`. */
const SCHEMA = 2;

/** The whole record of a run that has ended, in one file: a copy of the others, for readers of many runs. */
export const reportFile = (dir: string) => join(dir, 'report.json');
/** The logs of all stages, one after the other, where they are short; a copy, too. */
export const runLogFile = (dir: string) => join(dir, 'log.txt');

/** What a log may have at most to be in `log.txt`: lines of a stage, and bytes of all stages together. */
export const SHORT_LOG = { lines: 1_000, bytes: 256 * 1024 };

/** Where the log of a stage stands in `log.txt`. */
export const loggedStage = z.strictObject({
  stage: stageName,
  /** Number of its first line there; the file's first is 1. */
  firstLine: z.number().int().positive(),
  lines: z.number().int().nonnegative(),
  /** Of its text. */
  bytes: z.number().int().nonnegative(),
});
export type LoggedStage = z.output<typeof loggedStage>;

/** What is read of `report.json`. All that stands there besides is in these, too: it is for readers in a hurry. */
export const runReport = z.object({
  schema: z.literal(SCHEMA),
  plan,
  stages: z.array(stageRecord),
  summary: runSummary,
  /** Stages whose log is in `log.txt`; empty: there is no such file. */
  logs: z.array(loggedStage),
});
export type RunReport = z.output<typeof runReport>;

/** One run in a few words, for programs. */
export interface RunBrief {
  id: string;
  /** A verdict; of a run that has not come to one, where it stands. */
  status: string;
  sentence: string;
  blame: Blame | null;
  level: number | null;
  recipe: string | null;
  ref: string | null;
  repo: string | null;
  pr: number | null;
  requestedBy: string | null;
  /** ISO times. */
  askedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  /** Place in the queue, of one that waits; the first is 1. */
  position: number | null;
  states: Partial<Record<StageName, StageState>>;
}

/** Text of a `report.json`, of any run. @param record what is known of it besides; parts of it may be missing */
export function reportJson(
  brief: RunBrief,
  evidence: readonly string[],
  record: Partial<Pick<RunRecord, 'plan' | 'stages' | 'summary'>>,
  logs: readonly LoggedStage[] = [],
): string {
  const { plan = null, stages = [], summary = null } = record;
  return `${JSON.stringify({ schema: SCHEMA, ...brief, evidence, plan, stages, summary, logs })}\n`;
}

/** A run that has come to its end. */
export type EndedRun = RunRecord & { summary: RunSummary };

/** `report.json` and `log.txt` of a run that has ended. @param texts the stages' logs; undefined: they are not short */
export function endedReport(
  record: EndedRun,
  texts: ReadonlyMap<StageName, string> | undefined,
): { report: string; log: string | undefined } {
  const joined = texts && texts.size > 0 ? joinLogs(texts) : undefined;
  return {
    report: reportJson(briefOf(record), record.summary.outcome.evidence, record, joined?.logs),
    log: joined?.text,
  };
}

/** What a brief is made of; whatever is not known is `null` in it. */
export interface RunStanding extends Pick<RunBrief, 'id' | 'status' | 'sentence' | 'askedAt' | 'states'> {
  request: TestRequest | undefined;
  blame: Blame | undefined;
  level: Level | undefined;
  startedAt: string | undefined;
  finishedAt: string | undefined;
  position: number | undefined;
}

export function runBrief(run: RunStanding): RunBrief {
  const { request } = run;
  return {
    id: run.id,
    status: run.status,
    sentence: run.sentence,
    blame: run.blame ?? null,
    level: run.level?.value ?? null,
    recipe: request?.recipe ?? null,
    ref: request?.ref ?? null,
    repo: request?.repo ?? null,
    pr: request?.pr ?? null,
    requestedBy: request?.requestedBy ?? null,
    askedAt: run.askedAt,
    startedAt: run.startedAt ?? null,
    finishedAt: run.finishedAt ?? null,
    position: run.position ?? null,
    states: run.states,
  };
}

/** The state of each stage, by its name. */
export function statesOf(stages: readonly Pick<StageRecord, 'stage' | 'state'>[]): RunBrief['states'] {
  return Object.fromEntries(stages.map(({ stage, state }) => [stage, state]));
}

function briefOf({ run, plan, stages, summary }: EndedRun): RunBrief {
  const { outcome, level, startedAt, finishedAt } = summary;
  return runBrief({
    id: run,
    status: outcome.verdict,
    sentence: outcome.sentence,
    blame: outcome.blame,
    level,
    request: plan.request,
    askedAt: plan.createdAt,
    startedAt,
    finishedAt,
    position: undefined,
    states: statesOf(stages),
  });
}

/** As `tail` names the files it shows. */
const headOf = (stage: StageName) => `==> ${stage} <==`;

function joinLogs(texts: ReadonlyMap<StageName, string>): { text: string; logs: LoggedStage[] } {
  const logs: LoggedStage[] = [];
  let text = '';
  let line = 1;
  for (const [stage, log] of texts) {
    const whole = log === '' || log.endsWith('\n') ? log : `${log}\n`;
    const lines = whole.split('\n').length - 1;
    logs.push({ stage, firstLine: line + 1, lines, bytes: Buffer.byteLength(log) });
    text += `${headOf(stage)}\n${whole}`;
    line += 1 + lines;
  }
  return { text, logs };
}

/** The lines of each stage in a `log.txt`; undefined when it is not the one that `logs` tells of. */
export function splitLogs(text: string, logs: readonly LoggedStage[]): Map<StageName, string[]> | undefined {
  const all = text.split('\n');
  const found = new Map<StageName, string[]>();
  for (const { stage, firstLine, lines } of logs) {
    const from = firstLine - 1;
    if (all[from - 1] !== headOf(stage) || from + lines >= all.length) return undefined;
    found.set(stage, all.slice(from, from + lines));
  }
  return found;
}

/** Writes `log.txt` and `report.json` of a run that has ended, again where they are there already. */
export async function writeReport(record: EndedRun): Promise<void> {
  const { report, log } = endedReport(record, await shortLogs(record));
  if (log === undefined) await rm(runLogFile(record.dir), { force: true });
  else await writeFileAtomic(runLogFile(record.dir), log);
  await writeFileAtomic(reportFile(record.dir), report);
}

async function shortLogs({ dir, stages }: RunRecord): Promise<Map<StageName, string> | undefined> {
  const texts = new Map<StageName, string>();
  let bytes = 0;
  for (const { stage } of stages) {
    const path = stageLogFile(dir, stage);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) continue;
    bytes += found.size;
    if (bytes > SHORT_LOG.bytes) return undefined;
    const text = await readFile(path, 'utf8');
    if (text.split('\n').length - 1 > SHORT_LOG.lines) return undefined;
    texts.set(stage, text);
  }
  return texts;
}
