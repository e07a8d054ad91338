import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connectDocker, type Docker, disconnectDocker, findService, removeService, run } from '@cc-ci/core';
import { EDGE_SERVICE, edgePart, type Listen, networkPart, reconcile, swarmPart } from '@cc-ci/reconcile';
import { type RealTraefik, startTraefik } from '@cc-ci/sandbox/real';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { Agent } from 'undici';
import { z } from 'zod';

const ZONE = `edge-${randomBytes(3).toString('hex')}.test`;

/** What Traefik makes of the labels: servers on this machine, reached through a real one on the swarm. */
describe('the edge through Traefik', () => {
  let docker: Docker;
  let traefik: RealTraefik;
  let agent: Agent;
  const servers: Server[] = [];
  before(async function () {
    docker = connectDocker();
    if (await findService(docker, EDGE_SERVICE, z.unknown())) return this.skip();
    traefik = await startTraefik({ zone: ZONE, network: 'proxy' });
    const gateway = [
      'network',
      'inspect',
      'docker_gwbridge',
      '--format',
      '{{(index .IPAM.Config 0).Gateway}}',
    ];
    const address = (await run('docker', gateway)).stdout.trim();
    const [dashboard, bridge, drone] = [
      await serve('dashboard', address),
      await serve('bridge', address),
      await serve('drone', address),
    ];
    const parts = [
      swarmPart(docker, {}),
      networkPart(docker),
      edgePart(docker, {
        ...{ traefikStack: 'none', dashboardDomain: `ci.${ZONE}`, droneDomain: `drone.${ZONE}` },
        ...{ dashboard, bridge, drone },
      }),
    ];
    expect((await reconcile(parts, ['edge'])).state).to.equal('changed');
    const lookup: LookupFunction = (_name, options, done) =>
      options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    agent = new Agent({ connect: { lookup, ca: await readFile(traefik.caFile, 'utf8') } });
    await noticed();
  });
  after(async () => {
    await agent?.destroy();
    for (const server of servers) server.close().closeAllConnections();
    if (traefik) {
      const edge = await findService(docker, EDGE_SERVICE, z.object({ ID: z.string() }));
      if (edge) await removeService(docker, edge.ID);
      await traefik.dispose();
    }
    await disconnectDocker(docker);
  });

  async function serve(name: string, host: string): Promise<Listen> {
    const server = createServer((asked, answer) => {
      answer.end(`${name} ${asked.method} ${asked.url} for ${asked.headers['x-forwarded-host']}`);
    });
    servers.push(server.listen(0, host));
    await once(server, 'listening');
    return { host, port: (server.address() as AddressInfo).port };
  }
  async function ask(name: string, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> {
    // The path as it is written: a URL would put dots right.
    const origin = `https://${name}.${ZONE}:${traefik.httpsPort}`;
    const { statusCode, body } = await agent.request({ origin, path, method });
    const text = await body.text();
    return statusCode === 200 ? text.replace(/ for .*/, '') : String(statusCode);
  }
  /** Traefik looks at the swarm once a second. */
  async function noticed(): Promise<void> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const answer = await ask('ci', '/').catch((error: unknown) => String(error));
      if (answer.startsWith('dashboard')) return;
      if (performance.now() > deadline) throw new Error(`${answer}\n${await traefik.log()}`);
      await delay(100);
    }
  }

  it('leads to the dashboard, to the webhook, and to Drone', async () => {
    expect(await ask('ci', '/runs/abc?x=1')).to.equal('dashboard GET /runs/abc?x=1');
    expect(await ask('ci', '/hook', 'POST')).to.equal('bridge POST /hook');
    expect(await ask('ci', '/hook?x=1', 'POST')).to.equal('bridge POST /hook?x=1');
    expect(await ask('drone', '/api/user')).to.equal('drone GET /api/user');
    expect(await ask('drone', '/hook', 'POST')).to.equal('drone POST /hook');
    expect(await ask('other', '/')).to.equal('404');
  });

  it('leads to nothing else of the bridge', async () => {
    for (const path of ['/hook/', '/hook/metrics', '/hook/../metrics', '/hook%2f..%2fmetrics', '/healthz'])
      expect(await ask('ci', path), path).to.not.include('bridge');
  });

  it('leads to no metrics, however they are written', async () => {
    const ways = [
      '/metrics',
      '/metrics/',
      '/metrics?x=1',
      '//metrics',
      '/./metrics',
      '/x/../metrics',
      '/%6detrics',
    ];
    for (const path of ways) {
      const answer = await ask('ci', path);
      // A redirect to the same in plain words leads to the 404.
      expect(answer, path).to.match(/^(?:404|30[1278]|400)$/);
    }
  });
});
