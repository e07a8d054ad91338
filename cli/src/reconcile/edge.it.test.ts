import { findService, listServices } from '@cc-ci/core';
import { until } from '@cc-ci/core/testing';
import { EDGE_SERVICE, reconcile } from '@cc-ci/reconcile';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { type BlankHost, changesOf, killedWhere, statesOf, useBlankHost } from './testing/host.js';

const serviceWithAddress = z.looseObject({
  ID: z.string(),
  Endpoint: z.looseObject({ VirtualIPs: z.array(z.unknown()).optional() }),
});

describe('the part edge', () => {
  let host: BlankHost;
  useBlankHost((started) => {
    host = started;
  });

  const converge = (settings: Record<string, string> = {}) => reconcile(host.parts(settings), ['edge']);
  const service = () => findService(host.engine.docker, EDGE_SERVICE, serviceWithAddress);
  /** Swarm gives a new service its address a moment later, which changes the service. */
  const serviceAtRest = () =>
    until(async () => {
      const found = await service();
      return found?.Endpoint.VirtualIPs && found;
    });
  const updateIt = (...change: string[]) =>
    host.engine.client('service', 'update', '--detach', '--no-resolve-image', ...change, EDGE_SERVICE);

  it('is finished by the next run when one was killed before it', async () => {
    await killedWhere(host, ['edge'], { part: 'edge', change: 1 });
    expect(statesOf(await converge())).to.deep.equal({
      swarm: 'converged',
      network: 'converged',
      edge: 'changed',
    });
  });

  it('has an address on the network and no task, and is left alone by the next run', async () => {
    const made = await serviceAtRest();
    expect(made).to.have.nested.property('Endpoint.VirtualIPs').with.length(1);
    expect(await host.engine.client('service', 'ps', '--quiet', EDGE_SERVICE)).to.equal('');
    expect((await converge()).state).to.equal('converged');
    expect(await service()).to.deep.equal(made);
  });

  const drifts: Record<string, () => Promise<unknown>> = {
    'a label that was changed': () =>
      updateIt('--label-add', 'traefik.http.routers.cc-ci-dashboard.rule=PathPrefix(`/`)'),
    'a label that was added': () =>
      updateIt('--label-add', 'traefik.http.routers.other.rule=PathPrefix(`/`)'),
    'tasks it is to have': () => updateIt('--replicas', '1'),
  };
  for (const [what, spoil] of Object.entries(drifts)) {
    it(`heals in place: ${what}`, async () => {
      const before = await service();
      await spoil();
      const report = await converge();
      expect(changesOf(report, 'edge')).to.have.length(1);
      const now = await service();
      expect(now).to.deep.include({ ID: before?.ID, Spec: before?.Spec });
    });
  }

  it('is made again when it was removed, or moved off the network', async () => {
    await host.engine.client('service', 'rm', EDGE_SERVICE);
    expect((await converge()).state).to.equal('changed');
    await updateIt('--network-rm', 'proxy');
    const report = await converge();
    expect(changesOf(report, 'edge')).to.deep.equal([
      'the service cc-ci-edge has no address on the network proxy: remove it',
      'it is not there then: make it',
    ]);
    expect((await converge()).state).to.equal('converged');
  });

  it('waits for an address that can be reached, and touches nothing', async () => {
    const before = await serviceAtRest();
    const report = await converge({ CC_CI_BRIDGE_LISTEN: '127.0.0.1:8090' });
    expect(statesOf(report).edge).to.match(/^blocked: the bridge listens at 127\.0\.0\.1:8090/);
    expect(await service()).to.deep.equal(before);
  });

  it('waits for a Traefik that can route to addresses', async () => {
    const stack = 'traefik_ci_example_test';
    const label = `com.docker.stack.namespace=${stack}`;
    const old = ['service', 'create', '--detach', '--no-resolve-image', '--replicas', '0', '--label', label];
    await host.engine.client(...old, '--name', `${stack}_app`, 'traefik:v3.3.7');
    expect(await listServices(host.engine.docker, stack)).to.have.length(1);
    expect(statesOf(await converge()).edge).to.match(/^blocked: Traefik 3\.3 is deployed/);
    await host.engine.client('service', 'rm', `${stack}_app`);
    expect((await converge()).state).to.equal('converged');
  });
});
