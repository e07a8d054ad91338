import type { NetworkInterfaceInfo } from 'node:os';
import type { SwarmState } from '@cc-ci/core';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { inspectSwarm, outerAddresses, type SwarmFound } from './swarm.js';

const RIGHT: SwarmState = {
  NodeID: 'node1',
  NodeAddr: '10.0.0.5',
  LocalNodeState: 'active',
  ControlAvailable: true,
  Error: '',
  Nodes: 1,
};
const NONE: SwarmState = {
  ...RIGHT,
  NodeID: '',
  NodeAddr: '',
  LocalNodeState: 'inactive',
  ControlAvailable: false,
};

function look(swarm: SwarmState, rest: Partial<SwarmFound> = {}, advertise?: string) {
  return inspectSwarm({ swarm, availability: 'active', addresses: ['10.0.0.5'], ...rest }, advertise);
}

describe('the part swarm', () => {
  it('is right as the only node and manager, whatever its address', () => {
    expect(look(RIGHT)).to.deep.equal({
      differences: [],
      obstacles: [],
      notes: ['manager of a swarm of one at 10.0.0.5'],
    });
    const { differences, obstacles, notes } = look(RIGHT, {}, '10.0.0.6');
    expect([...differences, ...obstacles]).to.deep.equal([]);
    expect(notes.join()).to.include('not 10.0.0.6');
  });

  const beginnings: [
    what: string,
    addresses: string[],
    setting: string | undefined,
    listen: string,
    at: string,
  ][] = [
    ['the only address', ['10.0.0.5'], undefined, '0.0.0.0:2377', '10.0.0.5'],
    ['the address of the setting', ['10.0.0.5', '10.0.0.6'], '10.0.0.6', '0.0.0.0:2377', '10.0.0.6'],
    ['one that is not the host’s own', ['10.0.0.5'], '192.0.2.1', '0.0.0.0:2377', '192.0.2.1'],
    [
      'loopback, and listens there only',
      ['10.0.0.5', '10.0.0.6'],
      '127.0.0.1',
      '127.0.0.1:2377',
      '127.0.0.1',
    ],
    ['loopback where there is no network', [], undefined, '127.0.0.1:2377', '127.0.0.1'],
    ['an IPv6 address', [], '2001:db8::1', '[::]:2377', '2001:db8::1'],
    ["IPv6's loopback", [], '::1', '[::1]:2377', '::1'],
  ];
  for (const [what, addresses, setting, listen, advertise] of beginnings) {
    it(`is begun with ${what}`, () => {
      const { differences, obstacles } = look(NONE, { addresses }, setting);
      expect(obstacles).to.deep.equal([]);
      expect(differences.map(({ action }) => action)).to.deep.equal([{ listen, advertise }]);
    });
  }

  it('asks for the address where there are several', () => {
    const { differences, obstacles } = look(NONE, { addresses: ['10.0.0.5', '10.0.0.6'] });
    expect(differences).to.deep.equal([]);
    expect(obstacles[0]?.missing).to.include('10.0.0.5, 10.0.0.6');
    expect(obstacles[0]?.todo).to.include('CC_CI_ADVERTISE_ADDRESS');
  });

  const blocked: [what: string, change: Partial<SwarmState>, availability: string, words: string][] = [
    [
      'a worker',
      { ControlAvailable: false, Error: 'no leader' },
      'active',
      "a worker in somebody else's swarm (no leader)",
    ],
    ['one of several', { Nodes: 2 }, 'active', 'has 2 nodes'],
    ['locked', { LocalNodeState: 'locked', ControlAvailable: false }, 'active', 'is locked'],
    [
      'joining another',
      { LocalNodeState: 'pending', ControlAvailable: false },
      'active',
      'is joining another swarm',
    ],
    [
      'broken',
      { LocalNodeState: 'error', ControlAvailable: false, Error: 'no address' },
      'active',
      'in the state error: no address',
    ],
    ['in a state nobody knew of', { LocalNodeState: 'asleep' }, 'active', 'in the state asleep'],
    ['drained', {}, 'drain', 'takes no tasks (availability drain)'],
  ];
  for (const [what, change, availability, words] of blocked) {
    it(`is left alone when ${what}, and the operator is told what to do`, () => {
      const { differences, obstacles } = look({ ...RIGHT, ...change }, { availability }, '127.0.0.1');
      expect(differences).to.deep.equal([]);
      expect(obstacles).to.have.length(1);
      expect(obstacles[0]).to.include({ whose: 'operator' });
      expect(obstacles[0]?.missing).to.include(words);
      expect(obstacles[0]?.todo).to.include('docker ');
    });
  }

  it("counts a host's own addresses, and none of Docker's", () => {
    const at = (address: string, family: 'IPv4' | 'IPv6' = 'IPv4', internal = false) =>
      [{ address, family, internal }] as unknown as NetworkInterfaceInfo[];
    expect(
      outerAddresses({
        lo: at('127.0.0.1', 'IPv4', true),
        eth0: [...at('10.0.0.5'), ...at('fe80::1', 'IPv6')],
        docker0: at('172.17.0.1'),
        docker_gwbridge: at('172.18.0.1'),
        'br-1234': at('172.19.0.1'),
        veth12: at('172.20.0.1'),
        wg0: at('10.9.0.1'),
      }),
    ).to.deep.equal(['10.0.0.5', '10.9.0.1']);
  });
});
