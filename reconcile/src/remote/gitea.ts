import { CcCiError } from '@cc-ci/core';
import { z } from 'zod';
import { ask, askJson, json } from './ask.js';

/** Somebody with a password at the forge. */
export interface Account {
  login: string;
  password: string;
}

/** An OAuth2 application as Gitea lists it, without its secret. */
export interface Application {
  id: number;
  name: string;
  clientId: string;
  redirectUris: readonly string[];
  /** Whether its secret is asked for. */
  confidential: boolean;
  /** Whether users are not asked before they sign in to it. */
  skipsConsent: boolean;
}

/** What an application proves itself with. */
export interface Client {
  id: string;
  secret: string;
}

const application = z.looseObject({
  id: z.number(),
  name: z.string(),
  client_id: z.string(),
  redirect_uris: z.array(z.string()).nullish(),
  confidential_client: z.boolean().default(true),
  skip_secondary_authorization: z.boolean().default(false),
});
/** Both go into an environment file as they are. */
const word = z.string().regex(/^[\w-]+$/);
const client = z.looseObject({ client_id: word, client_secret: word });

const PAGE_SIZE = 50;

/**
 * One call of Gitea's API as somebody; the answer is read by the schema.
 * @throws HttpStatusError for any status that is not 2xx; CcCiError when there is no answer, or one of another form
 */
export async function callGitea<S extends z.ZodType>(
  url: string,
  { login, password }: Account,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  schema: S,
  body?: unknown,
): Promise<z.output<S>> {
  const authorization = `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`;
  return askJson(`${url}/api/v1${path}`, { method, headers: { authorization } }, body, schema);
}

/** All applications of an account. */
export async function listApplications(url: string, account: Account): Promise<Application[]> {
  const all: Application[] = [];
  for (let page = 1; ; page++) {
    const path = `/user/applications/oauth2?page=${page}&limit=${PAGE_SIZE}`;
    const some = await callGitea(url, account, 'GET', path, z.array(application));
    // A forge may give fewer a page than asked for.
    if (some.length === 0) return all;
    all.push(
      ...some.map((it) => ({
        id: it.id,
        name: it.name,
        clientId: it.client_id,
        redirectUris: it.redirect_uris ?? [],
        confidential: it.confidential_client,
        skipsConsent: it.skip_secondary_authorization,
      })),
    );
  }
}

/** Makes an application, or another secret for one that there is, which is then as told here. */
export async function writeApplication(
  url: string,
  account: Account,
  { id, name, redirectUri, skipsConsent }: WantedApplication,
): Promise<Client> {
  const path = `/user/applications/oauth2${id === undefined ? '' : `/${id}`}`;
  const made = await callGitea(url, account, id === undefined ? 'POST' : 'PATCH', path, client, {
    name,
    redirect_uris: [redirectUri],
    confidential_client: true,
    skip_secondary_authorization: skipsConsent,
  });
  return { id: made.client_id, secret: made.client_secret };
}

/** What an application shall be; without an id: a new one. */
export interface WantedApplication {
  id?: number;
  name: string;
  redirectUri: string;
  skipsConsent: boolean;
}

/**
 * Whether the forge takes a client's secret. A refresh token that is none is shown to it: it looks at the client first,
 * and `invalid_client` is said of nothing else (RFC 6749, 5.2; Gitea's routers/web/auth/oauth2_provider.go). Nothing is
 * changed by it.
 * @throws CcCiError when it does not say
 */
export async function takesClient(url: string, { id, secret }: Client): Promise<boolean> {
  const fields = { grant_type: 'refresh_token', client_id: id, client_secret: secret, refresh_token: 'none' };
  const { status, text } = await ask(`${url}/login/oauth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: new URLSearchParams(fields).toString(),
  });
  const refused = z.looseObject({ error: z.string() }).safeParse(json(text));
  if (!refused.success || status >= 500)
    throw new CcCiError(`${url} does not tell whether it takes an OAuth client (HTTP ${status})`, {
      hint: 'Gitea must have its OAuth2 provider enabled: [oauth2] ENABLED in app.ini',
    });
  return refused.data.error !== 'invalid_client';
}
