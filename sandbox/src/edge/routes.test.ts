import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type Backend, buildRoutes, findRoute } from './routes.js';
import { routerLabels } from './testing/echo-service.js';

const backend = (service: string, labels: Record<string, string>, ...addresses: string[]): Backend => ({
  service,
  labels,
  addresses: addresses.length > 0 ? addresses : ['172.18.0.9'],
});
const targetsFor = (backends: Backend[], host: string, path = '/') =>
  findRoute(buildRoutes(backends, false), { host, path })?.targets.map(
    (target) => `${target.host}:${target.port}`,
  );

describe('the routing table', () => {
  it('sends the names of a router to all tasks of its service, at the labelled port', () => {
    const app = backend('x_app', routerLabels('x', 'Host(`x.test`)', 8080), '172.18.0.3', '172.18.0.4');
    expect(targetsFor([app], 'x.test')).to.deep.equal(['172.18.0.3:8080', '172.18.0.4:8080']);
    expect(targetsFor([app], 'y.test')).to.equal(undefined);
  });

  it('drops a service without tasks, or keeps its router where that is asked for', () => {
    const app: Backend = { service: 'x_app', labels: routerLabels('x', 'Host(`x.test`)'), addresses: [] };
    expect(buildRoutes([app], false).routes).to.deep.equal([]);
    expect(buildRoutes([app], true).routes.map(({ targets }) => targets)).to.deep.equal([[]]);
  });

  it('asks longer rules first, unless a priority says otherwise', () => {
    const general = backend('g', routerLabels('g', 'Host(`x.test`)'), '172.18.0.1');
    const special = backend('s', routerLabels('s', 'Host(`x.test`) && PathPrefix(`/api`)'), '172.18.0.2');
    expect(targetsFor([general, special], 'x.test', '/api')).to.deep.equal(['172.18.0.2:8000']);
    general.labels['traefik.http.routers.g.priority'] = '1000';
    expect(targetsFor([general, special], 'x.test', '/api')).to.deep.equal(['172.18.0.1:8000']);
  });

  it('looks at routers of the HTTPS entrypoint with TLS only', () => {
    const labels = routerLabels('x', 'Host(`x.test`)');
    const without = (name: string) => {
      const { [`traefik.http.routers.x.${name}`]: _, ...rest } = labels;
      return rest;
    };
    expect(targetsFor([backend('x', without('tls.certresolver'))], 'x.test')).to.equal(undefined);
    expect(
      targetsFor([backend('x', { ...labels, 'traefik.http.routers.x.entrypoints': 'web' })], 'x.test'),
    ).to.equal(undefined);
    expect(targetsFor([backend('x', without('entrypoints'))], 'x.test')).to.have.length(1);
    const tls = { ...without('tls.certresolver'), 'traefik.http.routers.x.tls': 'true' };
    expect(targetsFor([backend('x', tls)], 'x.test')).to.have.length(1);
  });

  it('takes the service that a router names, when a stack labels several', () => {
    const labels = {
      ...routerLabels('x', 'Host(`x.test`)', 80),
      'traefik.http.services.other.loadbalancer.server.port': '9000',
    };
    expect(buildRoutes([backend('x', labels)], false).problems).to.deep.equal([
      'router x of x: several services (x, other) and no label that chooses one',
    ]);
    const chosen = { ...labels, 'traefik.http.routers.x.service': 'other@swarm' };
    expect(targetsFor([backend('x', chosen)], 'x.test')).to.deep.equal(['172.18.0.9:9000']);
  });

  it('joins services that define the same router alike, and uses none of those that differ', () => {
    const labels = routerLabels('x', 'Host(`x.test`)');
    expect(
      targetsFor([backend('a', labels, '172.18.0.1'), backend('b', labels, '172.18.0.2')], 'x.test'),
    ).to.have.length(2);
    const other = routerLabels('x', 'Host(`y.test`)');
    const table = buildRoutes([backend('a', labels), backend('b', other), backend('c', labels)], false);
    expect(table.routes).to.deep.equal([]);
    expect(table.problems).to.deep.equal([
      'router x is defined by several services in different ways: none of them is used',
    ]);
  });

  const mistakes: [what: string, labels: Record<string, string>, complaint: string][] = [
    [
      'no rule',
      { 'traefik.http.routers.x.rule': '' },
      'the rule  is not understood: a matcher is missing before its end',
    ],
    [
      'a port that is none',
      { 'traefik.http.services.x.loadbalancer.server.port': 'http' },
      'traefik.http.services.<service>.loadbalancer.server.port is http, not a port',
    ],
    [
      'a service that is not there',
      { 'traefik.http.routers.x.service': 'y' },
      'the label traefik.http.services.y.loadbalancer.server.port is missing',
    ],
  ];
  for (const [what, labels, complaint] of mistakes) {
    it(`names the router and what is wrong with it: ${what}`, () => {
      const good = backend('good', routerLabels('good', 'Host(`good.test`)'));
      const bad = backend('bad', { ...routerLabels('x', 'Host(`x.test`)'), ...labels });
      const table = buildRoutes([bad, good], false);
      expect(table.problems).to.deep.equal([`router x of bad: ${complaint}`]);
      expect(table.routes.map(({ router }) => router)).to.deep.equal(['good']);
    });
  }
});
