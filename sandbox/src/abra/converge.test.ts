import type { DockerService, DockerTask } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { assess, explain } from './converge.js';

describe('whether an app is up', () => {
  const service = (running: number, desired: number, update?: string, replicas = desired): DockerService => ({
    ID: 'id',
    CreatedAt: '',
    UpdatedAt: '',
    Spec: {
      Name: 's_app',
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: 'a:1', Args: ['x'] }, ForceUpdate: 0, Runtime: 'container' },
      Mode: { Replicated: { Replicas: replicas } },
    },
    ...(update === undefined ? {} : { UpdateStatus: { State: update, Message: `update ${update}` } }),
    ServiceStatus: { RunningTasks: running, DesiredTasks: desired },
  });
  const task = (change: Partial<DockerTask> = {}): DockerTask => ({
    ID: 't',
    ServiceID: 'id',
    CreatedAt: '',
    DesiredState: 'running',
    Spec: { ContainerSpec: { Image: 'a:1', Args: ['x'] }, ForceUpdate: 0 },
    Status: { Timestamp: '', State: 'running' },
    ...change,
  });

  it('needs every task of every service', () => {
    expect(assess([service(1, 1), service(2, 2)], [task(), task()])).to.equal('converged');
    expect(assess([service(1, 1), service(1, 2)], [task(), task()])).to.equal('waiting');
    expect(assess([], [])).to.equal('waiting');
  });

  it('takes a task of an older spec for what it is, though Swarm counts it', () => {
    const older = [
      task({ Spec: { ContainerSpec: { Image: 'a:1', Args: ['y'] }, ForceUpdate: 0 } }),
      task({ Spec: { ContainerSpec: { Image: 'a:1', Args: ['x'] }, ForceUpdate: 1 } }),
      task({ DesiredState: 'shutdown' }),
      task({ ServiceID: 'other' }),
    ];
    for (const other of older) expect(assess([service(1, 1)], [other])).to.equal('counted');
    expect(assess([service(1, 1)], [...older, task()])).to.equal('converged');
  });

  it('does not wait for a service that is scaled to nothing, but for one that has no task yet', () => {
    expect(assess([service(0, 0)], [])).to.equal('converged');
    expect(assess([service(0, 0, undefined, 1)], [])).to.equal('waiting');
  });

  it('waits for updates under way, also when everything runs', () => {
    for (const state of ['updating', 'rollback_started'])
      expect(assess([service(1, 1, state)], [task()])).to.equal('waiting');
    expect(assess([service(1, 1, 'completed')], [task()])).to.equal('converged');
  });

  it('fails as soon as Swarm gives an update up, whatever runs', () => {
    for (const state of ['paused', 'rollback_paused', 'rollback_completed']) {
      expect(assess([service(1, 1, state), service(0, 1)], [task()])).to.equal('failed');
    }
  });

  it('says which service is not up, and why', () => {
    const failed = task({ Status: { Timestamp: '', State: 'rejected', Err: 'No such image: a:1' } });
    expect(explain([service(0, 1, 'paused')], [failed])).to.deep.equal([
      's_app 0/1: update paused; No such image: a:1',
    ]);
    expect(explain([service(1, 1)], [task()])).to.deep.equal([]);
  });
});
