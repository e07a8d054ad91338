import { isSettled, type StageName, type StageRecord } from '@cc-ci/core';
import { isTestOf, testKey } from './facts.js';
import { isActive, type Run } from './model.js';

/** A test that both passed and failed on one commit. */
export interface FlakyTest {
  name: string;
  ref: string;
  passed: Run;
  failed: Run;
}

/** Runs of a recipe that are looked at, the newest: what was flaky long ago has been mended, or will show again. */
const RUNS = 200;
/** Stages that are read to find out whether a test that failed in one run passed in another. */
const STAGES_READ = 10;

/**
 * Tests that passed and failed on the same commit, the latest first.
 * @param runs of one recipe, the newest first
 * @param read a stage of a run; undefined where there is none any more
 */
export function flakyTests(
  runs: readonly Run[],
  read: (run: Run, stage: StageName) => StageRecord | undefined,
): FlakyTest[] {
  const byRef = new Map<string, Run[]>();
  for (const run of runs.slice(0, RUNS)) {
    if (isActive(run) || !run.request || !run.facts) continue;
    byRef.set(run.request.ref, [...(byRef.get(run.request.ref) ?? []), run]);
  }
  const flaky: FlakyTest[] = [];
  let left = STAGES_READ;
  for (const [ref, group] of byRef) {
    const failures = failuresOf(group);
    if (group.length < 2 || failures.size === 0) continue;
    for (const run of group) {
      for (const { stage } of run.facts?.stages ?? []) {
        // A stage that can only repeat the failures it is the source of need not be read.
        const wanted = [...failures].some(([name, failed]) => failed !== run && isTestOf(stage, name));
        if (!wanted || left === 0) continue;
        left -= 1;
        for (const name of passedTests(read(run, stage))) {
          const failed = failures.get(name);
          if (!failed || failed === run) continue;
          failures.delete(name);
          flaky.push({ name, ref, passed: run, failed });
        }
      }
    }
  }
  return flaky;
}

function failuresOf(group: readonly Run[]): Map<string, Run> {
  const failures = new Map<string, Run>();
  for (const run of group)
    for (const name of run.facts?.failedTests ?? []) if (!failures.has(name)) failures.set(name, run);
  return failures;
}

function passedTests(record: StageRecord | undefined): string[] {
  if (!record || !isSettled(record.state)) return [];
  return record.tests.filter((test) => test.state === 'passed').map((test) => testKey(record.stage, test));
}
