import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describeError, signalGroup, ToolMissingError } from '@cc-ci/core';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allows, unitAccess } from '../access.js';
import { type Caller, identify, inScope } from '../api/caller.js';
import { ApiError } from '../api/errors.js';
import { type Forge, findOwner, findRepository, fullName } from '../forge.js';
import type { Repository, User } from '../model.js';
import { takeInPush } from '../repositories.js';
import { CgiHeadError, readCgiHead } from './cgi.js';
import { gitEnvironment } from './commands.js';

type Service = 'git-upload-pack' | 'git-receive-pack';

/** git over HTTP (the smart protocol): /<owner>/<name>.git, with or without the ending. */
export function gitOverHttp(forge: Forge) {
  return async (app: FastifyInstance): Promise<void> => {
    const running: Backends = new Map();
    app.addHook('onClose', async () => {
      for (const pid of running.keys()) signalGroup(pid, 'SIGTERM');
      await Promise.all(running.values());
    });
    // Bodies go through to git as they come, however large.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', async (_request: FastifyRequest, payload: unknown) => payload);
    app.setErrorHandler((error: Error, request, reply) => {
      if (error instanceof ApiError) return plain(reply, error.status, error.message);
      request.log.error({ err: error }, 'git over HTTP failed');
      return plain(reply, 500, describeError(error));
    });
    app.get<Route>('/:owner/:repo/info/refs', async (request, reply) => {
      const { service } = request.query as { service?: string };
      if (service === 'git-upload-pack' || service === 'git-receive-pack') {
        return serve(forge, request, reply, { service, path: '/info/refs', running });
      }
      return plain(reply, 403, 'Please upgrade your git client: only the smart protocol is spoken here.');
    });
    for (const service of ['git-upload-pack', 'git-receive-pack'] as const) {
      app.post<Route>(`/:owner/:repo/${service}`, (request, reply) =>
        serve(forge, request, reply, { service, path: `/${service}`, running }),
      );
    }
  };
}

interface Route {
  Params: { owner: string; repo: string };
}

async function serve(
  forge: Forge,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
  asked: Asked,
): Promise<FastifyReply> {
  const { service } = asked;
  const caller = await identify(forge, request.headers.authorization).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  });
  if (!caller) return askWho(reply);
  if (!findOwner(forge, request.params.owner)) return plain(reply, 404, 'Not found.');
  const repository = findRepository(forge, request.params.owner, request.params.repo.replace(/\.git$/i, ''));
  const level = service === 'git-upload-pack' ? 'read' : 'write';
  const readable = repository && allows(unitAccess(forge, caller.user, repository, 'repo.code'), 'read');
  if (!caller.user && (!readable || level === 'write')) return askWho(reply);
  if (!repository || !readable) return plain(reply, 404, 'Repository not found');
  if (!inScope(caller, 'repository', level)) return plain(reply, 403, 'Forbidden');
  if (!allows(unitAccess(forge, caller.user, repository, 'repo.code'), level)) {
    return plain(reply, 403, 'User permission denied for writing.');
  }
  return runBackend(forge, request, reply, { ...asked, repository, caller });
}

function askWho(reply: FastifyReply): FastifyReply {
  return plain(reply.header('www-authenticate', 'Basic realm="Gitea"'), 401, 'Unauthorized');
}

function plain(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${text}\n`);
}

/** The process groups that serve somebody now, and when each has ended and its push was taken in. */
type Backends = Map<number, Promise<void>>;

interface Asked {
  service: Service;
  /** Behind the repository's own path. */
  path: string;
  running: Backends;
}

interface Exchange extends Asked {
  repository: Repository;
  caller: Caller;
}

async function runBackend(
  forge: Forge,
  request: FastifyRequest,
  reply: FastifyReply,
  exchange: Exchange,
): Promise<FastifyReply> {
  const env = cgiEnvironment(forge, request, exchange);
  // A group of its own, so that the pack programs it starts end with it.
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw new ToolMissingError(`git cannot be run: ${error.message}`, { hint: 'apt-get install git' });
  }
  const complaints = collectTail(child.stderr);
  // A client that hangs up, or a backend that has heard enough, breaks the pipe: either is told of elsewhere.
  child.stdin.on('error', () => undefined);
  if (request.method === 'POST') request.raw.pipe(child.stdin);
  else child.stdin.end();
  const endWithClient = () => {
    if (!reply.raw.writableFinished) signalGroup(pid, 'SIGTERM');
  };
  if (reply.raw.destroyed) endWithClient();
  else reply.raw.once('close', endWithClient);
  const ended = once(child, 'close').then(async ([code]) => {
    if (code !== 0) request.log.error({ code, complaints: complaints() }, 'git http-backend failed');
    const { repository, caller, service } = exchange;
    if (service === 'git-receive-pack' && request.method === 'POST' && caller.user) {
      await afterPush(forge, caller.user, repository, request.log);
    }
    exchange.running.delete(pid);
  });
  exchange.running.set(pid, ended);
  const head = await readCgiHead(child.stdout).catch(async (error: unknown) => {
    if (!(error instanceof CgiHeadError)) throw error;
    await ended;
    throw new Error(`git http-backend: ${complaints() || error.message}`);
  });
  reply.code(head.status).headers(head.headers);
  return reply.send(Readable.from(bodyThen(head.body, ended), { objectMode: false }));
}

// The answer ends only after the push was taken in: who pushed finds the forge as it is after.
async function* bodyThen(body: AsyncIterable<Buffer>, ended: Promise<void>): AsyncGenerator<Buffer> {
  yield* body;
  await ended;
}

async function afterPush(
  forge: Forge,
  actor: User,
  repository: Repository,
  log: FastifyBaseLogger,
): Promise<void> {
  try {
    await takeInPush(forge, actor, repository);
  } catch (error) {
    log.error({ err: error, repository: fullName(forge, repository) }, 'a push was not taken in');
  }
}

/** The last part of what a stream says. */
function collectTail(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4_000);
  });
  return () => text.trim();
}

function cgiEnvironment(
  forge: Forge,
  request: FastifyRequest,
  { repository, caller, service, path }: Exchange,
): NodeJS.ProcessEnv {
  const { headers } = request;
  const settings: Record<string, string> = {
    'http.receivepack': 'true',
    // Heads of pull requests are the forge's to write.
    'receive.hideRefs': 'refs/pull',
    'uploadpack.allowFilter': 'true',
    'uploadpack.allowAnySHA1InWant': 'true',
    'gc.auto': '0',
  };
  return {
    ...gitEnvironment(),
    ...Object.fromEntries(
      Object.entries(settings).flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    GIT_CONFIG_COUNT: `${Object.keys(settings).length}`,
    GIT_PROJECT_ROOT: forge.repositoriesDir,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_PROTOCOL: headerText(headers['git-protocol']),
    REQUEST_METHOD: request.method,
    PATH_INFO: `/${fullName(forge, repository)}.git${path}`,
    QUERY_STRING: path === '/info/refs' ? `service=${service}` : '',
    CONTENT_TYPE: headerText(headers['content-type']),
    HTTP_CONTENT_ENCODING: headerText(headers['content-encoding']),
    ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    REMOTE_USER: caller.user?.login ?? '',
    REMOTE_ADDR: request.ip,
  };
}

function headerText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}
