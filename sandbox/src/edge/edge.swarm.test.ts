import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDocker, createLogger, disconnectDocker, events, InputError, run } from '@cc-ci/core';
import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { ensureImages } from '../images/index.js';
import { makeWildcardCertificate, type WildcardCertificate } from './certificate.js';
import { type Edge, type EdgeOptions, startEdge } from './edge.js';
import { edgeClient } from './testing/client.js';
import { deployEcho, eventually, makeHealthy, removeStack, routerLabels } from './testing/echo-service.js';
import { edgeContract } from './testing/edge-contract.js';

const ZONE = 'edge.test';
const base = { host: '127.0.0.1', httpPort: 0, httpsPort: 0, logger: createLogger('edge', 'silent') };

edgeContract('the sandbox edge', async () => {
  await ensureImages(['radicale']);
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-edge-'));
  const certificate = await makeWildcardCertificate(dir, ZONE);
  const { httpPort, httpsPort, close } = await startEdge({ ...base, ...certificate });
  return {
    address: '127.0.0.1',
    httpPort,
    httpsPort,
    zone: ZONE,
    ca: await readFile(certificate.caFile, 'utf8'),
    network: 'proxy',
    noticesWithinMs: 1_000,
    async close() {
      await close();
      await rm(dir, { recursive: true });
    },
  };
});

describe('the sandbox edge', () => {
  const id = randomBytes(3).toString('hex');
  const stack = `edge-${id}`;
  const host = `app-${id}.${ZONE}`;
  const labels = routerLabels(stack, `Host(\`${host}\`)`);
  let dir: string;
  let certificate: WildcardCertificate;
  let ca: string;
  const edges: Edge[] = [];
  const start = async (options: Partial<EdgeOptions> = {}) => {
    const edge = await startEdge({ ...base, ...certificate, ...options });
    edges.push(edge);
    const client = edgeClient('127.0.0.1', ca);
    const status = async () => (await client.ask(`https://${host}:${edge.httpsPort}/`)).status;
    return { edge, client, status };
  };

  before(async () => {
    await ensureImages(['radicale']);
    dir = await mkdtemp(join(tmpdir(), 'cc-ci-edge-'));
    certificate = await makeWildcardCertificate(dir, ZONE);
    ca = await readFile(certificate.caFile, 'utf8');
  });
  after(async () => {
    for (const edge of edges) await edge.close();
    await removeStack(stack);
    await rm(dir, { recursive: true });
  });

  it('routes to a task within half a second of its becoming healthy', async () => {
    const { client, status } = await start();
    const docker = connectDocker();
    const stop = new AbortController();
    const healthy = (async () => {
      const wanted = { type: ['container'], event: ['health_status'] };
      for await (const event of events(docker, wanted, stop.signal)) {
        if (event.Actor.Attributes['com.docker.swarm.service.name'] === `${stack}_app`)
          return performance.now();
      }
      throw new Error('no event');
    })();
    try {
      await deployEcho(stack, 'proxy', { app: { labels, checked: true } });
      expect(await status()).to.equal(404);
      await makeHealthy(stack, 'app');
      const since = await healthy;
      await eventually(async () => expect(await status()).to.equal(200));
      expect(performance.now() - since).to.be.lessThan(500);
    } finally {
      stop.abort();
      await disconnectDocker(docker);
      await client.close();
    }
  });

  it('finds what is deployed already when it starts, and ends its connections when it is closed', async () => {
    const { edge, client, status } = await start();
    expect(await status()).to.equal(200);
    const held = await client.ask(`https://${host}:${edge.httpsPort}/`);
    expect(held.status).to.equal(200);
    await edge.close();
    await client.close();
    const refused = await edgeClient('127.0.0.1', ca)
      .ask(`https://${host}:${edge.httpsPort}/`)
      .catch((error) => error);
    expect(refused.code).to.equal('ECONNREFUSED');
  });

  it('keeps the router of a service without tasks only where it is told to, as Traefik', async () => {
    const plain = await start();
    const keeping = await start({ allowEmptyServices: true });
    await run('docker', ['service', 'scale', '--detach', `${stack}_app=0`]);
    await eventually(async () => {
      expect(await plain.status()).to.equal(404);
      const answer = await keeping.client.ask(`https://${host}:${keeping.edge.httpsPort}/`);
      expect([answer.status, answer.text]).to.deep.equal([503, 'no available server\n']);
    });
    await Promise.all([plain.client.close(), keeping.client.close()]);
  });

  it('does not reach around the network: a service that is on another one only has no task for it', async () => {
    const { client, edge } = await start();
    const url = (name: string) => `https://${name}-${id}.${ZONE}:${edge.httpsPort}/`;
    const labelsOf = (name: string) => routerLabels(`${stack}-${name}`, `Host(\`${name}-${id}.${ZONE}\`)`);
    await deployEcho(stack, 'proxy', {
      inner: { labels: labelsOf('inner'), networks: ['inner'] },
      outer: { labels: labelsOf('outer') },
    });
    await eventually(async () => {
      expect((await client.ask(url('outer'))).status).to.equal(200);
      const { stdout } = await run('docker', [
        'service',
        'ls',
        '--filter',
        `name=${stack}_inner`,
        '--format',
        '{{.Replicas}}',
      ]);
      expect(stdout.trim()).to.equal('1/1');
    });
    expect((await client.ask(url('inner'))).status).to.equal(404);
    await client.close();
  });

  it('says which certificate it cannot use', async () => {
    const { caFile, certFile, keyFile } = certificate;
    const refusal = async (options: Partial<EdgeOptions>) => {
      const error = await start(options).catch((thrown) => thrown);
      expect(error).to.be.instanceOf(InputError);
      return error.message;
    };
    expect(await refusal({ certFile: '/nowhere.pem' }))
      .to.include('/nowhere.pem')
      .and.include('ENOENT');
    expect(await refusal({ certFile: caFile })).to.include(`cannot use ${caFile} with ${keyFile}: `);
    expect(await refusal({ keyFile: certFile })).to.include(`cannot use ${certFile} with ${certFile}: `);
  });

  it('says which port is taken', async () => {
    const { edge } = await start();
    const second = await startEdge({ ...base, ...certificate, httpsPort: edge.httpsPort }).catch(
      (error) => error,
    );
    expect(second).to.be.instanceOf(InputError);
    expect(second.message).to.equal(`the edge cannot listen on 127.0.0.1:${edge.httpsPort} (EADDRINUSE)`);
  });
});
