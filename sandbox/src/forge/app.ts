import type { Logger } from '@cc-ci/core';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { forgeApi } from './api/api.js';
import { CALLER } from './api/caller.js';
import type { Fault } from './faults.js';
import type { Forge } from './forge.js';
import { gitOverHttp } from './git/http.js';
import { forgePages } from './pages/pages.js';

/** Things a forge's server is given from outside. */
export interface ForgeAppOptions {
  /** Gets what went wrong inside. Default: nobody is told. */
  logger?: Logger;
}

/** A server over a forge's state: API, git over HTTP and pages. Several may share one forge. */
export function buildForgeApp(forge: Forge, options: ForgeAppOptions = {}): FastifyInstance {
  const app = fastify({
    ...(options.logger ? { loggerInstance: options.logger as FastifyBaseLogger } : { logger: false }),
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 300 },
  });
  app.decorateRequest(CALLER);
  injectFaults(app, forge);
  app.register(forgeApi(forge), { prefix: '/api/v1' });
  app.register(gitOverHttp(forge));
  app.register(forgePages(forge));
  return app;
}

function injectFaults(app: FastifyInstance, forge: Forge): void {
  const faultOf = (when: 'before' | 'after', request: FastifyRequest) =>
    forge.faults.take(when, request.method, request.url.split('?', 1)[0] ?? '');
  app.addHook('onRequest', async (request, reply) => {
    const fault = faultOf('before', request);
    if (!fault) return;
    if (fault.answer !== 'close') return reply.send(describe(fault, reply));
    reply.hijack();
    reply.raw.destroy();
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = faultOf('after', request);
    if (!fault) return payload;
    if (fault.answer !== 'close') return describe(fault, reply);
    reply.raw.destroy();
    return payload;
  });
}

function describe(fault: Fault, reply: FastifyReply): string {
  if (fault.answer !== 'close') reply.code(fault.answer);
  if (fault.retryAfter !== undefined) reply.header('retry-after', fault.retryAfter);
  reply.removeHeader('content-length').type('application/json');
  return JSON.stringify({ message: 'fault injected by a test' });
}
