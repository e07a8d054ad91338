import { rootCertificates } from 'node:tls';
import { InputError } from '@cc-ci/core/errors';
import { Agent, buildConnector, request as undiciRequest } from 'undici';
import type { AppFacts } from './app-file.js';

/** What an app answered. */
export interface HttpResponse {
  status: number;
  /** Lower-case names; repeated headers joined by ", ". */
  headers: Record<string, string>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

export interface HttpInit {
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Milliseconds for the whole exchange, default 15 s. */
  timeoutMs?: number;
}

/** An HTTP client for one app: trusts the edge's certificate, connects where the edge is, follows no redirects. */
export interface HttpClient {
  get(path: string, init?: HttpInit): Promise<HttpResponse>;
  /**
   * @param path on the app, or a whole URL of it or of a name below its own
   * @throws InputError for a URL of anybody else: a run talks only to its own app
   */
  request(method: string, path: string, init?: HttpInit): Promise<HttpResponse>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 15_000;

/** A client for this app. The certificate must be valid for the app's name. */
export function httpClient(facts: Pick<AppFacts, 'url' | 'domain' | 'edge'>): HttpClient {
  const { address, ca } = facts.edge;
  const connector = buildConnector(ca ? { ca: [...rootCertificates, ca] } : {});
  const agent = new Agent({
    connect: (options, callback) =>
      connector(
        address
          ? { ...options, servername: options.hostname, hostname: address.host, port: String(address.port) }
          : options,
        callback,
      ),
  });
  const request = async (method: string, path: string, init: HttpInit = {}): Promise<HttpResponse> => {
    const response = await undiciRequest(ownUrl(path, facts), {
      method,
      dispatcher: agent,
      signal: AbortSignal.timeout(init.timeoutMs ?? TIMEOUT_MS),
      ...(init.headers ? { headers: init.headers } : {}),
      ...(init.body === undefined ? {} : { body: init.body }),
    });
    // Read at once: a body that a test leaves unread would hold its connection.
    const body = Buffer.from(await response.body.arrayBuffer());
    return {
      status: response.statusCode,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
      ),
      text: async () => body.toString('utf8'),
      json: async () => JSON.parse(body.toString('utf8')),
    };
  };
  return { request, get: (path, init) => request('GET', path, init), close: () => agent.close() };
}

function ownUrl(path: string, { url, domain }: Pick<AppFacts, 'url' | 'domain'>): URL {
  const whole = new URL(path, url);
  if (whole.hostname === domain || whole.hostname.endsWith(`.${domain}`)) return whole;
  throw new InputError(`${whole.origin} is not the app under test`, {
    hint: `tests talk to ${domain} and names below it only`,
  });
}
