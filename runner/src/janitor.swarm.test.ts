import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appNames,
  connectDocker,
  createLogger,
  type Docker,
  disconnectDocker,
  newRunId,
  type Plan,
  pendingStage,
  planFile,
  readRun,
  run,
  runFolder,
  type StageName,
  type StageRecord,
  secretsFile,
  stageFile,
  summaryFile,
  tryLock,
  writeJson,
} from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { leftoversFile, readLeftovers } from './clean-up.js';
import { type JanitorOptions, janitor } from './janitor.js';
import { finalise, lockFile } from './reap.js';
import { leftoversOf, removeApp } from './remove-app.js';
import { teardown } from './stages/teardown.js';
import { deploySomething, holdSecret } from './testing/app-on-node.js';
import { somePlan, testContext } from './testing/context.js';

const logger = createLogger('test', 'silent');
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('the janitor', () => {
  let docker: Docker;
  let stateDir: string;
  let zone: string;
  let stack: string;
  let id: string;
  let plan: Plan;
  let held: { release(): Promise<void> } | undefined;

  beforeEach(async () => {
    docker = connectDocker();
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-reap-'));
    id = newRunId();
    // A zone of its own: apps of other tests are nobody's here.
    zone = `${newRunId()}.test`;
    const app = appNames('reaped', id, zone, 0);
    stack = app.stack;
    plan = somePlan(id, { app });
    await deploySomething(stack);
  });
  afterEach(async () => {
    await held?.release();
    held = undefined;
    await removeApp(docker, stack, 60_000);
    await disconnectDocker(docker);
    await rm(stateDir, { recursive: true });
  });

  const clean = async (change: Partial<JanitorOptions> = {}) =>
    janitor(docker, { stateDir, zone, logger, appTimeoutMs: 20_000, ...change });
  const reaped = async (change: Partial<JanitorOptions> = {}) => (await clean(change)).reaped;
  const leave = async (
    stages: Partial<Record<StageName, Partial<StageRecord>>>,
    change: Partial<Plan> = {},
  ) => {
    const dir = runFolder(stateDir, id);
    await writeJson(planFile(dir), { ...plan, ...change });
    for (const [name, record] of Object.entries(stages) as [StageName, Partial<StageRecord>][]) {
      await writeJson(stageFile(dir, name), { ...pendingStage(name), ...record });
    }
    return dir;
  };
  const kinds = async () => [...new Set((await leftoversOf(docker, stack)).map(({ kind }) => kind))].sort();
  const program = async (script: string) => {
    const file = join(stateDir, 'forget');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  };
  const teardownOf = async (dir: string) =>
    (await readRun(dir))?.stages.find(({ stage }) => stage === 'teardown');

  it('reaps a run whose process is gone: app, processes, snapshots, secrets, record', async () => {
    const dir = await leave({
      prepare: { state: 'passed' },
      install: {
        state: 'running',
        phases: [{ name: 'converge', ours: false, startedAt: new Date().toISOString() }],
      },
    });
    await writeJson(secretsFile(dir), { token: 'secret' });
    const orphan = spawn('sleep', ['1000'], {
      env: { ...process.env, CC_CI_RUN: id },
      detached: true,
      stdio: 'ignore',
    });
    const death = once(orphan, 'exit');
    const forgetSnapshots = await program('echo "0123 of $1"');
    expect(await clean({ forgetSnapshots })).to.deep.equal({
      reaped: [id],
      held: [],
      failed: [],
      orphans: [],
    });
    await death;
    expect(await kinds()).to.deep.equal([]);
    const record = await readRun(dir);
    expect(record?.stages.map(({ state }) => state)).to.deep.equal([
      'passed',
      'failed',
      'not-run',
      'not-run',
      'not-run',
      'passed',
    ]);
    expect(record?.summary?.outcome).to.include({ verdict: 'error', blame: 'ci' });
    expect(record?.summary?.outcome.sentence).to.include('killed during converge');
    expect((await teardownOf(dir))?.notes[0]).to.include(`snapshot 0123 of ${stack}`);
    const secrets = await run('test', ['-e', secretsFile(dir)], { okCodes: [0, 1] });
    expect(secrets.exitCode).to.equal(1);
    expect(await readLeftovers(dir)).to.equal(undefined);
    expect(await reaped()).to.deep.equal([]);
  });

  it('leaves a run alone whose lock is held, and says so when that has lasted too long', async () => {
    const dir = await leave({ install: { state: 'running' } }, { createdAt: minutesAgo(90) });
    const lock = tryLock(lockFile(dir));
    expect(await clean()).to.deep.include({ reaped: [], held: [], failed: [] });
    const late = await clean({ maxAgeMs: 60 * 60_000 });
    expect(late).to.deep.include({ reaped: [], held: [{ run: id, minutes: 90 }], failed: [], orphans: [] });
    expect(await kinds()).to.include('service');
    // Whoever cleans up after an old run holds its lock, too, and has only begun.
    await writeJson(leftoversFile(dir), { triedAt: minutesAgo(1), tries: 1, problems: [] });
    expect((await clean({ maxAgeMs: 60 * 60_000 })).held).to.deep.equal([]);
    lock?.release();
    expect(await reaped({ maxAgeMs: 60 * 60_000 })).to.deep.equal([id]);
  });

  it('leaves a run alone that waits for its next stage, but not one that has waited too long', async () => {
    await leave(
      { prepare: { state: 'passed', finishedAt: minutesAgo(1) } },
      { mode: 'stage', createdAt: minutesAgo(10) },
    );
    expect(await reaped()).to.deep.equal([]);
    await leave(
      { prepare: { state: 'passed', finishedAt: minutesAgo(6) } },
      { mode: 'stage', createdAt: minutesAgo(10) },
    );
    expect(await reaped()).to.deep.equal([id]);
  });

  it('reaps at once what died within a stage of stage mode', async () => {
    await leave({ prepare: { state: 'running' } }, { mode: 'stage' });
    expect(await reaped()).to.deep.equal([id]);
  });

  it('reaps a run that was killed while it cleaned up', async () => {
    const dir = await leave({ install: { state: 'passed' }, teardown: { state: 'running' } });
    await writeJson(leftoversFile(dir), { triedAt: minutesAgo(1), tries: 1, problems: [] });
    expect(await reaped()).to.deep.equal([id]);
    expect(await kinds()).to.deep.equal([]);
  });

  it('tries again until all is gone, though the run has ended long since', async () => {
    const dir = await leave({ install: { state: 'running' } });
    held = await holdSecret(stack);
    const first = await clean({ appTimeoutMs: 6_000 });
    expect(first.reaped).to.deep.equal([]);
    expect(first.failed).to.have.length(1);
    expect(first.failed[0]?.error).to.match(/^app: still on the node after 6 s: .*secret \S+_token_v1/);
    expect(await kinds()).to.deep.equal(['secret']);
    const ended = await readRun(dir);
    expect(ended?.summary?.outcome.verdict).to.equal('error');
    expect((await teardownOf(dir))?.failure?.message).to.include('not everything was removed');
    expect((await clean({ appTimeoutMs: 1_000 })).failed).to.have.length(1);
    expect((await readLeftovers(dir))?.tries).to.equal(2);

    await held.release();
    held = undefined;
    expect(await reaped()).to.deep.equal([id]);
    expect(await kinds()).to.deep.equal([]);
    const teardownStage = await teardownOf(dir);
    expect(teardownStage?.state).to.equal('failed');
    expect(teardownStage?.notes.at(-1)).to.match(/^cleaned up at \S+: removed secret \S+_token_v1$/);
    expect((await readRun(dir))?.summary).to.deep.equal(ended?.summary);
    expect(await reaped()).to.deep.equal([]);
  });

  it('does each part though another fails', async () => {
    const dir = await leave({ install: { state: 'running' } });
    await writeJson(secretsFile(dir), { token: 'secret' });
    const failing = await clean({ forgetSnapshots: await program('echo "no repository" >&2; exit 1') });
    expect(failing.failed[0]?.error).to.match(/^snapshots: [\s\S]*no repository/);
    expect(await kinds()).to.deep.equal([]);
    const secrets = await run('test', ['-e', secretsFile(dir)], { okCodes: [0, 1] });
    expect(secrets.exitCode).to.equal(1);
    expect(await reaped({ forgetSnapshots: await program('true') })).to.deep.equal([id]);
  });

  it('does not touch an app that was left up on purpose', async () => {
    const dir = await leave({ teardown: { state: 'declared-skip', reason: 'kept' } });
    await finalise(dir);
    expect(await clean()).to.deep.equal({ reaped: [], held: [], failed: [], orphans: [] });
    expect(await kinds()).to.include('service');
  });

  it('goes on when one run folder is broken, and tells of the app nobody knows any more', async () => {
    const broken = newRunId();
    await writeJson(planFile(runFolder(stateDir, broken)), { schema: 9 });
    await leave({ install: { state: 'running' } });
    expect(await clean()).to.deep.equal({ reaped: [id], held: [], failed: [], orphans: [] });
    await deploySomething(stack);
    await writeJson(planFile(runFolder(stateDir, id)), { schema: 9 });
    await rm(summaryFile(runFolder(stateDir, id)));
    expect((await clean()).orphans).to.deep.equal([stack]);
  });

  it('tells of apps whose run has no folder, removes none of them, and none of anybody else', async () => {
    const foreign = `shop_${zone.replace('.', '_')}`;
    const elsewhere = appNames('blog', newRunId(), 'other.test', 0).stack;
    const secretOnly = appNames('wiki', newRunId(), zone, 0).stack;
    await deploySomething(foreign);
    await deploySomething(elsewhere);
    await run('docker', ['secret', 'create', `${secretOnly}_token_v1`, '-'], { input: 'not-secret' });
    try {
      const found = await clean();
      expect(found.orphans.sort()).to.deep.equal([stack, secretOnly].sort());
      expect(found).to.deep.include({ reaped: [], failed: [], held: [] });
      await leave({ install: { state: 'running' } });
      expect(await clean()).to.deep.include({ reaped: [id], orphans: [secretOnly] });
      for (const other of [foreign, elsewhere])
        expect(await leftoversOf(docker, other), other).to.have.length.greaterThan(4);
      expect(await leftoversOf(docker, secretOnly)).to.have.length(1);
    } finally {
      for (const other of [foreign, elsewhere, secretOnly]) await removeApp(docker, other, 60_000);
    }
  });

  it('reads nothing of the runs that have ended well', async () => {
    const ids = Array.from({ length: 300 }, newRunId);
    for (const ended of ids) {
      // Damaged files: whoever read them would say so.
      await writeJson(planFile(runFolder(stateDir, ended)), { schema: 9 });
      await writeJson(summaryFile(runFolder(stateDir, ended)), {});
    }
    const told: unknown[] = [];
    const listening = Object.assign(Object.create(logger), { error: (...it: unknown[]) => told.push(it) });
    expect(await clean({ logger: listening })).to.deep.include({ reaped: [], failed: [] });
    expect(told).to.deep.equal([]);
    await rm(summaryFile(runFolder(stateDir, ids[7] ?? '')));
    await clean({ logger: listening });
    expect(told).to.have.length(1);
  });
});

