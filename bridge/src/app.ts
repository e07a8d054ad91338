import { describeError } from '@cc-ci/core';
import Fastify, { type FastifyInstance } from 'fastify';

/** What one part of the bridge says of itself. */
export interface CheckResult {
  ok: boolean;
  /** Why it is not well, or what there is to know while it is. */
  detail: string;
}

/** Asks one part how it is. A check that throws is not ok, for the error's reason. */
export type Check = () => CheckResult | Promise<CheckResult>;

/** What readiness depends on. */
export interface BridgeAppDeps {
  checks: Record<'forge' | 'database' | 'engine', Check>;
  /** Milliseconds a check may take. */
  checkTimeoutMs?: number;
}

const CHECK_TIMEOUT_MS = 2_000;

/** The bridge's HTTP side: `/healthz` (this process answers), `/readyz` (so do all parts; otherwise 503). */
export function buildBridgeApp(deps: BridgeAppDeps): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  const timeoutMs = deps.checkTimeoutMs ?? CHECK_TIMEOUT_MS;

  app.get('/healthz', () => ({ live: true }));

  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(deps.checks).map(async ([name, check]) => [name, await ask(check, timeoutMs)] as const),
    );
    const ready = results.every(([, result]) => result.ok);
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, checks: Object.fromEntries(results) });
  });
  return app;
}

async function ask(check: Check, timeoutMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(check()), late]);
  } catch (error) {
    return { ok: false, detail: describeError(error) };
  } finally {
    clearTimeout(timer);
  }
}
