import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type RunBrief,
  type RunReport,
  readFileIfAny,
  reportFile,
  runId,
  runLogFile,
  type StageName,
  splitLogs,
  stageName,
} from '@cc-ci/core';
import fastifyStatic from '@fastify/static';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { addCompression } from './compress.js';
import { createLiveStreams, type LiveRuns, parsePlace } from './live-stream.js';
import { indexLog, type LogIndex, readLogPage } from './log-lines.js';
import { logPage } from './log-page.js';
import { addReports, type ReportReceiver } from './reports.js';
import { lstatIfAny } from './site-files.js';

export interface DashboardAppOptions {
  siteDir: string;
  /** What comes before the site's root in links: empty, or a path such as `/ci`. */
  base?: string;
  /**
   * Asked when somebody wants the page of a run that is not in the site; makes the page if there is such a run.
   * So a run's URL works from the moment it is known, and not only after the next generation.
   */
  makeRun?: (id: string) => Promise<unknown>;
  /** Whether the pages are up to date: what `/healthz` answers. Default: always. */
  health?: () => { ok: boolean; builtAt: string | undefined };
  /** Lets people follow the logs of runs that go on. Default: nobody may. */
  live?: LiveRuns;
  /** Takes reports of runs on other hosts. Default: nobody may hand any on. */
  reports?: ReportReceiver;
}

// No Cross-Origin-Opener-Policy: for it a browser gives up the process it has begun the page in and starts another one.
// What an opener could reach through a window of ours is public.
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // Pages change at any time; with an ETag, asking again costs nothing.
  'cache-control': 'no-cache',
};

/** Badges and data are there for other sites. */
const SHARED = /^\/(?:badges\/|api\/|feed\.xml)/;
const SHARED_HEADERS = {
  'cross-origin-resource-policy': 'cross-origin',
  'access-control-allow-origin': '*',
  'cache-control': 'public, max-age=60, must-revalidate',
};
const FEED = /^\/feed\.xml(?:\?|$)/;
const ARCHIVE = /\.zip(?:\?|$)/;
/** Their address has the version in it. */
const VERSIONED = /^\/(?:style\.css|site\.js)\?v=[0-9a-f]+$/;

const HTML = 'text/html; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';
const RUN_PAGE = /^\/runs\/([^/?]+)\/?(?:\?.*)?$/;
const STAGE_LOG = /^\/runs\/([^/?]+)\/logs\/([^/?]+)\.log(?:\?.*)?$/;
const LOG_PAGE = /^\/runs\/([^/?]+)\/logs\/([^/?]+)\/(\d{1,7})\/?(?:\?.*)?$/;

/** The web server of a site: its files, the logs of runs that go on, pages of long logs, and `/healthz`. */
export async function buildDashboardApp(options: DashboardAppOptions): Promise<FastifyInstance> {
  const { siteDir, base = '', makeRun, live, reports } = options;
  const { health = () => ({ ok: true, builtAt: undefined }) } = options;
  const app = fastify({
    forceCloseConnections: true,
    // Requests that no route ever sees, such as malformed URLs.
    frameworkErrors: (_error, _request, { raw }) => {
      raw.writeHead(400, { ...HEADERS, 'content-type': TEXT });
      raw.end('malformed request\n');
    },
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (SHARED.test(request.url)) reply.headers(SHARED_HEADERS);
    else if (VERSIONED.test(request.url))
      reply.header('cache-control', 'public, max-age=31536000, immutable');
  });
  app.addHook('onSend', async (request, reply) => {
    if (reply.statusCode !== 200) return;
    if (FEED.test(request.url)) reply.type('application/atom+xml; charset=utf-8');
    // A trace opens in its own program.
    if (ARCHIVE.test(request.url)) reply.header('content-disposition', 'attachment');
  });
  addCompression(app);
  app.get('/healthz', async (_request, reply) => {
    const { ok, builtAt } = health();
    return reply.code(ok ? 200 : 503).send({ status: ok ? 'ok' : 'stale', builtAt: builtAt ?? null });
  });
  if (live) addStream(app, live);
  if (reports) addReports(app, reports);
  app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const text = status < 500 ? 'bad request\n' : 'this page could not be served\n';
    return reply.code(status).type(TEXT).send(text);
  });
  await app.register(fastifyStatic, {
    root: siteDir,
    cacheControl: false,
    dotfiles: 'ignore',
    // A folder's page is served with and without the slash: its links do not depend on it.
    redirect: false,
  });
  const logs = createLogPages(siteDir, base);
  app.setNotFoundHandler(async (request, reply) => {
    const log = request.method === 'GET' ? await stageLog(siteDir, request.url) : undefined;
    if (log !== undefined) return reply.type(TEXT).send(log);
    const page = await logs(request.url);
    if (page !== undefined && request.method === 'GET') return reply.type(HTML).send(page);
    return (await madePage(request, reply)) ?? notFound(reply);
  });

  async function madePage(request: FastifyRequest, reply: FastifyReply) {
    const wanted = runId.safeParse(RUN_PAGE.exec(request.url)?.[1]);
    if (!makeRun || !wanted.success) return undefined;
    await makeRun(wanted.data);
    const page = join('runs', wanted.data, 'index.html');
    return (await exists(join(siteDir, page))) ? reply.sendFile(page) : undefined;
  }

  async function notFound(reply: FastifyReply) {
    const page = await readFileIfAny(join(siteDir, '404.html'));
    return reply
      .code(404)
      .type(HTML)
      .send(page ?? '<!doctype html><title>Not found</title><p>There is no such page.');
  }
  return app;
}

