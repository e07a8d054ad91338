import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Docker,
  describeError,
  isSettled,
  judge,
  killMarked,
  type Logger,
  listRuns,
  pendingStage,
  type RunRecord,
  type RunSummary,
  readRun,
  type StageRecord,
  stageFile,
  summaryFile,
  tryLock,
  writeJson,
} from '@cc-ci/core';
import { abraFolder, RUN_MARKER, secretsFile } from './context.js';
import { appFile } from './recipe-tests/app-file.js';
import { removeApp } from './remove-app.js';

/** The lock of a run: whoever holds it may touch its app. */
export const lockFile = (dir: string) => join(dir, 'lock');

const REMOVE_TIMEOUT_MS = 180_000;
/** In stage mode nobody holds the lock between two stages; an engine starts the next one well within this. */
const STAGE_GAP_MS = 300_000;

/** Deletes what an ended run must not keep (secrets, the app's facts, abra's folder) and what nobody needs. */
export async function removeWorkFiles(dir: string): Promise<void> {
  const folders = [
    abraFolder(dir),
    ...['browser', 'home', 'results', 'test-code', 'tmp'].map((name) => join(dir, name)),
  ];
  await Promise.all([
    rm(secretsFile(dir), { force: true }),
    rm(appFile(dir), { force: true }),
    ...folders.map((folder) => rm(folder, { recursive: true, force: true })),
  ]);
}

/**
 * Ends a run whose processes died: kills what they left running, removes the app, completes the record.
 * The caller holds the run's lock.
 */
export async function reap(docker: Docker, record: RunRecord): Promise<void> {
  const { dir, plan } = record;
  await killMarked(RUN_MARKER, plan.request.run);
  const began = new Date().toISOString();
  const stack = plan.app?.stack;
  const teardown: StageRecord = { ...pendingStage('teardown'), state: 'passed', startedAt: began };
  try {
    const found = stack ? await removeApp(docker, stack, REMOVE_TIMEOUT_MS) : [];
    teardown.notes.push(
      `the run was killed; cleaned up after it: ${found.length > 0 ? found.join(', ') : 'nothing was left'}`,
    );
  } catch (error) {
    teardown.state = 'failed';
    teardown.failure = { blame: 'ci', message: describeError(error), evidence: [] };
  }
  await removeWorkFiles(dir);
  teardown.finishedAt = new Date().toISOString();
  for (const stage of record.stages) {
    const ended = stage.stage === 'teardown' ? teardown : endOfKilled(stage);
    if (ended !== stage) await writeJson(stageFile(dir, stage.stage), ended);
  }
  await finalise(dir);
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

/** Computes what the run came to from its files and writes `run.json`, once. @returns the summary */
export async function finalise(dir: string): Promise<RunSummary> {
  const record = await readRun(dir);
  if (!record) throw new Error(`${dir} has no plan.json`);
  if (record.summary) return record.summary;
  const summary: RunSummary = {
    run: record.run,
    startedAt: record.plan.createdAt,
    finishedAt: new Date().toISOString(),
    outcome: judge(record.stages),
  };
  await writeJson(summaryFile(dir), summary);
  return summary;
}

/**
 * Looks at every run that has not ended: one whose lock is held is alive and left alone; the others are reaped.
 * Touches nothing that does not belong to a run of this state folder.
 * @returns the ids of the runs that were reaped
 */
export async function janitor(docker: Docker, stateDir: string, logger: Logger): Promise<string[]> {
  const { runs } = await listRuns(stateDir);
  const reaped: string[] = [];
  for (const { run, dir, summary } of runs) {
    if (summary) continue;
    const lock = tryLock(lockFile(dir));
    if (!lock) continue;
    try {
      // Read again under the lock: the run may have ended, or gone on, since the list was made.
      const record = await readRun(dir);
      if (!record || record.summary || betweenStages(record)) continue;
      await reap(docker, record);
      reaped.push(run);
      logger.warn({ run }, 'reaped a run that was killed');
    } catch (error) {
      logger.error({ run, err: error }, 'could not clean up after a run');
    } finally {
      lock.release();
    }
  }
  return reaped;
}

/** Whether a run in stage mode is only waiting for its engine to start the next stage. */
function betweenStages({ plan, stages }: RunRecord): boolean {
  if (plan.mode !== 'stage' || stages.some((stage) => stage.state === 'running')) return false;
  const last = stages
    .map((stage) => stage.finishedAt ?? '')
    .reduce((a, b) => (a > b ? a : b), plan.createdAt);
  return Date.now() - Date.parse(last) < STAGE_GAP_MS;
}
