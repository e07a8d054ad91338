import type { Agent } from 'undici';
import { z } from 'zod';
import { CcCiError, HttpStatusError, InputError, ToolMissingError } from '../errors.js';
import { describeIssues } from '../files.js';

/** A connection to a Docker engine's HTTP API. Paths carry no version: every engine answers with its own. */
export interface Docker {
  /** Base URL of requests. */
  origin: string;
  options: Agent.Options;
  /** Made with the first request: undici is large, and many a command never asks Docker. */
  agent?: Promise<Agent>;
}

/**
 * Connects to the engine that `DOCKER_HOST` names (unix:// or tcp://), by default the local socket.
 * Nothing is sent yet.
 */
export function connectDocker(host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'): Docker {
  const url = new URL(host);
  if (url.protocol === 'unix:') {
    // The event stream is silent for long times; calls that must not be are given their own deadline.
    return {
      origin: 'http://docker',
      options: { connect: { socketPath: url.pathname }, bodyTimeout: 0 },
    };
  }
  if (url.protocol === 'tcp:' || url.protocol === 'http:') {
    return { origin: `http://${url.host}`, options: { bodyTimeout: 0 } };
  }
  throw new InputError(`DOCKER_HOST=${host} is not supported`, {
    hint: 'use unix:///path or tcp://host:port',
  });
}

/** What undici sends the requests of a connection through. */
export function agentOf(docker: Docker): Promise<Agent> {
  docker.agent ??= import('undici').then(({ Agent }) => new Agent(docker.options));
  return docker.agent;
}

/** Closes the connection's sockets. */
export async function disconnectDocker(docker: Docker): Promise<void> {
  await (await docker.agent)?.destroy();
}

/** Whether the engine runs on this machine, so that its folders are ours to look at. */
export function isLocalDocker({ origin }: Docker): boolean {
  return ['docker', 'localhost', '127.0.0.1', '[::1]'].includes(new URL(origin).hostname);
}

const REQUEST_TIMEOUT_MS = 30_000;

type Query = Record<string, string | boolean | undefined>;

export interface CallOptions {
  query?: Query;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** Milliseconds until the answer must begin; 0: no limit, for calls that answer only when their work has begun. */
  headersTimeoutMs?: number;
}

/** Sends one request. The answer's body is the caller's to read. @throws ToolMissingError when nobody answers */
export async function call(
  docker: Docker,
  method: 'GET' | 'HEAD' | 'POST' | 'DELETE',
  path: string,
  { query = {}, headers = {}, body, signal, headersTimeoutMs = REQUEST_TIMEOUT_MS }: CallOptions = {},
) {
  const url = new URL(path, docker.origin);
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value));
  const { request } = await import('undici');
  try {
    return await request(url, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      dispatcher: await agentOf(docker),
      headersTimeout: headersTimeoutMs,
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES') {
      throw new ToolMissingError(`the Docker engine does not answer (${code})`, {
        hint:
          code === 'EACCES'
            ? 'add this user to the docker group'
            : 'start it: systemctl start docker, or ./setup',
        cause: error,
      });
    }
    throw error;
  }
}

/** Asks for something and checks its form. @throws HttpStatusError when the answer is not 200 */
export async function get<S extends z.ZodType>(
  docker: Docker,
  path: string,
  schema: S,
  query?: Query,
): Promise<z.output<S>> {
  const response = await call(docker, 'GET', path, query ? { query } : {});
  const text = await response.body.text();
  if (response.statusCode !== 200)
    throw new HttpStatusError(`Docker GET ${path}`, response.statusCode, messageOf(text));
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw new CcCiError(
      `Docker GET ${path} answered something unexpected: ${describeIssues(parsed.error).join('; ')}`,
    );
  }
  return parsed.data;
}

/** Asks for something to be made or done. @throws HttpStatusError when the answer is not 200 or 201 */
export async function post(docker: Docker, path: string, body: unknown): Promise<void> {
  const response = await call(docker, 'POST', path, { body });
  const text = await response.body.text();
  if (response.statusCode >= 300)
    throw new HttpStatusError(`Docker POST ${path}`, response.statusCode, messageOf(text));
}

/** The values of a body that is one JSON text a line, as they come. */
export async function* jsonLines(body: { setEncoding(encoding: 'utf8'): AsyncIterable<string> }) {
  let partial = '';
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (partial + chunk).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as unknown;
  }
  if (partial.trim()) yield JSON.parse(partial) as unknown;
}

/** What an answer of the engine says went wrong. */
export function messageOf(text: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(text)).message;
  } catch {
    return text.slice(0, 500);
  }
}

export const filters = (value: Record<string, string[]>) => JSON.stringify(value);

/** Labels, which the engine leaves out or answers as null where there are none. */
export const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** Deletes something by path; gone already is fine. @throws HttpStatusError for any other refusal (409: in use) */
export async function remove(docker: Docker, path: string): Promise<void> {
  const response = await call(docker, 'DELETE', path);
  const text = await response.body.text();
  if (response.statusCode >= 300 && response.statusCode !== 404) {
    throw new HttpStatusError(`Docker DELETE ${path}`, response.statusCode, messageOf(text));
  }
}