interface StreamRequest {
  Params: { id: string };
  Querystring: { from?: string; stage?: string };
}

/** `/runs/<id>/log/stream?from=install:120`: the lines behind that one as they come, as Server-Sent Events. */
function addStream(app: FastifyInstance, live: LiveRuns): void {
  const streams = createLiveStreams(live);
  app.addHook('preClose', async () => streams.close());
  app.get<StreamRequest>('/runs/:id/log/stream', async (request, reply) => {
    const id = runId.safeParse(request.params.id);
    if (!id.success || live.dirOf(id.data) === undefined)
      return reply.code(404).type(TEXT).send('there is no such run\n');
    const last = request.headers['last-event-id'];
    const { from, stage } = request.query;
    const place = parsePlace(typeof last === 'string' && last ? last : asText(from), asText(stage));
    reply.hijack();
    reply.raw.writeHead(200, {
      ...HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Reverse proxies that collect answers must not do so with this one.
      'x-accel-buffering': 'no',
    });
    reply.raw.write('retry: 1000\n\n');
    // Errors of a reader's connection end its stream, and concern nobody else.
    reply.raw.on('error', () => reply.raw.destroy());
    await streams.follow(id.data, place, reply.raw).catch(() => reply.raw.destroy());
  });
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The run and the stage that an address names, and what else the pattern took of it; undefined where it names none. */
function stageIn(
  pattern: RegExp,
  url: string,
): { run: string; stage: StageName; rest: string | undefined } | undefined {
  const [, id, name, rest] = pattern.exec(url) ?? [];
  const [run, stage] = [runId.safeParse(id), stageName.safeParse(name)];
  return run.success && stage.success ? { run: run.data, stage: stage.data, rest } : undefined;
}

/** Indexes of logs that were looked at lately. */
const INDEXES_KEPT = 32;

/** Pages of long logs that are no files of the site, made when somebody asks, from what the site has of the log. */
function createLogPages(siteDir: string, base: string): (url: string) => Promise<string | undefined> {
  const kept = new Map<string, Promise<LogIndex>>();
  const indexOf = (path: string, ino: number, size: number) => {
    const key = `${path} ${ino} ${size}`;
    const index = kept.get(key) ?? indexLog(path);
    kept.delete(key);
    kept.set(key, index);
    for (const old of kept.keys()) if (kept.size > INDEXES_KEPT) kept.delete(old);
    return index;
  };
  return async (url) => {
    const wanted = stageIn(LOG_PAGE, url);
    if (!wanted) return undefined;
    const { run, stage, rest } = wanted;
    const path = join(siteDir, 'runs', run, 'logs', `${stage}.log`);
    const stat = lstatIfAny(path);
    if (!stat?.isFile()) return undefined;
    const index = await indexOf(path, stat.ino, stat.size);
    const page = Number(rest) - 1;
    const lines = await readLogPage(path, index, page);
    return lines && logPage(await ownerOf(siteDir, run), stage, index, page, lines, base);
  };
}

/**
 * The log of a stage that is in the run's `log.txt` only: while it ran, it had a file of its own, and people keep
 * addresses.
 */
async function stageLog(siteDir: string, url: string): Promise<string | undefined> {
  const wanted = stageIn(STAGE_LOG, url);
  if (!wanted) return undefined;
  const { run, stage } = wanted;
  const all = await readFileIfAny(runLogFile(join(siteDir, 'runs', run)));
  const lines = all && splitLogs(all, (await reportOf(siteDir, run)).logs)?.get(stage);
  return lines ? lines.map((line) => `${line}\n`).join('') : undefined;
}

async function ownerOf(siteDir: string, id: string) {
  const { recipe, status } = await reportOf(siteDir, id);
  return { id, recipe: recipe ?? undefined, active: status === 'running' };
}

/** What the site itself says of a run. */
async function reportOf(siteDir: string, id: string) {
  const text = await readFile(reportFile(join(siteDir, 'runs', id)), 'utf8');
  return JSON.parse(text) as Pick<RunBrief, 'recipe' | 'status'> & Pick<RunReport, 'logs'>;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
