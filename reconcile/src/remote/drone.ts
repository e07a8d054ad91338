import { CcCiError } from '@cc-ci/core';
import { z } from 'zod';
import { askJson, json } from './ask.js';
import type { Account } from './gitea.js';
import { grant, newVisitor, signIn } from './visitor.js';

/**
 * One call of Drone's API; the answer is read by the schema.
 * @throws HttpStatusError for any status that is not 2xx; CcCiError when there is no answer, or one of another form
 */
export async function callDrone<S extends z.ZodType>(
  url: string,
  token: string,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  schema: S,
  body?: unknown,
): Promise<z.output<S>> {
  return askJson(
    `${url}/api${path}`,
    { method, headers: { authorization: `Bearer ${token}` } },
    body,
    schema,
  );
}

/** Where a Drone server sends people who want to sign in, and as which client of that forge. */
export interface SignInTarget {
  /** undefined where it sends nobody anywhere. */
  url: string | undefined;
  clientId: string | undefined;
}

/**
 * Asks a Drone server where its sign-in leads.
 * @throws CcCiError when it does not answer
 */
export async function signInTarget(droneUrl: string): Promise<SignInTarget> {
  const { location } = await newVisitor().get(`${droneUrl}/login`);
  if (location === undefined) return { url: undefined, clientId: undefined };
  return { url: location, clientId: new URL(location).searchParams.get('client_id') ?? undefined };
}

/** Whether that is the page of this forge on which it asks its users to let an application in. */
export function leadsTo({ url }: SignInTarget, forgeUrl: string): boolean {
  return url?.startsWith(`${forgeUrl}/login/oauth/authorize?`) ?? false;
}

/**
 * Signs a user of the forge in to Drone, without a person: both forms are sent as a browser would. Drone makes the user
 * if need be, and may act for them at the forge from then on.
 * @returns the user's token for Drone's API, the one there was if there was one
 * @throws CcCiError naming the step that did not lead on
 */
export async function signInToDrone(droneUrl: string, forgeUrl: string, account: Account): Promise<string> {
  const visitor = newVisitor();
  const begun = await visitor.get(`${droneUrl}/login`);
  if (begun.location === undefined || !leadsTo({ url: begun.location, clientId: undefined }, forgeUrl))
    throw new CcCiError(`${droneUrl}/login does not lead to ${forgeUrl} (HTTP ${begun.status})`);
  await signIn(visitor, forgeUrl, account);
  const back = await grant(visitor, begun.location);
  if (!back.startsWith(`${droneUrl}/login?`))
    throw new CcCiError(`${forgeUrl} does not send back to ${droneUrl}/login but to ${new URL(back).origin}`);
  const signedIn = await visitor.get(back);
  if (signedIn.location === undefined || signedIn.location.includes('/login/error'))
    throw new CcCiError(`Drone refused the sign-in of ${account.login} (HTTP ${signedIn.status})`, {
      hint: 'restart the Drone server, if its OAuth client is an older one; otherwise its log says why',
    });
  const answer = await visitor.send('POST', `${droneUrl}/api/user/token`);
  const parsed = z.looseObject({ token: z.string().min(1) }).safeParse(json(answer.text));
  if (!parsed.success) throw new CcCiError(`Drone gave ${account.login} no token (HTTP ${answer.status})`);
  return parsed.data.token;
}
