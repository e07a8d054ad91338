import { randomBytes, randomUUID } from 'node:crypto';
import type { Client } from '../remote/gitea.js';
import type { GiteaStandIn } from './gitea-stand-in.js';
import { type Asked, type Reply, type Routes, type StandInServer, standInServer } from './http.js';

/** As much of a Drone server as is needed to set it up. Its users and repositories outlive a restart. */
export interface DroneSetupStandIn extends Pick<StandInServer, 'url' | 'stop'> {
  start(client: Client): Promise<void>;
}

interface User {
  id: number;
  login: string;
  admin: boolean;
  hash: string;
  forgeToken: string;
}

/** @param repository `owner/name`, the one that its forge has */
export async function startDroneSetupStandIn(
  forge: GiteaStandIn,
  repository: string,
  onRequest?: (line: string) => void,
): Promise<DroneSetupStandIn> {
  const users: User[] = [];
  const sessions = new Map<string, User>();
  let client: Client | undefined;
  let known: Record<string, unknown> | undefined;

  const userOf = ({ headers }: Asked) =>
    users.find(({ hash }) => headers.authorization === `Bearer ${hash}`) ??
    sessions.get(/\bsession=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? '');
  const shown = ({ id, login, admin }: User) => ({ id, login, admin });
  const asUser = (answer: (user: User, asked: Asked) => Reply) => (asked: Asked) => {
    const user = userOf(asked);
    return user ? answer(user, asked) : { status: 401, body: { message: 'Unauthorized' } };
  };
  const ofRepository = (answer: (it: Record<string, unknown>, user: User, asked: Asked) => Reply) =>
    asUser((user, asked) =>
      known && `${asked.names.owner}/${asked.names.name}` === repository
        ? answer(known, user, asked)
        : { status: 404, body: { message: 'Not Found' } },
    );
  const noAnswer = (message: string): Reply => ({ status: 500, body: { message } });
  const to = (location: string, headers = {}): Reply => ({ status: 303, headers: { location, ...headers } });

  const routes: Routes = {
    'GET /login': ({ query }) => {
      const code = query.get('code');
      if (code === null) {
        const redirect_uri = `${server.url}/login`;
        const about = { client_id: client?.id ?? '', redirect_uri, response_type: 'code', state: '1' };
        return to(`${forge.url}/login/oauth/authorize?${new URLSearchParams(about)}`);
      }
      const given = client && forge.exchange(code, client.id, client.secret);
      if (!given) return to('/login/error?message=unauthorized_client');
      let user = users.find(({ login }) => login === given.login);
      if (!user) {
        const hash = randomBytes(16).toString('hex');
        user = { id: users.length + 1, login: given.login, admin: true, hash, forgeToken: '' };
        users.push(user);
      }
      user.forgeToken = given.token;
      const session = randomUUID();
      sessions.set(session, user);
      return to('/', { 'set-cookie': `session=${session}; Path=/` });
    },
    'GET /api/user': asUser((user) => ({ status: 200, body: shown(user) })),
    'POST /api/user/token': asUser((user, { query }) => {
      if (query.get('rotate') === 'true') user.hash = randomBytes(16).toString('hex');
      return { status: 200, body: { ...shown(user), token: user.hash } };
    }),
    'GET /api/user/remote/repos/{owner}/{name}': asUser(({ forgeToken }) =>
      forge.takesToken(forgeToken) ? { status: 200, body: {} } : noAnswer('Unauthorized'),
    ),
    'POST /api/user/repos': asUser(({ id, forgeToken }) => {
      if (!forge.takesToken(forgeToken)) return noAnswer('Unauthorized');
      known ??= { user_id: id, active: false, ...newSettings() };
      return { status: 200, body: [known] };
    }),
    'GET /api/repos/{owner}/{name}': ofRepository((it) => ({ status: 200, body: it })),
    'POST /api/repos/{owner}/{name}': ofRepository((it, user) => {
      if (!forge.mayAdminister || !forge.takesToken(user.forgeToken)) return noAnswer('Forbidden');
      Object.assign(it, { active: true, user_id: user.id });
      it.timeout ||= 60;
      it.config_path ||= '.drone.yml';
      return { status: 200, body: it };
    }),
    'PATCH /api/repos/{owner}/{name}': ofRepository((it, _, { body }) => {
      Object.assign(it, JSON.parse(body));
      return { status: 200, body: it };
    }),
    'DELETE /api/repos/{owner}/{name}': ofRepository((it) => {
      it.active = false;
      return { status: 200, body: it };
    }),
    'POST /api/repos/{owner}/{name}/chown': ofRepository((it, { id }) => {
      it.user_id = id;
      return { status: 200, body: it };
    }),
  };
  const server = await standInServer(routes, onRequest);
  return {
    url: server.url,
    stop: () => server.stop(),
    async start(as) {
      await server.stop();
      client = as;
      await server.start();
    },
  };
}

/** A repository's settings as Drone first has them. */
function newSettings() {
  return {
    timeout: 0,
    trusted: false,
    protected: false,
    ignore_forks: false,
    ignore_pull_requests: false,
    auto_cancel_pushes: false,
    visibility: 'public',
    config_path: '',
  };
}
