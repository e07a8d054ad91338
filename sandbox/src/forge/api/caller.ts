import type { FastifyRequest } from 'fastify';
import { hashToken, passwordMatches } from '../credentials.js';
import { type Forge, findUser, userById } from '../forge.js';
import type { Token, User } from '../model.js';
import { notFound, refuse } from './errors.js';

/** Who is asking, and what their token allows. */
export interface Caller {
  user: User | undefined;
  /** undefined: signed in by password, or not at all. */
  token: Token | undefined;
}

/** The parts of the API a token's scopes are about. */
export const SCOPE_CATEGORIES = [
  'activitypub',
  'admin',
  'issue',
  'misc',
  'notification',
  'organization',
  'package',
  'repository',
  'user',
] as const;
export type ScopeCategory = (typeof SCOPE_CATEGORIES)[number];

/** Whether a token may carry this scope. Gitea's `public-only` is not known here. */
export function isScope(text: string): boolean {
  return text === 'all' || SCOPE_CATEGORIES.some((it) => text === `read:${it}` || text === `write:${it}`);
}

/**
 * Who an Authorization header stands for: a token, or login and password (or token) in basic form.
 * @throws ApiError 401 when it names nobody, or not rightly
 */
export async function identify(forge: Forge, authorization: string | undefined): Promise<Caller> {
  const [kind = '', value = ''] = (authorization ?? '').split(/\s+/);
  if (/^(token|bearer)$/i.test(kind)) return callerOfToken(forge, value) ?? rejected();
  if (!/^basic$/i.test(kind)) return { user: undefined, token: undefined };
  const text = Buffer.from(value, 'base64').toString();
  const colon = text.indexOf(':');
  const [login, password] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  const byToken = callerOfToken(forge, password) ?? callerOfToken(forge, login);
  if (byToken) return byToken;
  const user = findUser(forge, login);
  if (!user || !(await passwordMatches(password, user.passwordHash))) return rejected();
  return { user, token: undefined };
}

function callerOfToken(forge: Forge, text: string): Caller | undefined {
  const token = forge.tokens.get(hashToken(text));
  return token && { user: userById(forge, token.userId), token };
}

function rejected(): never {
  throw refuse(401, 'invalid username, password or token');
}

/** Whether a caller's token reaches a part of the API; whoever has none is not limited by it. */
export function inScope(caller: Caller, category: ScopeCategory, level: 'read' | 'write'): boolean {
  const scopes = caller.token?.scopes;
  if (!scopes || scopes.includes('all') || scopes.includes(`write:${category}`)) return true;
  return level === 'read' && scopes.includes(`read:${category}`);
}

/** @throws ApiError 403 when the caller's token does not reach all these parts of the API */
export function requireScopes(request: FastifyRequest, categories: readonly ScopeCategory[]): void {
  const caller = callerOf(request);
  const level = /^(GET|HEAD)$/.test(request.method) ? 'read' : 'write';
  if (categories.every((category) => inScope(caller, category, level))) return;
  const required = categories.map((category) => `${level}:${category}`).join(' ');
  throw refuse(
    403,
    `token does not have at least one of required scope(s), required=[${required}], token scope=${caller.token?.scopes.join(',')}`,
  );
}

/** Under which name a request keeps its caller. */
export const CALLER = 'forgeCaller';

/** Keeps the caller of a request for its handlers. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  request.setDecorator(CALLER, caller);
}

export function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>(CALLER);
}

/** The user who asks, or undefined. */
export function viewerOf(request: FastifyRequest): User | undefined {
  return callerOf(request).user;
}

/** @throws ApiError 401 when nobody signed in */
export function requireUser(request: FastifyRequest): User {
  const user = viewerOf(request);
  if (!user) throw refuse(401, 'token is required');
  return user;
}

/** @throws ApiError 404 when there is no such user */
export function namedUser(forge: Forge, name: string): User {
  const user = findUser(forge, name);
  if (!user) throw notFound(`user does not exist [uid: 0, name: ${name}]`, 'GetUserByName');
  return user;
}
