import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type BridgeAppDeps, buildBridgeApp } from './app.js';
import { createMetrics } from './metrics.js';

const fine = (detail: string) => () => ({ ok: true, detail });
const WELL = { forge: fine('looked at'), database: fine('can be written'), engine: fine('answers') };

async function readyz(deps: BridgeAppDeps): Promise<{ status: number; body: unknown }> {
  const app = buildBridgeApp(deps);
  try {
    const response = await app.inject({ method: 'GET', url: '/readyz' });
    return { status: response.statusCode, body: response.json() };
  } finally {
    await app.close();
  }
}

describe("the bridge's HTTP side", () => {
  it('is live whatever its parts say', async () => {
    const app = buildBridgeApp({ checks: { ...WELL, engine: () => Promise.reject(new Error('gone')) } });
    const response = await app.inject({ method: 'GET', url: '/healthz' });
    expect(response.statusCode).to.equal(200);
    expect(response.json()).to.deep.equal({ live: true });
    await app.close();
  });

  it('is not live when one of its loops hangs, and says which', async () => {
    let late: string[] = [];
    const app = buildBridgeApp({ checks: WELL, late: () => late });
    expect((await app.inject({ method: 'GET', url: '/healthz' })).statusCode).to.equal(200);
    late = ['the next look at the forge is overdue'];
    const response = await app.inject({ method: 'GET', url: '/healthz' });
    expect([response.statusCode, response.json()]).to.deep.equal([503, { live: false, late }]);
    await app.close();
  });

  it('gives its metrics as Prometheus wants them', async () => {
    const metrics = createMetrics({ engine: { list: async () => [] }, now: Date.now });
    const app = buildBridgeApp({ checks: WELL, metrics });
    const response = await app.inject({ method: 'GET', url: '/metrics' });
    expect(response.headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    expect(response.body).to.include('# TYPE cc_ci_trigger_latency_seconds histogram');
    await app.close();
  });

  it('is ready when all its parts are', async () => {
    expect(await readyz({ checks: WELL })).to.deep.equal({
      status: 200,
      body: {
        ready: true,
        checks: {
          forge: { ok: true, detail: 'looked at' },
          database: { ok: true, detail: 'can be written' },
          engine: { ok: true, detail: 'answers' },
        },
      },
    });
  });

  it('is not ready when one is not, and says why: it says so, it throws, it does not answer', async () => {
    const checks = {
      forge: () => ({ ok: false, detail: 'HTTP 502' }),
      database: () => {
        throw new Error('attempt to write a readonly database');
      },
      engine: () => new Promise<never>(() => undefined),
    };
    expect(await readyz({ checks, checkTimeoutMs: 20 })).to.deep.equal({
      status: 503,
      body: {
        ready: false,
        checks: {
          forge: { ok: false, detail: 'HTTP 502' },
          database: { ok: false, detail: 'attempt to write a readonly database' },
          engine: { ok: false, detail: 'no answer within 20 ms' },
        },
      },
    });
  });
});
