import { hash } from 'node:crypto';
import { type TestRequest, testRequest } from '@cc-ci/core/reading';

// Tens of thousands of runs are in memory, and a garbage collector has to follow every object they are made of. So what
// is kept of each is one text: JSON of values alone, in an order that both sides know.

const REQUEST = Object.keys(testRequest.shape) as (keyof TestRequest)[];

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

/** A function of a text. What it gives must not be changed, for it may be given again. */
export interface Remembered<T> {
  (text: string): T;
  /** Says what it is to give for a text, should it be asked soon. */
  remember(text: string, result: T): void;
}

/** More than a recipe has runs, mostly: lists look at the runs of one several times over. */
const KEPT = 200;

/** A function that remembers what it said of the latest texts. */
export function remembered<T>(work: (text: string) => T): Remembered<T> {
  const known = new Map<string, T>();
  const remember = (text: string, result: T) => {
    if (known.size >= KEPT) known.clear();
    known.set(text, result);
  };
  const recall = (text: string) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const result = work(text);
    remember(text, result);
    return result;
  };
  return Object.assign(recall, { remember });
}
