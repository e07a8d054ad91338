import type { DockerService, DockerTask } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { assess, endedSince } from './assess.js';

interface Part {
  name: string;
  running: number;
  desired?: number;
  update?: string;
  message?: string;
}

function service({ name, running, desired = 1, update, message }: Part): DockerService {
  return {
    ID: `id-${name}`,
    CreatedAt: '',
    UpdatedAt: '',
    Spec: {
      Name: `s_${name}`,
      Labels: { 'com.docker.stack.namespace': 's' },
      TaskTemplate: { ContainerSpec: { Image: 'new' }, Runtime: 'container' },
      Mode: { Replicated: { Replicas: desired } },
    },
    ...(update ? { UpdateStatus: { State: update, ...(message ? { Message: message } : {}) } } : {}),
    ServiceStatus: { RunningTasks: running, DesiredTasks: desired },
  };
}

interface Life {
  error?: string;
  /** When it was made, as seconds. */
  at?: number;
  /** What it runs: the service's present spec or that of before the update. */
  image?: 'new' | 'old';
}

function task(of: string, state: string, { error, at = 0, image = 'new' }: Life = {}): DockerTask {
  const time = new Date(at * 1000).toISOString();
  return {
    ID: `${of}-${state}-${at}`,
    ServiceID: `id-${of}`,
    CreatedAt: time,
    DesiredState: state === 'running' ? 'running' : 'shutdown',
    Spec: { ContainerSpec: { Image: image } },
    Status: { Timestamp: time, State: state, ...(error ? { Err: error } : {}) },
  };
}

const CRASH = { error: 'task: non-zero exit (1)' };

