import type { DockerService, DockerTask } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { assess } from './converge.js';

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
      TaskTemplate: { ContainerSpec: { Image: 'x' } },
      Mode: { Replicated: { Replicas: desired } },
    },
    ...(update ? { UpdateStatus: { State: update, ...(message ? { Message: message } : {}) } } : {}),
    ServiceStatus: { RunningTasks: running, DesiredTasks: desired },
  };
}

function task(of: string, state: string, error?: string): DockerTask {
  return {
    ID: `${of}-${state}`,
    ServiceID: `id-${of}`,
    CreatedAt: '',
    DesiredState: 'shutdown',
    Spec: {},
    Status: { Timestamp: '', State: state, ...(error ? { Err: error } : {}) },
  };
}

describe('convergence', () => {
  it('is reached when every service has all its tasks', () => {
    const all = [service({ name: 'app', running: 1 }), service({ name: 'db', running: 2, desired: 2 })];
    expect(assess(all, [])).to.deep.equal({ state: 'converged' });
  });

  it('is not reached by nothing', () => {
    expect(assess([], []).state).to.equal('waiting');
  });

  it('waits for whoever is not up, and names it', () => {
    const all = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 1 })];
    expect(assess(all, [])).to.deep.equal({ state: 'waiting', why: 'not up yet: app 0/1' });
  });

  it('waits while an update goes on, although the old task still counts as running', () => {
    for (const update of ['updating', 'rollback_started']) {
      expect(assess([service({ name: 'app', running: 1, update })], []).state).to.equal('waiting');
    }
  });

  it('does not wait for a paused update to clear: that never happens', () => {
    for (const update of ['paused', 'completed']) {
      expect(assess([service({ name: 'app', running: 1, update })], []).state).to.equal('converged');
    }
  });

  it('fails on a rollback although the old task answers', () => {
    for (const update of ['rollback_completed', 'rollback_paused']) {
      const assessment = assess([service({ name: 'app', running: 1, update, message: 'task failed' })], []);
      expect(assessment).to.deep.include({
        state: 'failed',
        kind: 'rollback',
        why: 'Swarm rolled app back: task failed',
      });
    }
  });

  it('fails at once on what no retry mends', () => {
    const all = [service({ name: 'app', running: 0 })];
    const rejected = task('app', 'rejected', 'No such image: nginx:9.99');
    expect(assess(all, [rejected])).to.deep.include({
      state: 'failed',
      kind: 'rejected',
      why: 'app cannot start: No such image: nginx:9.99',
    });
    expect(assess(all, [task('app', 'rejected', 'node is busy')]).state).to.equal('waiting');
  });

  it('fails on a crash loop, also of a process that ends with exit code 0', () => {
    const all = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 1 })];
    const crash = task('app', 'failed', 'task: non-zero exit (1)');
    expect(assess(all, [crash, crash]).state).to.equal('waiting');
    expect(assess(all, [crash, crash, crash])).to.deep.include({
      state: 'failed',
      kind: 'crash-loop',
      why: 'app keeps ending: task: non-zero exit (1), 3 times',
    });
    expect(
      assess(all, [task('app', 'complete'), task('app', 'complete'), task('app', 'complete')]).state,
    ).to.equal('failed');
  });

  it('lets an app die for want of a database that is still starting', () => {
    const all = [service({ name: 'app', running: 0 }), service({ name: 'db', running: 0 })];
    const crash = task('app', 'failed', 'cannot connect');
    expect(assess(all, Array(10).fill(crash)).state).to.equal('waiting');
  });

  it('takes a service scaled to none as up', () => {
    expect(assess([service({ name: 'job', running: 0, desired: 0 })], []).state).to.equal('converged');
  });
});
