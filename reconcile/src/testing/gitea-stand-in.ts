import { randomBytes, randomUUID } from 'node:crypto';
import type { Account } from '../remote/gitea.js';
import { type Asked, type Reply, type Routes, type StandInServer, standInServer } from './http.js';

interface App {
  id: number;
  name: string;
  client_id: string;
  redirect_uris: string[];
  confidential_client: boolean;
  skip_secondary_authorization: boolean;
}

/** As much of a Gitea as is needed to sign somebody in to a Drone by it: one user, one repository. */
export interface GiteaStandIn extends StandInServer {
  /** Whether the user may administer the repository. */
  mayAdminister: boolean;
  isUp(): boolean;
  /** What a client with this secret gets for a code: who may be acted for with what. */
  exchange(
    code: string,
    clientId: string,
    clientSecret: string,
  ): { login: string; token: string } | undefined;
  /** Whether such a token is still good. */
  takesToken(token: string): boolean;
}

/** @param repository `owner/name` */
export async function startGiteaStandIn(
  account: Account,
  repository: string,
  onRequest?: (line: string) => void,
): Promise<GiteaStandIn> {
  const apps: App[] = [];
  const secrets = new Map<number, string>();
  const granted = new Set<number>();
  const sessions = new Set<string>();
  /** Codes and tokens, by the application they are of. */
  const codes = new Map<string, number>();
  const tokens = new Map<string, number>();
  let lastId = 0;
  let up = false;

  const basic = `Basic ${Buffer.from(`${account.login}:${account.password}`).toString('base64')}`;
  const asUser = (answer: (asked: Asked) => Reply) => (asked: Asked) =>
    asked.headers.authorization === basic
      ? answer(asked)
      : { status: 401, body: { message: 'invalid username, password or token' } };
  const find = ({ names }: Asked) => apps.find(({ id }) => id === Number(names.id));
  const appOf = (clientId: string | null) => apps.find((app) => app.client_id === clientId);
  const told = (app: App) => {
    secrets.set(app.id, `gto_${randomBytes(20).toString('hex')}`);
    return { ...app, client_secret: secrets.get(app.id) };
  };
  const notThere: Reply = { status: 404, body: { message: 'not found' } };
  const signedIn = ({ headers }: Asked) =>
    sessions.has(/\bsession=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? '');
  const sendBack = (app: App, query: URLSearchParams): Reply => {
    granted.add(app.id);
    const code = randomUUID();
    codes.set(code, app.id);
    const back = new URLSearchParams({ code, state: query.get('state') ?? '' });
    return { status: 303, headers: { location: `${query.get('redirect_uri')}?${back}` } };
  };
  const hidden = (name: string, value: string) =>
    `<input type="hidden" name="${name}" value="${value.replaceAll('&', '&amp;')}">`;

  const routes: Routes = {
    'GET /api/v1/user': asUser(() => ({ status: 200, body: { login: account.login } })),
    'GET /api/v1/repos/{owner}/{name}': asUser(({ names }) =>
      `${names.owner}/${names.name}` === repository
        ? { status: 200, body: { permissions: { admin: server.mayAdminister } } }
        : notThere,
    ),
    // A page holds fewer than are asked for, as a forge may.
    'GET /api/v1/user/applications/oauth2': asUser(({ query }) => {
      const from = (Number(query.get('page')) - 1) * 2;
      return { status: 200, body: apps.slice(from, from + 2).map((app) => ({ ...app, client_secret: '' })) };
    }),
    'POST /api/v1/user/applications/oauth2': asUser(({ body }) => {
      const app = { ...(JSON.parse(body) as App), id: ++lastId, client_id: randomUUID() };
      apps.push(app);
      return { status: 201, body: told(app) };
    }),
    'PATCH /api/v1/user/applications/oauth2/{id}': asUser((asked) => {
      const app = find(asked);
      if (!app) return notThere;
      Object.assign(app, JSON.parse(asked.body));
      return { status: 200, body: told(app) };
    }),
    'DELETE /api/v1/user/applications/oauth2/{id}': asUser((asked) => {
      const app = find(asked);
      if (!app) return notThere;
      apps.splice(apps.indexOf(app), 1);
      return { status: 204 };
    }),
    'POST /login/oauth/access_token': ({ body }) => {
      const form = new URLSearchParams(body);
      const app = appOf(form.get('client_id'));
      const right = app && (!app.confidential_client || secrets.get(app.id) === form.get('client_secret'));
      return { status: 400, body: { error: right ? 'unauthorized_client' : 'invalid_client' } };
    },
    'GET /user/login': () => ({ status: 200, body: hidden('_csrf', 'a&b') }),
    'POST /user/login': ({ body }) => {
      const form = new URLSearchParams(body);
      const known = form.get('user_name') === account.login && form.get('password') === account.password;
      if (!known || form.get('_csrf') !== 'a&b') return { status: 200, body: 'once more' };
      const session = randomUUID();
      sessions.add(session);
      return {
        status: 303,
        headers: { location: '/', 'set-cookie': `session=${session}; Path=/; HttpOnly` },
      };
    },
    'GET /login/oauth/authorize': (asked) => {
      const { query } = asked;
      if (!signedIn(asked)) return { status: 303, headers: { location: '/user/login' } };
      const app = appOf(query.get('client_id'));
      if (!app?.redirect_uris.includes(query.get('redirect_uri') ?? ''))
        return { status: 400, body: 'unknown' };
      if (granted.has(app.id)) return sendBack(app, query);
      return { status: 200, body: [...query].map(([name, value]) => hidden(name, value)).join('') };
    },
    'POST /login/oauth/grant': (asked) => {
      const form = new URLSearchParams(asked.body);
      const app = appOf(form.get('client_id'));
      return app && signedIn(asked) && form.get('granted') === 'true' ? sendBack(app, form) : notThere;
    },
  };
  const listening = await standInServer(routes, onRequest);
  const server: GiteaStandIn = {
    url: listening.url,
    mayAdminister: true,
    isUp: () => up,
    async start() {
      await listening.start();
      up = true;
    },
    async stop() {
      await listening.stop();
      up = false;
    },
    exchange(code, clientId, clientSecret) {
      const app = appOf(clientId);
      if (!up || !app || codes.get(code) !== app.id || secrets.get(app.id) !== clientSecret) return undefined;
      codes.delete(code);
      const token = randomUUID();
      tokens.set(token, app.id);
      return { login: account.login, token };
    },
    takesToken: (token) => up && apps.some(({ id }) => id === tokens.get(token)),
  };
  return server;
}
