import type { DockerNetwork } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { inspectNetworks, type NetworkFound } from './network.js';

function found(id: string, change: Partial<DockerNetwork> = {}, ...users: string[]): NetworkFound {
  const right: DockerNetwork = {
    Id: id,
    Name: 'proxy',
    Driver: 'overlay',
    Scope: 'swarm',
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigOnly: false,
  };
  return { network: { ...right, ...change }, users };
}
const BRIDGE = { Driver: 'bridge', Scope: 'local' };

function look(...networks: NetworkFound[]) {
  const { differences, obstacles, notes } = inspectNetworks('proxy', networks);
  return { actions: differences.map(({ action }) => action), obstacles, notes };
}

describe('the part network', () => {
  it('is right as an overlay, attachable or not, used or not', () => {
    for (const network of [found('n1'), found('n1', { Attachable: true }), found('n1', {}, 'service a_app')])
      expect(look(network)).to.deep.equal({ actions: [], obstacles: [], notes: ['overlay network proxy'] });
  });

  it('is made where there is none', () => {
    expect(look().actions).to.deep.equal([{ kind: 'create' }]);
  });

  const wrong: [what: string, change: Partial<DockerNetwork>, words: string][] = [
    ['of another driver', BRIDGE, 'has the driver bridge instead of overlay'],
    ['closed to the outside', { Internal: true }, 'is internal'],
    ['a template', { ConfigOnly: true }, 'template'],
    ['without a driver', { Driver: '' }, 'neither driver nor addresses'],
    ['of this host only', { Scope: 'local' }, 'has the scope local instead of swarm'],
  ];
  for (const [what, change, words] of wrong) {
    it(`${what} is replaced while nothing uses it, and otherwise named with what does`, () => {
      expect(look(found('n1', change)).actions).to.deep.equal([
        { kind: 'remove', id: 'n1' },
        { kind: 'create' },
      ]);
      const { obstacles } = look(found('n1', change, 'container web', 'service a_app'));
      expect(obstacles).to.have.length(1);
      expect(obstacles[0]?.missing).to.include(words).and.include('used by container web, service a_app');
      expect(obstacles[0]?.todo).to.include('docker network rm n1');
    });
  }

  it('of two of the name, the right one stays, and of two right ones the one in use', () => {
    expect(look(found('n1', BRIDGE), found('n2')).actions).to.deep.equal([{ kind: 'remove', id: 'n1' }]);
    expect(look(found('n1'), found('n2', {}, 'service a_app')).actions).to.deep.equal([
      { kind: 'remove', id: 'n1' },
    ]);
    expect(
      look(found('n1', {}, 'service a'), found('n2', {}, 'service b', 'service c')).obstacles[0]?.missing,
    ).to.include('is there twice, and is used by service a');
  });
});
