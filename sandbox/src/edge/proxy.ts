import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { hostname } from 'node:os';
import { type Duplex, pipeline } from 'node:stream';
import type { Target } from './routes.js';

/** A task that does not accept the connection within this time counts as gone. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Go's servers take headers of up to 1 MiB; Node's default of 16 KiB refuses what passes there. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** Headers that belong to one connection (RFC 9110, 7.6.1), as Go's reverse proxy removes them. */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Set here; a client's own are not believed. `expect` has been answered by our server. */
const REPLACED = /^(x-forwarded-.*|x-real-ip|forwarded|expect)$/;

/** Hands a request to a task and streams its answer back; a task that cannot be reached makes a 502. */
export function forward(request: IncomingMessage, response: ServerResponse, target: Target): void {
  const upstream = open(request, target, requestHeaders(request, 'https'), {
    onResponse(answer) {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer));
      pipeline(answer, response, () => {});
    },
    onError(status) {
      if (response.headersSent) response.destroy();
      else refuse(response, status);
    },
  });
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

/** Hands an upgrade (a websocket) to a task and joins both connections when it accepts. */
export function forwardUpgrade(request: IncomingMessage, client: Duplex, head: Buffer, target: Target): void {
  const headers = requestHeaders(request, 'wss');
  headers.push('Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? '');
  const upstream = open(request, target, headers, {
    onResponse(answer) {
      client.write(rawHead(answer, [...endToEnd(answer), 'Connection', 'close']));
      pipeline(answer, client, () => {});
    },
    onError: (status) => refuseUpgrade(client, status),
  });
  const abandon = () => upstream.destroy();
  upstream.on('upgrade', (answer, server, serverHead) => {
    client.off('close', abandon);
    const accepted = ['Connection', 'Upgrade', 'Upgrade', answer.headers.upgrade ?? ''];
    client.write(rawHead(answer, [...endToEnd(answer), ...accepted]));
    client.write(serverHead);
    server.write(head);
    join(client, server);
    join(server, client);
  });
  client.on('error', abandon);
  client.on('close', abandon);
  upstream.end();
}

/** What comes from one goes to the other; an end passes through, and a break breaks the other. */
function join(from: Duplex, to: Duplex): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    if (!from.readableEnded) to.destroy();
  });
}

interface Handlers {
  onResponse(answer: IncomingMessage): void;
  /** Before any answer: 502 refused or broken, 504 no connection in time. */
  onError(status: number): void;
}

/** One connection per request: none that is kept open can be closed by the task just when it is used again. */
function open(
  request: IncomingMessage,
  target: Target,
  headers: string[],
  handlers: Handlers,
): ClientRequest {
  const options: RequestOptions = {
    host: target.host,
    port: target.port,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers,
    agent: false,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const upstream = httpRequest(options);
  let timedOut = false;
  let answered = false;
  const timer = setTimeout(() => {
    timedOut = true;
    upstream.destroy();
  }, CONNECT_TIMEOUT_MS);
  upstream.on('socket', (socket) => socket.once('connect', () => clearTimeout(timer)));
  upstream.on('close', () => clearTimeout(timer));
  upstream.on('response', (answer) => {
    answered = true;
    handlers.onResponse(answer);
  });
  upstream.on('upgrade', () => {
    answered = true;
  });
  upstream.on('error', () => {
    // A task may answer without reading the whole body; what then breaks is only our writing.
    if (!answered) handlers.onError(timedOut ? 504 : 502);
  });
  return upstream;
}

/** The client's headers without those of its connection, and with what the task must know about the client. */
function requestHeaders(request: IncomingMessage, scheme: 'https' | 'wss'): string[] {
  const kept = endToEnd(request);
  const headers: string[] = [];
  for (let i = 0; i < kept.length; i += 2) {
    const name = kept[i] ?? '';
    if (!REPLACED.test(name.toLowerCase())) headers.push(name, kept[i + 1] ?? '');
  }
  // The body's framing is the connection's, but that there is one must be told again.
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked');
  else if (request.headers['content-length'] === undefined && !/^(GET|HEAD)$/.test(request.method ?? '')) {
    headers.push('Content-Length', '0');
  }
  const host = request.headers.host ?? '';
  const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  headers.push(
    ...['X-Forwarded-For', address],
    ...['X-Forwarded-Host', host],
    ...['X-Forwarded-Port', /:(\d+)$/.exec(host)?.[1] ?? '443'],
    ...['X-Forwarded-Proto', scheme],
    ...['X-Forwarded-Server', hostname()],
    ...['X-Real-Ip', address],
  );
  return headers;
}

/** Names and values in turn, as they came, without the headers of the connection they came on. */
function endToEnd(message: IncomingMessage): string[] {
  const named = (message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const headers: string[] = [];
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    const name = message.rawHeaders[i] ?? '';
    const key = name.toLowerCase();
    if (!HOP_BY_HOP.has(key) && !named.includes(key)) headers.push(name, message.rawHeaders[i + 1] ?? '');
  }
  return headers;
}

const WORDS: Record<number, string> = { 404: '404 page not found\n', 503: 'no available server\n' };

function refusal(status: number): { text: string; headers: string[] } {
  const text = WORDS[status] ?? STATUS_CODES[status] ?? '';
  const length = ['Content-Length', String(Buffer.byteLength(text))];
  return {
    text,
    headers: ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff', ...length],
  };
}

/** Answers in the edge's own words (Traefik's). */
export function refuse(response: ServerResponse, status: number): void {
  const { text, headers } = refusal(status);
  response.writeHead(status, headers).end(text);
}

/** The same for a connection that asked for an upgrade. */
export function refuseUpgrade(client: Duplex, status: number): void {
  const { text, headers } = refusal(status);
  client.end(
    rawHead({ statusCode: status, statusMessage: STATUS_CODES[status] }, [
      ...headers,
      'Connection',
      'close',
    ]) + text,
  );
}

function rawHead(
  status: { statusCode?: number | undefined; statusMessage?: string | undefined },
  headers: string[],
): string {
  let text = `HTTP/1.1 ${status.statusCode} ${status.statusMessage ?? ''}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
