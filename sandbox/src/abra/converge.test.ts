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
      TaskTemplate: { ContainerSpec: { Image: 'a:1' } },
      Mode: { Replicated: { Replicas: replicas } },
    },
    ...(update === undefined ? {} : { UpdateStatus: { State: update, Message: `update ${update}` } }),
    ServiceStatus: { RunningTasks: running, DesiredTasks: desired },
  });

  it('needs every task of every service', () => {
    expect(assess([service(1, 1), service(2, 2)])).to.equal('converged');
    expect(assess([service(1, 1), service(1, 2)])).to.equal('waiting');
    expect(assess([])).to.equal('waiting');
  });

  it('does not wait for a service that is scaled to nothing, but for one that has no task yet', () => {
    expect(assess([service(0, 0)])).to.equal('converged');
    expect(assess([service(0, 0, undefined, 1)])).to.equal('waiting');
  });

  it('waits for updates under way, also when everything runs', () => {
    for (const state of ['updating', 'rollback_started'])
      expect(assess([service(1, 1, state)])).to.equal('waiting');
    expect(assess([service(1, 1, 'completed')])).to.equal('converged');
  });

  it('fails as soon as Swarm gives an update up, whatever runs', () => {
    for (const state of ['paused', 'rollback_paused', 'rollback_completed']) {
      expect(assess([service(1, 1, state), service(0, 1)])).to.equal('failed');
    }
  });

  it('says which service is not up, and why', () => {
    const failed = {
      ServiceID: 'id',
      Status: { State: 'rejected', Err: 'No such image: a:1' },
    } as DockerTask;
    expect(explain([service(0, 1, 'paused')], [failed])).to.deep.equal([
      's_app 0/1: update paused; No such image: a:1',
    ]);
    expect(explain([service(1, 1)], [])).to.deep.equal([]);
  });
});
