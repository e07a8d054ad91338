import { hash } from 'node:crypto';
import { STAGES, type TestRequest, testRequest } from '@cc-ci/core/reading';

// Tens of thousands of runs are in memory, and a garbage collector has to follow every object they are made of. So what
// is kept of each is one text: JSON of values alone, in an order that both sides know.

const REQUEST = Object.keys(testRequest.shape) as (keyof TestRequest)[];

/** What the order of packed values depends on besides the code of this room. */
export const FORM = [...REQUEST, ...STAGES].join(' ');

/** The values of a request; `null` for what it does not have. */
export type PackedRequest = unknown[];

export function packRequest(request: TestRequest): PackedRequest {
  return REQUEST.map((name) => request[name] ?? null);
}

export function unpackRequest(values: PackedRequest): TestRequest {
  const request: Record<string, unknown> = {};
  for (const [at, name] of REQUEST.entries()) if (values[at] !== null) request[name] = values[at];
  return request as TestRequest;
}

/** Twelve characters that are others for another text: V8 copies so few, and of more keeps the whole they were cut from. */
export function shortHash(text: string): string {
  return hash('sha1', text, 'base64url').slice(0, 12);
}
