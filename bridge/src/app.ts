import { randomUUID } from 'node:crypto';
import { describeError, type Logger } from '@cc-ci/core';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { addHook, type HookDeps } from './hook.js';
import type { Late } from './liveness.js';
import type { Metrics } from './metrics.js';

/** What one part of the bridge says of itself. */
export interface CheckResult {
  ok: boolean;
  /** Why it is not well, or what there is to know while it is. */
  detail: string;
}

/** Asks one part how it is. A check that throws is not ok, for the error's reason. */
export type Check = () => CheckResult | Promise<CheckResult>;

/** What the HTTP side is made of. */
export interface BridgeAppDeps {
  /** What readiness depends on. */
  checks: Record<'forge' | 'database' | 'engine', Check>;
  /** Milliseconds a check may take. */
  checkTimeoutMs?: number;
  /** Tells of loops that hang. Default: none does. */
  late?: Late;
  /** Without it there is no `/hook`. */
  hook?: HookDeps | undefined;
  /** Without them there is no `/metrics`. */
  metrics?: Pick<Metrics, 'contentType' | 'text'>;
  /** Default: no log. */
  logger?: Logger;
}

const CHECK_TIMEOUT_MS = 2_000;

/**
 * The bridge's HTTP side: `/healthz` (this process answers, and its loops go round; otherwise 503), `/readyz` (all
 * parts answer; otherwise 503), `/metrics`, `/hook`. Every request has an id of its own: in its log lines, and in the
 * answer's `x-request-id`.
 */
export function buildBridgeApp(deps: BridgeAppDeps): FastifyInstance {
  const app = Fastify({
    ...(deps.logger ? { loggerInstance: deps.logger as FastifyBaseLogger } : { logger: false }),
    logController: new LogController({ disableRequestLogging: true }),
    // Whatever id the sender has is not ours to trust.
    genReqId: () => randomUUID(),
    forceCloseConnections: true,
  });
  const timeoutMs = deps.checkTimeoutMs ?? CHECK_TIMEOUT_MS;
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  app.addHook('onResponse', async ({ log, method, url }, { statusCode: status, elapsedTime }) =>
    log.debug({ method, url, status, ms: Math.round(elapsedTime) }, 'request'),
  );

  app.get('/healthz', (_request, reply) => {
    const late = deps.late?.() ?? [];
    return late.length === 0 ? { live: true } : reply.code(503).send({ live: false, late });
  });

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

  const { metrics, hook } = deps;
  if (metrics) {
    app.get('/metrics', async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.text()),
    );
  }
  if (hook) addHook(app, hook);
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
