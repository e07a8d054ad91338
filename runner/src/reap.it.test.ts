import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
  stageFile,
  tryLock,
  writeJson,
} from '@cc-ci/core';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { janitor, lockFile } from './reap.js';
import { leftoversOf, removeApp } from './remove-app.js';
import { somePlan } from './testing/context.js';

const logger = createLogger('test', 'silent');
/** A service whose tasks are rejected for want of it is a service all the same. */
const NO_SUCH_IMAGE = 'cc-ci/no-such-image:0';

describe('cleaning up', () => {
  let docker: Docker;
  let stateDir: string;
  let stack: string;
  let id: string;
  let plan: Plan;

  beforeEach(async () => {
    docker = connectDocker();
    stateDir = await mkdtemp(join(tmpdir(), 'cc-ci-reap-'));
    id = newRunId();
    const app = appNames('reaped', id, 'ci.test', 0);
    stack = app.stack;
    plan = somePlan(id, { app });
    await deploySomething(stack);
  });
  afterEach(async () => {
    await removeApp(docker, stack, 60_000);
    await disconnectDocker(docker);
    await rm(stateDir, { recursive: true });
  });

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

  it('removes everything of an app, and twice is the same as once', async () => {
    expect(await kinds()).to.deep.equal(['config', 'network', 'secret', 'service', 'volume']);
    const found = await removeApp(docker, stack, 60_000);
    expect(found).to.include(`secret ${stack}_token_v1`).and.include(`volume ${stack}_data`);
    expect(await kinds()).to.deep.equal([]);
    expect(await removeApp(docker, stack, 60_000)).to.deep.equal([]);
  });

  it('touches no app whose name only begins alike', async () => {
    const other = `${stack}x`;
    await deploySomething(other);
    await removeApp(docker, stack, 60_000);
    expect(await leftoversOf(docker, other)).to.have.length.greaterThan(4);
    await removeApp(docker, other, 60_000);
  });

  it('names what it cannot remove', async () => {
    const user = `${stack.replaceAll('_', '-')}-user`;
    await run('docker', [
      'service',
      'create',
      '--detach',
      '--quiet',
      '--name',
      user,
      '--secret',
      `${stack}_token_v1`,
      NO_SUCH_IMAGE,
    ]);
    try {
      await removeApp(docker, stack, 1_000);
      expect.fail('it was removed');
    } catch (error) {
      expect((error as Error).message).to.match(
        /still on the node after 1 s: secret \S+_token_v1 \(.*in use/,
      );
    } finally {
      await run('docker', ['service', 'rm', user]);
    }
  });

  it('reaps a run whose process is gone: app, processes, record', async () => {
    const dir = await leave({
      prepare: { state: 'passed' },
      install: {
        state: 'running',
        phases: [{ name: 'converge', ours: false, startedAt: new Date().toISOString() }],
      },
    });
    const orphan = spawn('sleep', ['1000'], {
      env: { ...process.env, CC_CI_RUN: id },
      detached: true,
      stdio: 'ignore',
    });
    const death = once(orphan, 'exit');
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([id]);
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
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([]);
  });

  it('leaves a run alone whose lock is held', async () => {
    const dir = await leave({ install: { state: 'running' } });
    const lock = tryLock(lockFile(dir));
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([]);
    expect(await kinds()).to.include('service');
    lock?.release();
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([id]);
  });

  it('leaves a run alone that waits for its next stage, but not one that has waited too long or died within a stage', async () => {
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    await leave(
      { prepare: { state: 'passed', finishedAt: minutesAgo(1) } },
      { mode: 'stage', createdAt: minutesAgo(10) },
    );
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([]);
    await leave(
      { prepare: { state: 'passed', finishedAt: minutesAgo(6) } },
      { mode: 'stage', createdAt: minutesAgo(10) },
    );
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([id]);
  });

  it('reaps at once what died within a stage of stage mode', async () => {
    await leave({ prepare: { state: 'running' } }, { mode: 'stage' });
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([id]);
  });

  it('goes on when one run folder is broken', async () => {
    await writeJson(planFile(runFolder(stateDir, 'broken00')), { schema: 9 });
    await leave({ install: { state: 'running' } });
    expect(await janitor(docker, stateDir, logger)).to.deep.equal([id]);
  });
});

/** One of everything a stack can have. */
async function deploySomething(stack: string): Promise<void> {
  await run('docker', ['secret', 'create', `${stack}_token_v1`, '-'], { input: 'not-secret' });
  await run('docker', ['volume', 'create', `${stack}_data`]);
  const compose = `version: "3.8"
services:
  app: { image: "${NO_SUCH_IMAGE}", networks: [internal], configs: [conf] }
networks: { internal: {} }
configs: { conf: { name: "${stack}_conf_v1", file: ./conf } }
`;
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-stack-'));
  const file = join(dir, 'compose.yml');
  await writeFile(join(dir, 'conf'), 'x');
  await writeFile(file, compose);
  await run('docker', ['stack', 'deploy', '--resolve-image', 'never', '--compose-file', file, stack]);
  await rm(dir, { recursive: true });
}
