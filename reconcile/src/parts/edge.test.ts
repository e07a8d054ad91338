import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type EdgeOptions, edgeLabels, inspectEdge } from './edge.js';

const OPTIONS: EdgeOptions = {
  traefikStack: 'traefik_example_org',
  dashboardDomain: 'ci.example.org',
  droneDomain: 'drone.example.org',
  dashboard: { host: '172.17.0.1', port: 8091 },
  bridge: { host: '172.17.0.1', port: 8090 },
  drone: { host: 'fd00::1', port: 8092 },
};
const LABELS = edgeLabels(OPTIONS);
const RIGHT = {
  ID: 'id',
  Spec: {
    Labels: LABELS,
    Mode: { Replicated: { Replicas: 0 } },
    EndpointSpec: { Mode: 'vip' },
    TaskTemplate: { Networks: [{ Target: 'proxy-id' }] },
  },
};
const plansOf = (change: Partial<(typeof RIGHT)['Spec']>) =>
  inspectEdge(LABELS, { ID: 'id', Spec: { ...RIGHT.Spec, ...change } }, 'proxy-id').differences.map(
    ({ found, plan }) => `${found}: ${plan}`,
  );

describe('the labels of the edge', () => {
  it('route each name to where it is served, the metrics of none', () => {
    expect(LABELS).to.deep.equal({
      'traefik.enable': 'true',
      'traefik.swarm.lbswarm': 'true',
      'traefik.http.routers.cc-ci-dashboard.rule': 'Host(`ci.example.org`) && !PathPrefix(`/metrics`)',
      'traefik.http.routers.cc-ci-dashboard.entrypoints': 'web-secure',
      'traefik.http.routers.cc-ci-dashboard.tls': 'true',
      'traefik.http.routers.cc-ci-dashboard.service': 'cc-ci-dashboard',
      'traefik.http.services.cc-ci-dashboard.loadbalancer.server.url': 'http://172.17.0.1:8091',
      'traefik.http.routers.cc-ci-hook.rule': 'Host(`ci.example.org`) && Path(`/hook`)',
      'traefik.http.routers.cc-ci-hook.priority': '10000',
      'traefik.http.routers.cc-ci-hook.entrypoints': 'web-secure',
      'traefik.http.routers.cc-ci-hook.tls': 'true',
      'traefik.http.routers.cc-ci-hook.service': 'cc-ci-hook',
      'traefik.http.services.cc-ci-hook.loadbalancer.server.url': 'http://172.17.0.1:8090',
      'traefik.http.routers.cc-ci-drone.rule': 'Host(`drone.example.org`)',
      'traefik.http.routers.cc-ci-drone.entrypoints': 'web-secure',
      'traefik.http.routers.cc-ci-drone.tls': 'true',
      'traefik.http.routers.cc-ci-drone.service': 'cc-ci-drone',
      'traefik.http.services.cc-ci-drone.loadbalancer.server.url': 'http://[fd00::1]:8092',
    });
  });

  it('route nothing that is not on this host', () => {
    const none = { dashboard: undefined, bridge: undefined, drone: undefined };
    expect(edgeLabels({ ...OPTIONS, ...none })).to.deep.equal({
      'traefik.enable': 'false',
      'traefik.swarm.lbswarm': 'true',
    });
    const labels = Object.keys(edgeLabels({ ...OPTIONS, drone: undefined }));
    expect(labels.filter((name) => name.includes('drone'))).to.deep.equal([]);
  });
});

describe('the service of the edge', () => {
  it('is right with the labels, an address on the network, and no tasks', () => {
    expect(plansOf({})).to.deep.equal([]);
  });

  it('is made where there is none', () => {
    expect(inspectEdge(LABELS, undefined, 'proxy-id').differences.map(({ action }) => action)).to.deep.equal([
      { kind: 'create' },
    ]);
  });

  it('is put right where it is another, and says what is', () => {
    const { 'traefik.enable': _, ...without } = LABELS;
    expect(
      plansOf({ Labels: without as typeof LABELS, Mode: { Replicated: { Replicas: 2 } } }),
    ).to.deep.equal([
      'the service cc-ci-edge has other labels: traefik.enable and is to run 2 times: put it right',
    ]);
    expect(plansOf({ Labels: { ...LABELS, more: '1' } })).to.have.length(1);
  });

  it('is made anew where Traefik would pass over it', () => {
    const anew = [
      'the service cc-ci-edge has no address on the network proxy: remove it',
      'it is not there then: make it',
    ];
    expect(plansOf({ TaskTemplate: { Networks: [{ Target: 'another' }] } })).to.deep.equal(anew);
    expect(plansOf({ EndpointSpec: { Mode: 'dnsrr' } })).to.deep.equal(anew);
  });
});
