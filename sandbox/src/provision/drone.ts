import { CcCiError, HttpStatusError } from '@cc-ci/core';
import { request } from 'undici';
import { z } from 'zod';
import { callForge } from './api.js';
import { grant, newVisitor, signIn } from './forms.js';

/** What Drone is given so that people can sign in with their account at the forge. */
export interface OAuthApplication {
  clientId: string;
  clientSecret: string;
}

/** Somebody with a password, who signs in as people do. */
export interface Account {
  login: string;
  password: string;
}

const applicationAnswer = z.looseObject({ client_id: z.string(), client_secret: z.string() });

/** Makes an OAuth application for a Drone server at the forge. Its secret is told only now. */
export async function createOAuthApplication(
  forgeUrl: string,
  owner: Account,
  droneUrl: string,
): Promise<OAuthApplication> {
  const body = { name: 'drone', redirect_uris: [`${droneUrl}/login`], confidential_client: true };
  const made = await callForge(forgeUrl, owner, 'POST', '/user/applications/oauth2', body, applicationAnswer);
  return { clientId: made.client_id, clientSecret: made.client_secret };
}

/**
 * Signs a user of the forge in to Drone, without a person: both forms are sent as a browser would.
 * @returns the user's token for Drone's API
 * @throws CcCiError naming the step that did not lead on
 */
export async function createDroneToken(
  droneUrl: string,
  forgeUrl: string,
  account: Account,
): Promise<string> {
  const visitor = newVisitor();
  const begun = await visitor.get(`${droneUrl}/login`);
  if (!begun.location?.startsWith(`${forgeUrl}/login/oauth/authorize`))
    throw new CcCiError(
      `${droneUrl}/login does not lead to ${forgeUrl} but to ${begun.location ?? 'nowhere'}`,
    );
  await signIn(visitor, forgeUrl, account);
  const back = await grant(visitor, begun.location);
  if (!back.startsWith(`${droneUrl}/login?`))
    throw new CcCiError(`${forgeUrl} does not send back to ${droneUrl}/login but to ${new URL(back).origin}`);
  const signedIn = await visitor.get(back);
  if (signedIn.location?.includes('/login/error'))
    throw new CcCiError(`Drone refused the sign-in of ${account.login}`, {
      hint: 'see the log of the Drone server',
    });
  const answer = await visitor.send('POST', `${droneUrl}/api/user/token`);
  const parsed = z.looseObject({ token: z.string().min(1) }).safeParse(json(answer.text));
  if (!parsed.success) throw new CcCiError(`Drone gave ${account.login} no token (HTTP ${answer.status})`);
  return parsed.data.token;
}

/**
 * Lets Drone build a repository: it makes its webhook there. Trusted, because exec pipelines have the whole machine.
 * @param repository `owner/name`, of which the token's user is an administrator
 * @param timeoutMinutes after which Drone kills a build
 */
export async function activateRepository(
  droneUrl: string,
  token: string,
  repository: string,
  timeoutMinutes = 60,
): Promise<void> {
  // Drone knows only the repositories that it saw at the last synchronisation.
  await callDrone(droneUrl, token, 'POST', '/user/repos');
  await callDrone(droneUrl, token, 'POST', `/repos/${repository}`);
  await callDrone(droneUrl, token, 'PATCH', `/repos/${repository}`, {
    trusted: true,
    timeout: timeoutMinutes,
  });
}

/**
 * One call of Drone's API; the answer is read by the schema.
 * @throws HttpStatusError for any status that is not 2xx
 */
export async function callDrone<S extends z.ZodType = z.ZodUnknown>(
  url: string,
  token: string,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  schema?: S,
): Promise<z.output<S>> {
  const answer = await request(`${url}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300)
    throw new HttpStatusError(`${method} ${path}`, answer.statusCode, text.slice(0, 300));
  return (schema ?? z.unknown()).parse(json(text)) as z.output<S>;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
