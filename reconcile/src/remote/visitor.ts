import { CcCiError } from '@cc-ci/core';
import { ask } from './ask.js';
import type { Account } from './gitea.js';

/** An answer to a page that was asked for or a form that was sent. */
export interface Page {
  url: string;
  status: number;
  text: string;
  /** Where it sends on to, whole; undefined where it does not. */
  location: string | undefined;
}

/** Somebody with a browser who keeps cookies and fills in forms; redirects are followed by whoever asks. */
export interface Visitor {
  get(url: string): Promise<Page>;
  post(url: string, fields: Readonly<Record<string, string>>): Promise<Page>;
  /** Any request with the cookies of that server. */
  send(method: 'GET' | 'POST', url: string, body?: string, contentType?: string): Promise<Page>;
}

/** A visitor without any cookies yet. */
export function newVisitor(): Visitor {
  const jar = new Map<string, Map<string, string>>();
  const send: Visitor['send'] = async (method, url, body, contentType) => {
    const { origin } = new URL(url);
    const cookies = jar.get(origin) ?? new Map<string, string>();
    jar.set(origin, cookies);
    const { status, headers, text } = await ask(url, {
      method,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(contentType ? { 'content-type': contentType } : {}),
      },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of [headers['set-cookie'] ?? []].flat()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) cookies.set(name, value);
    }
    const { location } = headers;
    return {
      url,
      status,
      text,
      location: typeof location === 'string' ? new URL(location, url).href : undefined,
    };
  };
  return {
    send,
    get: (url) => send('GET', url),
    post: (url, fields) =>
      send('POST', url, new URLSearchParams(fields).toString(), 'application/x-www-form-urlencoded'),
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&#34;': '"',
  '&quot;': '"',
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&#43;': '+',
};

/** The hidden fields of a page. */
export function hiddenFields({ text }: Pick<Page, 'text'>): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of text.matchAll(/<input\b[^>]*\btype="hidden"[^>]*>/g)) {
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
    const name = attribute('name');
    if (name)
      fields[name] = (attribute('value') ?? '').replace(/&[#\w]+;/g, (found) => ENTITIES[found] ?? found);
  }
  return fields;
}

/**
 * Signs a user of a Gitea in.
 * @throws CcCiError when it does not let them in
 */
export async function signIn(visitor: Visitor, url: string, { login, password }: Account): Promise<void> {
  const form = hiddenFields(await visitor.get(`${url}/user/login`));
  const answer = await visitor.post(`${url}/user/login`, { ...form, user_name: login, password });
  if (answer.status !== 303 && answer.status !== 302)
    throw new CcCiError(`${url} does not let ${login} in (HTTP ${answer.status})`, {
      hint: 'check the password; two-factor sign-in cannot be done without a person',
    });
}

/**
 * Lets an application of a Gitea act for the user who is signed in, as a person does who presses the button.
 * @param authorizeUrl where the application sends its user to
 * @returns where Gitea sends the user back to
 */
export async function grant(visitor: Visitor, authorizeUrl: string): Promise<string> {
  const page = await visitor.get(authorizeUrl);
  // Granted before: Gitea does not ask again.
  if (page.location) return page.location;
  const form = hiddenFields(page);
  const { origin } = new URL(authorizeUrl);
  if (page.status >= 400)
    throw new CcCiError(`${origin} does not know the application that asks for access (HTTP ${page.status})`);
  const answer = await visitor.post(`${origin}/login/oauth/grant`, { ...form, granted: 'true' });
  if (!answer.location)
    throw new CcCiError(`${origin} did not grant the application access (HTTP ${answer.status})`);
  return answer.location;
}