describe('convergence', () => {
  it('is reached when every service has all its tasks, of its present spec', () => {
    const all = [service({ name: 'app', running: 1 }), service({ name: 'db', running: 2, desired: 2 })];
    const tasks = [
      task('app', 'running'),
      task('db', 'running', { at: 1 }),
      task('db', 'running', { at: 2 }),
    ];
    expect(assess(all, tasks)).to.deep.equal({ state: 'converged', notes: [] });
  });

  it('is not reached by nothing', () => {
    expect(assess([], []).state).to.equal('waiting');
  });

  it('is not believed while the task that runs is one of before the update', () => {
    const assessment = assess(
      [service({ name: 'app', running: 1 })],
      [task('app', 'running', { image: 'old' })],
    );
    expect(assessment).to.deep.equal({ state: 'counted', why: 'waiting for the update of app' });
  });

  it('waits for whoever is not up, names it and says what its last task died of', () => {
    const all = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 1 })];
    expect(assess(all, [task('app', 'failed', CRASH), task('db', 'running')])).to.deep.equal({
      state: 'waiting',
      why: 'not up yet: app 0/1 (task: non-zero exit (1))',
    });
  });

  it('waits while an update goes on, although the old task still counts as running', () => {
    for (const update of ['updating', 'rollback_started']) {
      const all = [service({ name: 'app', running: 1, update })];
      expect(assess(all, [task('app', 'running', { image: 'old' })]).state).to.equal('waiting');
    }
  });

  it('does not wait for a paused update to clear, which never happens, but reports it', () => {
    const all = [service({ name: 'app', running: 1, update: 'paused', message: 'task failed' })];
    expect(assess(all, [task('app', 'running')])).to.deep.equal({
      state: 'converged',
      notes: ['Swarm paused the update of app, and yet all of it runs: task failed'],
    });
  });

  it('fails on a paused update behind which the old task answers', () => {
    const all = [service({ name: 'app', running: 1, update: 'paused', message: 'task failed' })];
    expect(assess(all, [task('app', 'running', { image: 'old' })])).to.deep.include({
      state: 'failed',
      kind: 'paused',
      why: 'Swarm paused the update of app and what ran before still answers: task failed',
    });
  });

  it('fails on a rollback although the old task answers', () => {
    for (const update of ['rollback_completed', 'rollback_paused']) {
      const all = [service({ name: 'app', running: 1, update, message: 'task failed' })];
      expect(assess(all, [task('app', 'running')])).to.deep.include({
        state: 'failed',
        kind: 'rollback',
        why: 'Swarm rolled app back: task failed',
      });
    }
  });

  it('fails at once on what no retry mends', () => {
    const all = [service({ name: 'app', running: 0 })];
    const rejected = task('app', 'rejected', { error: 'No such image: nginx:9.99' });
    expect(assess(all, [rejected])).to.deep.include({
      state: 'failed',
      kind: 'rejected',
      why: 'app cannot start: No such image: nginx:9.99',
    });
    expect(assess(all, [task('app', 'rejected', { error: 'node is busy' })]).state).to.equal('waiting');
  });

  it('fails on the second crash, or when a process ends for the third time with exit code 0', () => {
    const all = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 1 })];
    const db = task('db', 'running');
    const crash = (at: number) => task('app', 'failed', { ...CRASH, at });
    const end = (at: number) => task('app', 'complete', { at });
    expect(assess(all, [db, crash(1)]).state).to.equal('waiting');
    expect(assess(all, [crash(7), crash(1), db])).to.deep.include({
      state: 'failed',
      kind: 'crash-loop',
      why: 'app keeps ending: task: non-zero exit (1), 2 times',
    });
    expect(assess(all, [db, end(7), end(1)]).state).to.equal('waiting');
    expect(assess(all, [db, end(13), end(7), end(1)]).state).to.equal('failed');
  });

  it('does not count what died before the update', () => {
    const all = [service({ name: 'app', running: 0 })];
    const earlier = (at: number) => task('app', 'failed', { ...CRASH, at, image: 'old' });
    expect(assess(all, [earlier(1), earlier(2), earlier(3)]).state).to.equal('waiting');
  });

  it('lets an app die for want of a database until that is up', () => {
    const crash = (at: number) => task('app', 'failed', { error: 'cannot connect', at });
    const starting = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 0 })];
    expect(assess(starting, [crash(1), crash(6), crash(11)]).state).to.equal('waiting');
    const up = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 1 })];
    const db = task('db', 'running', { at: 12 });
    expect(assess(up, [db, crash(1), crash(6), crash(11)]).state).to.equal('waiting');
    expect(assess(up, [db, crash(1), crash(6), crash(11), crash(16)]).state).to.equal('waiting');
    expect(assess(up, [db, crash(1), crash(6), crash(11), crash(16), crash(21)]).state).to.equal('failed');
  });

  it('fails when everything that is not up keeps dying', () => {
    const all = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 0 })];
    const tasks = ['app', 'db'].flatMap((name) => [
      task(name, 'failed', { ...CRASH, at: 1 }),
      task(name, 'failed', { ...CRASH, at: 7 }),
    ]);
    expect(assess(all, tasks)).to.deep.include({
      state: 'failed',
      why: 'app, db keep ending: task: non-zero exit (1), 2 times',
    });
  });

  it('takes a service scaled to none as up', () => {
    expect(assess([service({ name: 'job', running: 0, desired: 0 })], []).state).to.equal('converged');
  });
});

describe('what has ended since all was up', () => {
  const all = [service({ name: 'app', running: 1 }), service({ name: 'db', running: 1 })];
  const running = [task('app', 'running', { at: 50 }), task('db', 'running', { at: 5 })];
  const ended = (...tasks: DockerTask[]) =>
    endedSince(all, [...running, ...tasks], new Date(20_000))?.task.ID;

  it('is a task that failed or came to its end, the first of several', () => {
    expect(ended()).to.equal(undefined);
    expect(ended(task('app', 'failed', { at: 40, ...CRASH }))).to.equal('app-failed-40');
    expect(ended(task('app', 'complete', { at: 40 }))).to.equal('app-complete-40');
    expect(ended(task('app', 'failed', { at: 40 }), task('db', 'failed', { at: 30 }))).to.equal(
      'db-failed-30',
    );
  });

  it('is not what ended while it came up, was stopped by Swarm, or is of before the update', () => {
    expect(ended(task('app', 'failed', { at: 10, ...CRASH }))).to.equal(undefined);
    expect(ended(task('app', 'shutdown', { at: 40 }))).to.equal(undefined);
    expect(ended(task('app', 'failed', { at: 40, image: 'old' }))).to.equal(undefined);
    expect(ended({ ...task('app', 'failed', { at: 40 }), ServiceID: 'id-other' })).to.equal(undefined);
  });
});
