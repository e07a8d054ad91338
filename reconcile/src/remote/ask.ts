import { CcCiError, describeIssues, HttpStatusError } from '@cc-ci/core';
import { type Dispatcher, request } from 'undici';
import type { z } from 'zod';

/** What a server answered. */
export interface Answer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  text: string;
}

/** What is asked of a server. */
export interface Question {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

const TIMEOUT_MS = 30_000;
const SHOWN = 300;

/**
 * One HTTP request; redirects are not followed.
 * @throws CcCiError naming the server when there is no answer, or none within half a minute
 */
export async function ask(url: string, { method = 'GET', headers = {}, body }: Question): Promise<Answer> {
  try {
    const answer = await request(url, {
      method,
      headers: { ...headers },
      body: body ?? null,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  } catch (error) {
    throw new CcCiError(`${new URL(url).origin} does not answer: ${(error as Error).message}`, {
      hint: 'see whether it runs and can be reached from here, then run this again',
      cause: error,
    });
  }
}

/**
 * The same with JSON both ways; the answer is read by the schema.
 * @throws HttpStatusError for any status that is not 2xx
 * @throws CcCiError when there is no answer, or one of another form
 */
export async function askJson<S extends z.ZodType>(
  url: string,
  { method = 'GET', headers = {} }: Omit<Question, 'body'>,
  body: unknown,
  schema: S,
): Promise<z.output<S>> {
  const { status, text } = await ask(url, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (status >= 300) throw new HttpStatusError(`${method} ${url}`, status, text.trim().slice(0, SHOWN));
  const parsed = schema.safeParse(json(text));
  if (parsed.success) return parsed.data;
  // Not the text: it may hold a secret.
  const [first = 'not JSON'] = describeIssues(parsed.error);
  throw new CcCiError(`${method} ${url}: an answer of another form than expected: ${first}`);
}

/** What a text of JSON means; undefined when it is none. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
