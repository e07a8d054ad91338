import { pendingStage, type RunRecord, STAGES, type StageName, type StageRecord } from '@cc-ci/core';
import type { Build } from '@cc-ci/engine';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { factsOf, packFacts, unpackFacts } from './facts.js';
import { mergeRun, newestFirst, packBuild, type Run, runOfBuild } from './model.js';
import { groupByRecipe, inProgress } from './recipes.js';
import type { RecordEntry } from './records.js';
import { someBuild, someRequest, someStage } from './testing/fixtures.js';

const NOW = Date.parse('2026-11-21T08:10:00.000Z');
const MINUTE = 60_000;

/** A record as it was read; stages that are not named passed, those named `undefined` have not begun. */
function entry(
  stages: Partial<Record<StageName, Partial<StageRecord> | undefined>> = {},
  change: Partial<Omit<RecordEntry, 'facts'>> & Partial<Pick<RunRecord, 'summary'>> = {},
): RecordEntry {
  const request = change.asked?.request ?? someRequest();
  const plan = {
    schema: 1 as const,
    request,
    mode: 'run' as const,
    createdAt: '2026-11-21T08:00:00.000Z',
    stages: [...STAGES],
    snapshots: [],
    overlays: [],
    tools: {},
  };
  const records = STAGES.map((name) =>
    name in stages && !stages[name] ? pendingStage(name) : someStage(name, stages[name]),
  );
  const folder = request.run;
  const record = { run: folder, dir: folder, plan, stages: records, summary: change.summary };
  const { summary: _, ...rest } = change;
  const asked = { request, createdAt: plan.createdAt };
  const facts = factsOf(record);
  const known = { facts: packFacts(facts), ended: facts.ended !== undefined, error: undefined, asked };
  return { folder, dir: folder, key: 'k', lastChange: NOW, ...known, ...rest };
}

function buildFor(it: RecordEntry, state: Build['state'], change: Partial<Build> = {}): Build {
  return someBuild(state, { request: it.asked?.request ?? someRequest(), ...change });
}

/** Runs of these builds and records, the newest first. */
function mergeRuns(builds: Build[], entries: RecordEntry[]): Run[] {
  const left = new Map(builds.map((build) => [build.id, build]));
  const runs = entries.map((it) => {
    const build = left.get(it.folder);
    left.delete(it.folder);
    return mergeRun(it, build && { packed: packBuild(build), request: build.request }, NOW);
  });
  const others = [...left.values()].map((build) =>
    runOfBuild(build.id, { packed: packBuild(build), request: build.request }),
  );
  return [...runs, ...others].sort(newestFirst);
}

function only(builds: Build[], entries: RecordEntry[]): Run {
  const [run, ...others] = mergeRuns(builds, entries);
  if (!run || others.length > 0) return expect.fail(`expected one run, got ${others.length + (run ? 1 : 0)}`);
  return run;
}

const interrupted: Parameters<typeof entry>[0] = {
  install: { state: 'running', tests: [] },
  upgrade: undefined,
  backup: undefined,
  'recipe-tests': undefined,
  teardown: undefined,
};

