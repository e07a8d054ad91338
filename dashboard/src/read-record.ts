import { readFileSync } from 'node:fs';
import {
  describeIssues,
  InputError,
  type LoggedStage,
  type Plan,
  pendingStage,
  planFile,
  plan as planSchema,
  type RunRecord,
  reportFile,
  runReport,
  runSummary,
  STAGES,
  type StageName,
  type StageRecord,
  stageFile,
  stageRecord,
  summaryFile,
} from '@cc-ci/core/reading';
import { z } from 'zod';
import { type Guard, redactDeep } from './guard.js';

/** A run's record, redacted. */
export interface ReadRecord {
  record: RunRecord;
  /** Given where all of it is in one file: a run that has ended. */
  report?: {
    /** Stages whose log is in `log.txt`. */
    logs: readonly LoggedStage[];
    /** Whether nothing in the file has to be hidden. */
    isPublic: boolean;
  };
}

/** As one function that is made for this form: a third of what it takes to walk the schema, for tens of thousands of files. */
const REPORT = z.compile(runReport);

/**
 * Core's `readRun`, redacted once more, but waiting for nothing: trips through the thread pool cost several times what
 * the reading of a small file does. Of a run that has ended its report tells all; a report that is damaged is passed
 * over, for it is a copy.
 * @returns undefined when there is no plan
 * @throws InputError when a file is damaged; it names the file without its folder, for pages are public
 */
export function readRecord(dir: string, guard: Guard): ReadRecord | undefined {
  return readReport(dir, guard) ?? readParts(dir, guard);
}

function readReport(dir: string, guard: Guard): ReadRecord | undefined {
  let isPublic = true;
  const hidden = () => {
    isPublic = false;
  };
  try {
    const report = readJsonFile(reportFile(dir), REPORT, guard, hidden);
    if (!report) return undefined;
    const { plan, summary, logs } = report;
    const stages = report.stages.map(withConstant);
    return { record: { run: plan.request.run, dir, plan, stages, summary }, report: { logs, isPublic } };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function readParts(dir: string, guard: Guard): ReadRecord | undefined {
  const plan = readPlan(dir, guard);
  if (!plan) return undefined;
  const stages = plan.stages.map((name) => readStage(dir, name, guard) ?? pendingStage(name));
  const summary = readJsonFile(summaryFile(dir), runSummary, guard);
  return { record: { run: plan.request.run, dir, plan, stages, summary } };
}

/** A run's plan alone. @throws InputError when it is damaged */
export function readPlan(dir: string, guard: Guard): Plan | undefined {
  return readJsonFile(planFile(dir), planSchema, guard);
}

/** One stage of a run; undefined before it has begun. @throws InputError when it is damaged */
export function readStage(dir: string, stage: StageName, guard: Guard): StageRecord | undefined {
  const record = readJsonFile(stageFile(dir, stage), stageRecord, guard);
  return record && withConstant(record);
}

/**
 * Names the stage by the constant, not by the same word as it was read: V8 makes that an alias once something is looked up
 * by it, and takes every page that an alias is in for one of two bytes a character.
 */
function withConstant(record: StageRecord): StageRecord {
  record.stage = STAGES[STAGES.indexOf(record.stage)] ?? record.stage;
  return record;
}

/** @param onHidden told when something in it had to be hidden */
function readJsonFile<S extends z.ZodType>(
  path: string,
  schema: S,
  guard: Guard,
  onHidden?: () => void,
): z.output<S> | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    throw new InputError(`${name} cannot be read (${code})`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (guard.finds(text)) {
    value = redactDeep(value, guard);
    onHidden?.();
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(`${name}: ${describeIssues(parsed.error).join('; ')}`, { cause: parsed.error });
}
