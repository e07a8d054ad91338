import { randomBytes } from 'node:crypto';
import { expect } from 'chai';

/** A forge that a contract is held against: empty but for its administrator, or used by earlier scenes. */
export interface ForgeUnderTest {
  url: string;
  admin: Login;
  dispose(): Promise<void>;
}

export interface Login {
  login: string;
  password: string;
}

/** Who a request is made as; undefined: nobody signed in. */
export type Identity = Login | { token: string; scheme?: 'token' | 'Bearer' } | undefined;

/** What a forge answered. `body` is undefined where there was none. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** What stands at a path like `head.repo.id` in a JSON value; undefined where the path leads nowhere. */
export function at(value: unknown, path: string): unknown {
  const step = (within: unknown, key: string) =>
    (within as Record<string, unknown> | null | undefined)?.[key];
  return path.split('.').reduce(step, value);
}

/** The text at a path. */
export function textAt(value: unknown, path: string): string {
  const found = at(value, path);
  if (typeof found !== 'string') expect.fail(`${path} is not a text in ${JSON.stringify(value)}`);
  return found;
}

/** The number at a path. */
export function numberAt(value: unknown, path: string): number {
  const found = at(value, path);
  if (typeof found !== 'number') expect.fail(`${path} is not a number in ${JSON.stringify(value)}`);
  return found;
}

/** A list of JSON values. */
export function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) expect.fail(`not a list: ${JSON.stringify(value)}`);
  return value;
}

/** What stands at one path in each value of a list. */
export function eachAt(value: unknown, path: string): unknown[] {
  return listOf(value).map((item) => at(item, path));
}

/** The Authorization header of an identity. */
export function authorization(as: Exclude<Identity, undefined>): string {
  if ('token' in as) return `${as.scheme ?? 'token'} ${as.token}`;
  return `Basic ${Buffer.from(`${as.login}:${as.password}`).toString('base64')}`;
}

/** One request, redirects not followed; a path that does not begin with /api is taken below the API. */
export async function ask(
  url: string,
  as: Identity,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${url}${path.startsWith('/api/') ? '' : '/api/v1'}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(as ? { authorization: authorization(as) } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : undefined };
}

/** A user with a token that may do everything they may. */
export interface Person extends Login {
  token: string;
}

/** An organisation with an owner, a writer and a bot that may only read, and somebody who does not belong to it. */
export interface Scene {
  url: string;
  admin: Login;
  org: string;
  owner: Person;
  writer: Person;
  bot: Person;
  outsider: Person;
  /** A request below /api/v1. */
  ask(as: Identity, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Makes an empty repository in the organisation; answers with `org/name`. */
  repository(options?: { private?: boolean }): Promise<string>;
}

/** What the bot's token may do, and no more. */
export const BOT_SCOPES = ['read:organization', 'read:repository', 'write:issue', 'read:user'];

/** A name nobody has. */
export function fresh(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}

/** Makes a scene through the API alone, with names of its own. */
export async function setScene({ url, admin }: ForgeUnderTest): Promise<Scene> {
  const call: Scene['ask'] = (as, method, path, body) => ask(url, as, method, path, body);
  const owner = await person(call, admin, 'alice');
  const writer = await person(call, admin, 'bob');
  const bot = await person(call, admin, 'bot', BOT_SCOPES);
  const outsider = await person(call, admin, 'mallory');
  const org = fresh('coop');
  expect(await call(owner, 'POST', '/orgs', { username: org })).to.include({ status: 201 });
  await join(call, owner, org, writer.login, 'write');
  await join(call, owner, org, bot.login, 'read');
  return {
    url,
    admin,
    org,
    owner,
    writer,
    bot,
    outsider,
    ask: call,
    async repository(options) {
      const body = { name: fresh('recipe'), default_branch: 'main', ...options };
      expect(await call(owner, 'POST', `/orgs/${org}/repos`, body)).to.include({ status: 201 });
      return `${org}/${body.name}`;
    },
  };
}

/** Makes a user with a token. */
export async function person(
  call: Scene['ask'],
  admin: Identity,
  prefix: string,
  scopes: readonly string[] = ['all'],
): Promise<Person> {
  const login = fresh(prefix);
  const password = randomBytes(12).toString('hex');
  const user = { username: login, email: `${login}@example.org`, password, must_change_password: false };
  expect(await call(admin, 'POST', '/admin/users', user)).to.include({ status: 201 });
  const made = await call({ login, password }, 'POST', `/users/${login}/tokens`, { name: 'tests', scopes });
  expect(made).to.include({ status: 201 });
  return { login, password, token: textAt(made.body, 'sha1') };
}

async function join(
  call: Scene['ask'],
  owner: Identity,
  org: string,
  login: string,
  permission: 'read' | 'write',
): Promise<void> {
  const units = ['repo.code', 'repo.issues', 'repo.pulls'];
  const team = { name: `${permission}rs`, permission, includes_all_repositories: true, units };
  const made = await call(owner, 'POST', `/orgs/${org}/teams`, team);
  expect(made).to.include({ status: 201 });
  const added = await call(owner, 'PUT', `/teams/${numberAt(made.body, 'id')}/members/${login}`);
  expect(added).to.include({ status: 204 });
}
