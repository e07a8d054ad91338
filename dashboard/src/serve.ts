import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfAny, runId } from '@cc-ci/core';
import fastifyStatic from '@fastify/static';
import { type FastifyInstance, fastify } from 'fastify';

export interface DashboardAppOptions {
  siteDir: string;
  /**
   * Asked when somebody wants the page of a run that is not in the site; makes the page if there is such a run.
   * So a run's URL works from the moment it is known, and not only after the next generation.
   */
  makeRun?: (id: string) => Promise<unknown>;
  /** Whether the pages are up to date: what `/healthz` answers. Default: always. */
  health?: () => { ok: boolean; builtAt: string | undefined };
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Pages change at any time; with an ETag, asking again costs nothing.
  'cache-control': 'no-cache',
};

const HTML = 'text/html; charset=utf-8';
const RUN_PAGE = /^\/runs\/([^/?]+)\/?(?:\?.*)?$/;

/** The web server of a site: nothing but its files, and `/healthz`. */
export async function buildDashboardApp(options: DashboardAppOptions): Promise<FastifyInstance> {
  const { siteDir, makeRun, health = () => ({ ok: true, builtAt: undefined }) } = options;
  const app = fastify({
    forceCloseConnections: true,
    // Requests that no route ever sees, such as malformed URLs.
    frameworkErrors: (_error, _request, { raw }) => {
      raw.writeHead(400, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
      raw.end('malformed request\n');
    },
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(HEADERS);
  });
  app.get('/healthz', async (_request, reply) => {
    const { ok, builtAt } = health();
    return reply.code(ok ? 200 : 503).send({ status: ok ? 'ok' : 'stale', builtAt: builtAt ?? null });
  });
  app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const text = status < 500 ? 'bad request\n' : 'this page could not be served\n';
    return reply.code(status).type('text/plain; charset=utf-8').send(text);
  });
  await app.register(fastifyStatic, {
    root: siteDir,
    cacheControl: false,
    dotfiles: 'ignore',
    // A folder's page is served with and without the slash: its links do not depend on it.
    redirect: false,
  });
  app.setNotFoundHandler(async (request, reply) => {
    const wanted = runId.safeParse(RUN_PAGE.exec(request.url)?.[1]);
    if (makeRun && wanted.success) {
      await makeRun(wanted.data);
      const page = join('runs', wanted.data, 'index.html');
      if (await exists(join(siteDir, page))) return reply.sendFile(page);
    }
    const page = await readFileIfAny(join(siteDir, '404.html'));
    return reply
      .code(404)
      .type(HTML)
      .send(page ?? '<!doctype html><title>Not found</title><p>There is no such page.');
  });
  return app;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
