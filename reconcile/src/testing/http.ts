import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A request to a stand-in. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  /** What the path's placeholders stand for. */
  names: Readonly<Record<string, string>>;
}

/** What a stand-in answers; a body that is no text is sent as JSON. */
export interface Reply {
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

/** `METHOD /path/{name}` to what is answered. */
export type Routes = Readonly<Record<string, (asked: Asked) => Reply | Promise<Reply>>>;

/** A server that can be stopped and started again at the same address. */
export interface StandInServer {
  url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A server of these routes on loopback, which begins stopped. @param onRequest told of each request before it is looked at */
export async function standInServer(
  routes: Routes,
  onRequest: (line: string) => void = () => {},
): Promise<StandInServer> {
  const table = Object.entries(routes).map(([route, answer]) => {
    const [method = '', path = ''] = route.split(' ');
    return { method, pattern: new RegExp(`^${path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`), answer };
  });
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://it');
    const { method = '', headers } = request;
    const body = await text(request);
    onRequest(`${method} ${path}`);
    for (const route of table) {
      const match = route.method === method ? route.pattern.exec(path) : null;
      if (!match) continue;
      const asked = { method, path, query, headers, body, names: match.groups ?? {} };
      return send(response, await route.answer(asked));
    }
    send(response, { status: 404, body: { message: 'Not Found' } });
  };
  let server: Server | undefined;
  let port = 0;
  const start = async () => {
    server = createServer((request, response) => {
      // Who asked may be gone.
      serve(request, response).catch(() => response.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const stop = async () => {
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    server = undefined;
    await closed;
  };
  // Once, for its port.
  await start();
  await stop();
  return { url: `http://127.0.0.1:${port}`, start, stop };
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(body === undefined ? '' : isText ? body : JSON.stringify(body));
}
