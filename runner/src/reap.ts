import { join } from 'node:path';
import {
  type Docker,
  isSettled,
  judge,
  junitFile,
  junitXml,
  levelFromFiles,
  pendingStage,
  type RunRecord,
  type RunSummary,
  readRun,
  type StageRecord,
  stageFile,
  summaryFile,
  writeFileAtomic,
  writeJson,
  writeReport,
} from '@cc-ci/core';
import { type CleanedUp, type CleanUpOptions, cleanUp, readLeftovers } from './clean-up.js';
import { failureOf, StageFailure } from './failure.js';

/** The lock of a run: whoever holds it may touch its app. */
export const lockFile = (dir: string) => join(dir, 'lock');

/**
 * Ends a run whose processes died: kills what they left running, removes the app, completes the record.
 * The caller holds the run's lock.
 * @returns what could not be removed; the next janitor tries again
 */
async function endKilled(docker: Docker, record: RunRecord, options: CleanUpOptions): Promise<CleanedUp> {
  const { dir } = record;
  const began = new Date().toISOString();
  const done = await cleanUp(docker, record, { ...options, killProcesses: true });
  const found = done.removed.length > 0 ? done.removed.join(', ') : 'nothing was left';
  const teardown: StageRecord = {
    ...pendingStage('teardown'),
    state: 'passed',
    startedAt: began,
    finishedAt: new Date().toISOString(),
    notes: [`the run was killed; cleaned up after it: ${found}`],
  };
  if (done.problems.length > 0) {
    teardown.state = 'failed';
    teardown.failure = failureOf(leftBehind(done.problems));
  }
  for (const stage of record.stages) {
    const ended = stage.stage === 'teardown' ? teardown : endOfKilled(stage);
    if (ended !== stage) await writeJson(stageFile(dir, stage.stage), ended);
  }
  await finalise(dir);
  return done;
}

/** What a teardown fails with when something could not be removed. */
export function leftBehind(problems: readonly string[]): StageFailure {
  const [first = ''] = problems;
  return new StageFailure(
    'ci',
    `not everything was removed, the next run will try again: ${first}`,
    problems,
  );
}

/**
 * Tries again what an ended run's teardown could not do. Its teardown stays failed, which it was; that it was made good
 * is noted.
 */
async function makeGood(docker: Docker, record: RunRecord, options: CleanUpOptions): Promise<CleanedUp> {
  const done = await cleanUp(docker, record, { ...options, killProcesses: true });
  const teardown = record.stages.find(({ stage }) => stage === 'teardown');
  if (done.problems.length === 0 && teardown) {
    const found = done.removed.length > 0 ? `removed ${done.removed.join(', ')}` : 'nothing was left';
    const note = `cleaned up at ${new Date().toISOString()}: ${found}`;
    await writeJson(stageFile(record.dir, 'teardown'), { ...teardown, notes: [...teardown.notes, note] });
    const noted = await readRun(record.dir);
    if (noted?.summary) await writeReport({ ...noted, summary: noted.summary });
  }
  return done;
}

/**
 * Cleans up after a run that nobody works on: one that was killed, or one whose teardown left something. The caller
 * holds the run's lock.
 * @returns what could not be removed, as `cleanUp`; undefined when there is nothing to clean up after
 */
export async function reap(
  docker: Docker,
  record: RunRecord,
  options: CleanUpOptions,
): Promise<CleanedUp | undefined> {
  if (!record.summary) return endKilled(docker, record, options);
  return (await readLeftovers(record.dir)) ? makeGood(docker, record, options) : undefined;
}

function endOfKilled(stage: StageRecord): StageRecord {
  if (isSettled(stage.state)) return stage;
  if (stage.state === 'pending')
    return { ...stage, state: 'not-run', reason: 'the run was killed before it' };
  const at = stage.phases.findLast((phase) => !phase.finishedAt)?.name;
  const message = `the runner was killed${at ? ` during ${at}` : ''}; comment !testme to run it again`;
  return {
    ...stage,
    state: 'failed',
    finishedAt: new Date().toISOString(),
    failure: { blame: 'ci', message, evidence: [] },
  };
}

/**
 * Computes what the run came to from its files and writes `junit.xml`, `log.txt`, `report.json` and `run.json`, once.
 * @param options.again also where it is written already: the run was torn down later
 * @returns the summary
 */
export async function finalise(dir: string, options: { again?: boolean } = {}): Promise<RunSummary> {
  const record = await readRun(dir);
  if (!record) throw new Error(`${dir} has no plan.json`);
  if (record.summary && !options.again) return record.summary;
  const level = await levelFromFiles(record);
  const summary: RunSummary = {
    run: record.run,
    startedAt: record.plan.createdAt,
    finishedAt: record.summary?.finishedAt ?? new Date().toISOString(),
    outcome: judge(record.stages),
    ...(level ? { level } : {}),
  };
  await writeFileAtomic(junitFile(dir), junitXml(record));
  await writeReport({ ...record, summary });
  await writeJson(summaryFile(dir), summary);
  return summary;
}
