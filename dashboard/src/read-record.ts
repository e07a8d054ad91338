import { readFileSync } from 'node:fs';
import {
  describeIssues,
  InputError,
  type Plan,
  pendingStage,
  planFile,
  plan as planSchema,
  type RunRecord,
  runSummary,
  type StageName,
  type StageRecord,
  stageFile,
  stageRecord,
  summaryFile,
} from '@cc-ci/core';
import type { z } from 'zod';
import { type Guard, redactDeep } from './guard.js';

/**
 * Core's `readRun`, redacted once more, but waiting for nothing: a full build reads 160,000 small files, and eight trips through the
 * thread pool for each run cost several times what the reading does.
 * @returns undefined when there is no plan
 * @throws InputError when a file is damaged; it names the file without its folder, for pages are public
 */
export function readRecord(dir: string, guard: Guard): RunRecord | undefined {
  const plan = readPlan(dir, guard);
  if (!plan) return undefined;
  const stages = plan.stages.map((name) => readStage(dir, name, guard) ?? pendingStage(name));
  return {
    run: plan.request.run,
    dir,
    plan,
    stages,
    summary: readJsonFile(summaryFile(dir), runSummary, guard),
  };
}

/** A run's plan alone. @throws InputError when it is damaged */
export function readPlan(dir: string, guard: Guard): Plan | undefined {
  return readJsonFile(planFile(dir), planSchema, guard);
}

/** One stage of a run; undefined before it has begun. @throws InputError when it is damaged */
export function readStage(dir: string, stage: StageName, guard: Guard): StageRecord | undefined {
  return readJsonFile(stageFile(dir, stage), stageRecord, guard);
}

function readJsonFile<S extends z.ZodType>(path: string, schema: S, guard: Guard): z.output<S> | undefined {
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
  if (guard.finds(text)) value = redactDeep(value, guard);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(`${name}: ${describeIssues(parsed.error).join('; ')}`, { cause: parsed.error });
}
