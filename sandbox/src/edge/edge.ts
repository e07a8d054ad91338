import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext } from 'node:tls';
import {
  connectDocker,
  type Docker,
  describeError,
  disconnectDocker,
  InputError,
  type Logger,
} from '@cc-ci/core';
import { watchBackends } from './discovery.js';
import { forward, forwardUpgrade, MAX_HEADER_BYTES, refuse, refuseUpgrade } from './proxy.js';
import { buildRoutes, findRoute, type Route, type RoutingTable, type Target } from './routes.js';

export interface EdgeOptions {
  /** Default: the engine that DOCKER_HOST names, or the local one. */
  docker?: Docker;
  /** Address to listen on. */
  host: string;
  /** Port that redirects to HTTPS; 0 for any free one. */
  httpPort: number;
  /** 0 for any free one. */
  httpsPort: number;
  /** PEM files; the certificate's names are the only ones a TLS handshake is done for. */
  certFile: string;
  keyFile: string;
  /** The overlay network whose tasks are served. */
  network?: string;
  /** Traefik's setting of that name: whether a service without tasks answers 503 instead of 404. Default, as there: no. */
  allowEmptyServices?: boolean;
  logger: Logger;
}

/** A running edge. */
export interface Edge {
  httpPort: number;
  httpsPort: number;
  /** Stops listening, ends all connections. */
  close(): Promise<void>;
}

/** Time for a client to send its headers, in milliseconds; bodies may take as long as they need. */
const HEADERS_TIMEOUT_MS = 60_000;

/**
 * Starts an HTTPS reverse proxy that routes by the `traefik.*` labels of swarm services, as Traefik does when set up
 * by the Co-op Cloud recipe with a wildcard certificate. HTTP/1.1 and websockets; middlewares are not applied.
 * It must run on the engine's own host, and serves the tasks of that host.
 * @throws InputError when the swarm, the certificate or a free port is missing
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { logger } = options;
  const docker = options.docker ?? connectDocker();
  let table: RoutingTable = { routes: [], problems: [] };
  const update = (backends: Parameters<typeof buildRoutes>[0]) => {
    const known = new Set(table.problems);
    table = buildRoutes(backends, options.allowEmptyServices ?? false);
    for (const problem of table.problems.filter((text) => !known.has(text))) logger.warn(problem);
    logger.debug({ routes: table.routes.map(({ router, targets }) => ({ router, targets })) }, 'routes');
  };
  const closing: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  if (!options.docker) closing.push(() => disconnectDocker(docker));
  try {
    const watch = await watchBackends(docker, options.network ?? 'proxy', update, logger);
    closing.push(watch.close);
    const secure = await createSecureServer(options, () => table);
    const httpsPort = await listen(secure, options.host, options.httpsPort, closing);
    const httpPort = await listen(createRedirectServer(httpsPort), options.host, options.httpPort, closing);
    return { httpPort, httpsPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function createSecureServer(options: EdgeOptions, table: () => RoutingTable): Promise<Server> {
  const { certificate, context } = await readCertificate(options);
  const next = roundRobin();
  const choose = (request: IncomingMessage): Target | 404 | 503 => {
    const route = findRoute(table(), ruleInput(request));
    return route ? (next(route) ?? 503) : 404;
  };

  const server = createHttpsServer(
    {
      // Traefik's sniStrict: no certificate of last resort, so a handshake without a name ends here as well.
      SNICallback: (name, done) =>
        certificate.checkHost(name) ? done(null, context) : done(new Error(`no certificate for ${name}`)),
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
    },
    (request, response) => {
      const target = choose(request);
      if (typeof target === 'number') refuse(response, target);
      else forward(request, response, target);
    },
  );
  server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const target = choose(request);
    if (typeof target === 'number') refuseUpgrade(client, target);
    else forwardUpgrade(request, client, head, target);
  });
  return server;
}

async function readCertificate({ certFile, keyFile }: EdgeOptions) {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    return { certificate: new X509Certificate(cert), context: createSecureContext({ cert, key }) };
  } catch (error) {
    throw new InputError(`the edge cannot use ${certFile} with ${keyFile}: ${describeError(error)}`, {
      hint: 'give it a certificate and its key as PEM files',
      cause: error,
    });
  }
}

function ruleInput(request: IncomingMessage) {
  const host = (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  return { host, path: (request.url ?? '/').replace(/[?#].*$/s, '') };
}

/** Takes a route's targets in turn. */
function roundRobin(): (route: Route) => Target | undefined {
  const turns = new Map<string, number>();
  return ({ router, targets }) => {
    const turn = ((turns.get(router) ?? -1) + 1) % Math.max(1, targets.length);
    turns.set(router, turn);
    return targets[turn];
  };
}

/** The entrypoint `web`: everything is sent to the same address on HTTPS, for good. */
function createRedirectServer(httpsPort: number): Server {
  return createHttpServer((request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const port = httpsPort === 443 ? '' : `:${httpsPort}`;
    // 308 keeps the method, where that matters.
    const [status, words] =
      request.method === 'GET' ? [301, 'Moved Permanently'] : [308, 'Permanent Redirect'];
    response.writeHead(status, { Location: `https://${host}${port}${request.url ?? '/'}` });
    response.end(words);
  });
}

async function listen(
  server: Server,
  host: string,
  port: number,
  closing: (() => Promise<void>)[],
): Promise<number> {
  // Upgraded connections are no longer the server's to close.
  const sockets = new Set<Duplex>();
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const hint = 'choose another port, or 0 for any free one';
      reject(
        new InputError(`the edge cannot listen on ${host}:${port} (${error.code})`, { hint, cause: error }),
      );
    });
    server.listen(port, host, resolve);
  });
  closing.push(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}