describe('a run as the pages show it', () => {
  it('is what run.json says, whatever the engine believes', () => {
    const it = entry(
      {},
      {
        summary: {
          run: '0',
          startedAt: '2026-11-21T08:00:00.000Z',
          finishedAt: '2026-11-21T08:01:00.000Z',
          outcome: {
            verdict: 'red',
            blame: 'tests',
            sentence: 'install: 1 of 2 tests failed',
            evidence: ['x'],
          },
        },
      },
    );
    for (const state of ['running', 'success', 'lost'] as const)
      expect(only([buildFor(it, state)], [it])).to.include({
        status: 'red',
        blame: 'tests',
        sentence: 'install: 1 of 2 tests failed',
        finishedAt: '2026-11-21T08:01:00.000Z',
      });
  });

  it('is running while the engine says so, and says what is being done', () => {
    const it = entry(
      {
        ...interrupted,
        install: {
          state: 'running',
          phases: [{ name: 'deploy', ours: false, startedAt: '2026-11-21T08:00:05.000Z' }],
        },
      },
      { lastChange: NOW - 60 * MINUTE },
    );
    expect(only([buildFor(it, 'running')], [it])).to.include({
      status: 'running',
      sentence: 'install is running (deploy)',
      blame: undefined,
      finishedAt: undefined,
    });
  });

  it('has its verdict computed again when it ended without run.json', () => {
    const whole = entry();
    expect(only([buildFor(whole, 'success')], [whole])).to.include({ status: 'green', blame: undefined });
    const failed = entry({
      install: { state: 'failed', failure: { blame: 'recipe', message: 'it crashes', evidence: [] } },
    });
    expect(only([buildFor(failed, 'failure')], [failed])).to.include({
      status: 'red',
      blame: 'recipe',
      sentence: 'install: it crashes; the recipe needs a fix',
    });
  });

  it('is never green against the word of the engine', () => {
    const whole = entry();
    expect(only([buildFor(whole, 'error')], [whole])).to.include({
      status: 'error',
      blame: 'ci',
      sentence: 'the engine says error, although no stage failed',
    });
    expect(only([buildFor(whole, 'error', { reason: 'it took too long' })], [whole]).sentence).to.equal(
      'it took too long',
    );
  });

  it('is cancelled or lost as the engine saw it end', () => {
    const it = entry(interrupted);
    expect(only([buildFor(it, 'cancelled', { reason: 'bob asked for it' })], [it])).to.include({
      status: 'cancelled',
      blame: 'cancelled',
      sentence: 'bob asked for it',
    });
    expect(only([buildFor(it, 'lost')], [it])).to.include({ status: 'lost', blame: 'ci' });
  });

  it('without an engine is running while its files change, and was killed when they stopped to', () => {
    const alive = entry(interrupted, { lastChange: NOW - 14 * MINUTE });
    expect(only([], [alive])).to.include({ status: 'running', sentence: 'install is running' });
    const dead = entry(interrupted, { lastChange: NOW - 16 * MINUTE });
    expect(only([], [dead])).to.include({
      status: 'error',
      blame: 'ci',
      finishedAt: new Date(NOW - 16 * MINUTE).toISOString(),
    });
    expect(only([], [dead]).sentence).to.contain('the run ended during install without a result');
  });

  it('without a record is what the engine says, and never green', () => {
    expect(only([someBuild('queued', { position: 3 })], [])).to.include({
      status: 'queued',
      sentence: 'waiting in the queue at place 3',
    });
    expect(only([someBuild('running')], [])).to.include({
      status: 'running',
      sentence: 'started, nothing recorded yet',
    });
    expect(only([someBuild('lost')], [])).to.include({ status: 'lost', blame: 'ci' });
    expect(only([someBuild('cancelled')], [])).to.include({ status: 'cancelled', blame: 'cancelled' });
    expect(only([someBuild('success')], [])).to.include({
      status: 'error',
      blame: 'ci',
      sentence: 'the engine says success, but there is no record of what was tested',
    });
  });

  it('is broken when its record cannot be read, unless it is just being made', () => {
    const damaged: RecordEntry = { ...entry(), facts: undefined, error: 'plan.json is not JSON' };
    expect(only([], [damaged])).to.include({
      status: 'broken',
      sentence: 'the record of this run cannot be read: plan.json is not JSON',
    });
    expect(only([buildFor(damaged, 'success')], [damaged]).status).to.equal('broken');
    expect(only([buildFor(damaged, 'running')], [damaged]).status).to.equal('running');
  });

  it('is sorted by time, whatever its id looks like', () => {
    const at = (createdAt: string) => someBuild('success', { createdAt });
    const [old, recent] = [at('2026-01-01T00:00:00.000Z'), at('2026-11-21T08:05:00.000Z')];
    const record = entry();
    const nameless: RecordEntry = {
      ...entry(),
      folder: 'notes',
      facts: undefined,
      asked: undefined,
      error: 'no',
      lastChange: NOW,
    };
    const ids = mergeRuns([old, recent], [nameless, record]).map((run) => run.id);
    expect(ids).to.deep.equal(['notes', recent.id, record.folder, old.id]);
  });
});

describe('what is kept of a run', () => {
  it('is its facts as they were', () => {
    const request = someRequest();
    const stages = STAGES.map((name) => (name === 'backup' ? pendingStage(name) : someStage(name)));
    const plan = { schema: 1 as const, request, mode: 'run' as const, createdAt: '2026-11-21T08:00:00.000Z' };
    const more = { stages: [...STAGES], snapshots: [], overlays: [], tools: {} };
    const facts = factsOf({
      run: request.run,
      dir: '',
      plan: { ...plan, ...more },
      stages,
      summary: undefined,
    });
    expect(facts.stages.map(({ ms }) => ms === undefined)).to.include.members([true, false]);
    expect(unpackFacts(packFacts(facts))).to.deep.equal(facts);
  });

  it('is its build as it was', () => {
    for (const state of ['queued', 'success'] as const) {
      const { id, request, ...build } = someBuild(state);
      const run = runOfBuild(id, { packed: packBuild({ id, request, ...build }), request });
      expect(run.build).to.deep.equal(build);
      expect(run.request).to.deep.equal(request);
    }
  });
});

describe('recipes', () => {
  it('stand at their newest ended run, with what goes on beside it', () => {
    const request = (recipe: string) => ({ request: someRequest({ recipe }) });
    const waiting = someBuild('queued', {
      ...request('b'),
      position: 1,
      createdAt: '2026-11-21T08:09:00.000Z',
    });
    const ended = someBuild('lost', { ...request('b'), createdAt: '2026-11-21T08:08:00.000Z' });
    const older = someBuild('cancelled', { ...request('b'), createdAt: '2026-11-21T08:07:00.000Z' });
    const first = someBuild('running', request('a'));
    const recipes = groupByRecipe(mergeRuns([waiting, ended, older, first], []));
    expect(
      recipes.map(({ name, latest, active }) => [name, latest?.id, active.map((run) => run.id)]),
    ).to.deep.equal([
      ['a', undefined, [first.id]],
      ['b', ended.id, [waiting.id]],
    ]);
  });

  it('are in progress in the order they go on', () => {
    const queued = (position: number) => someBuild('queued', { position });
    const [third, second, running] = [queued(2), queued(1), someBuild('running')];
    expect(inProgress(mergeRuns([third, second, running], [])).map((run) => run.id)).to.deep.equal([
      running.id,
      second.id,
      third.id,
    ]);
  });
});
