import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { writeFileAtomic, writeJson } from './files.js';
import { earlierOutcomes, levelFromFiles } from './history.js';
import { newRunId } from './names.js';
import {
  type Plan,
  pendingStage,
  planFile,
  readRun,
  runFolder,
  STAGES,
  stageFile,
  summaryFile,
  type Verdict,
} from './record.js';

const minute = (number: number) => new Date(Date.UTC(2026, 10, 21, 8, number)).toISOString();

describe("a recipe's earlier runs", () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-history-'));
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const planOf = (run: string, recipe: string, createdAt: string): Plan => ({
    schema: 1,
    request: { run, recipe, ref: 'a'.repeat(40), src: '/srv/r.git' },
    mode: 'run',
    createdAt,
    stages: [...STAGES],
    snapshots: [],
    overlays: [],
    tools: {},
  });
  /** A run that began at one minute and ended at another; without a verdict it has not ended. */
  const leave = async (from: number, to: number, verdict: Verdict | undefined, recipe = 'custom-html') => {
    const run = newRunId();
    const dir = runFolder(stateDir, run);
    await writeJson(planFile(dir), planOf(run, recipe, minute(from)));
    if (verdict) {
      const outcome = { verdict, sentence: `${recipe} from ${from}`, evidence: [] };
      const times = { startedAt: minute(from), finishedAt: minute(to) };
      await writeJson(summaryFile(dir), { run, ...times, outcome });
    }
    await utimes(dir, new Date(minute(to)), new Date(minute(to)));
    return dir;
  };
  const earlier = async (before: number, limit: number) =>
    (await earlierOutcomes(stateDir, 'custom-html', minute(before), limit)).map(({ sentence }) => sentence);

  it('are none where there is no state folder', async () => {
    expect(await earlierOutcomes(join(stateDir, 'nowhere'), 'custom-html', minute(0), 4)).to.deep.equal([]);
  });

  it('are those of the recipe that ended before and say something of it, the newest first', async () => {
    await leave(0, 1, 'green');
    await leave(2, 3, 'red');
    await leave(4, 5, 'error');
    await leave(6, 7, 'cancelled');
    await leave(8, 9, 'green', 'custom-html-tiny');
    await leave(10, 11, 'green');
    await leave(12, 13, undefined);
    await leave(14, 16, 'green');
    expect(await earlier(20, 9)).to.deep.equal([14, 10, 2, 0].map((from) => `custom-html from ${from}`));
    expect(await earlier(20, 2)).to.deep.equal(['custom-html from 14', 'custom-html from 10']);
    // At minute 15 the last one was still running.
    expect(await earlier(15, 2)).to.deep.equal(['custom-html from 10', 'custom-html from 2']);
  });

  it('passes over folders that are broken', async () => {
    await writeFileAtomic(planFile(runFolder(stateDir, 'broken00')), '{"request": {"recipe": "custom-html"');
    await writeFileAtomic(summaryFile(runFolder(stateDir, 'broken01')), '{}');
    const dir = await leave(0, 1, 'green');
    await writeFileAtomic(summaryFile(await leave(2, 3, 'green')), '{"verdict": "green"}');
    expect(await earlier(9, 4)).to.deep.equal(['custom-html from 0']);
    await rm(dir, { recursive: true });
    expect(await earlier(9, 4)).to.deep.equal([]);
  });

  it('are the newest, whenever their folders were last touched', async () => {
    // More than a batch of old runs whose folders were changed long after their end (torn down later, say).
    for (let at = 1; at < 40; at++) {
      const old = await leave(at, at, 'red');
      await utimes(old, new Date(minute(1_000)), new Date(minute(1_000)));
    }
    for (let at = 40; at < 80; at++) await leave(at, at, 'green');
    expect(await earlier(100, 3)).to.deep.equal([79, 78, 77].map((from) => `custom-html from ${from}`));
    expect(await earlier(100, 100)).to.have.length(79);
  });

  it('make the level of a run, which stays the same when it is asked for again', async () => {
    for (const at of [0, 2, 4]) await leave(at, at + 1, 'green');
    const dir = await leave(6, 9, 'green');
    await leave(7, 8, 'red');
    const tests = (['generic', 'cc-ci'] as const).map((source) => ({
      source,
      suite: 's',
      title: 't',
      state: 'passed' as const,
      durationMs: 1,
    }));
    for (const stage of STAGES)
      await writeJson(stageFile(dir, stage), { ...pendingStage(stage), state: 'passed', tests });
    const record = (await readRun(dir)) ?? expect.fail('no record');
    const before = await levelFromFiles(record);
    expect(before).to.include({ value: 5 });
    expect(before?.missing).to.equal('ships its own tests: the recipe brings none');
    await leave(10, 11, 'red');
    expect(await levelFromFiles(record)).to.deep.equal(before);
  });
});
