import { HttpStatusError } from '@cc-ci/core';
import { request } from 'undici';
import { z } from 'zod';

/** Who a call is made as. */
export type Identity = { token: string } | { login: string; password: string };

/** The `Authorization` header of an identity. */
export function authorization(identity: Identity): string {
  if ('token' in identity) return `token ${identity.token}`;
  return `Basic ${Buffer.from(`${identity.login}:${identity.password}`).toString('base64')}`;
}

/**
 * One call of Gitea's API as somebody; the answer is read by the schema.
 * @throws HttpStatusError for any status that is not 2xx
 */
export async function callForge<S extends z.ZodType = z.ZodUnknown>(
  url: string,
  as: Identity,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  schema?: S,
): Promise<z.output<S>> {
  const response = await request(`${url}/api/v1${path}`, {
    method,
    headers: {
      authorization: authorization(as),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  if (response.statusCode >= 300)
    throw new HttpStatusError(`${method} ${path}`, response.statusCode, text.slice(0, 300));
  return (schema ?? z.unknown()).parse(text ? JSON.parse(text) : undefined) as z.output<S>;
}