describe('a teardown that fails', () => {
  it('leaves word for the next janitor, which makes it good', async () => {
    const { context, dispose } = await testContext('teardown', {
      CC_CI_ABRA: '/bin/false',
      CC_CI_FORGET_SNAPSHOTS: '/bin/false',
    });
    const { docker, dir, config } = context;
    const app = appNames('torn', context.plan.request.run, config.runner.zone, 0);
    context.plan.app = app;
    await writeJson(planFile(dir), context.plan);
    await deploySomething(app.stack);
    try {
      const error = await teardown(context).catch((thrown) => thrown);
      expect(error).to.include({ blame: 'ci' });
      expect(error.message).to.include('not everything was removed').and.include('snapshots: /bin/false');
      await context.stage.finish({ state: 'failed', failure: { blame: 'ci', message: 'x', evidence: [] } });
      await finalise(dir);
      expect(await leftoversOf(docker, app.stack)).to.deep.equal([]);
      const options = { stateDir: config.common.stateDir, zone: config.runner.zone, logger };
      const again = await janitor(docker, { ...options, forgetSnapshots: '/bin/false' });
      expect(again.failed.map((it) => it.run)).to.deep.equal([context.plan.request.run]);
      const good = await janitor(docker, { ...options, forgetSnapshots: '/bin/true' });
      expect(good.reaped).to.deep.equal([context.plan.request.run]);
    } finally {
      await removeApp(docker, app.stack, 60_000);
      await dispose();
    }
  });
});
