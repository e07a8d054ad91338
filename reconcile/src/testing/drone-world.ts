import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { DroneHost } from '../drone-host.js';
import type { Part } from '../part.js';
import { dronePart } from '../parts/drone.js';
import { droneTokenPart } from '../parts/drone-token.js';
import { clientIn, oauthPart } from '../parts/oauth.js';
import { callDrone } from '../remote/drone.js';
import { type Account, type Client, callGitea } from '../remote/gitea.js';
import { startDroneSetupStandIn } from './drone-stand-in.js';
import { startGiteaStandIn } from './gitea-stand-in.js';
import { makeSystemctl, type SystemctlStandIn } from './systemctl.js';

/** A forge and a Drone server that nobody has set up, real ones or stand-ins. */
export interface DroneServers {
  forgeUrl: string;
  droneUrl: string;
  /** Administrator of the repository at the forge, and of Drone. */
  bot: Account;
  repository: string;
  /** Starts Drone, or starts it again, as this client. */
  startDrone(client: Client): Promise<void>;
  stopForge(): Promise<void>;
  startForge(): Promise<void>;
  /** Says whether the bot may administer the repository. */
  setAdministrator(may: boolean): Promise<void>;
  dispose(): Promise<void>;
}

/** A host beside them. */
export interface DroneWorld extends Omit<DroneServers, 'startDrone'> {
  host: DroneHost;
  dir: string;
  systemctl: SystemctlStandIn;
  /** Starts Drone with the file that is there. */
  startDrone(): Promise<void>;
  /** @param readyTimeoutMs how long Drone may take to be the one it should be */
  parts(host: DroneHost, readyTimeoutMs: number): Part[];
  /** Calls of the forge as the bot. */
  forge<S extends z.ZodType>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    schema: S,
    body?: unknown,
  ): Promise<z.output<S>>;
  /** Calls of Drone with the token that is in its file. */
  drone<S extends z.ZodType>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    schema: S,
    body?: unknown,
  ): Promise<z.output<S>>;
}

/** Makes the folder of a host with the bot's password, and a systemd that restarts Drone. */
export async function makeDroneWorld(servers: DroneServers): Promise<DroneWorld> {
  const { forgeUrl, droneUrl, bot, repository } = servers;
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-drone-host-'));
  const host: DroneHost = {
    ...{ forgeUrl, droneUrl, repository, bot: bot.login, timeoutMinutes: 90 },
    passwordFile: join(dir, 'password'),
    clientFile: join(dir, 'host', 'drone-oauth.env'),
    tokenFile: join(dir, 'host', 'drone-token'),
    unit: 'drone-server.service',
  };
  await writeFile(host.passwordFile, `${bot.password}\n`, { mode: 0o600 });
  const startWithFile = async () => {
    const client = clientIn(await readFile(host.clientFile, 'utf8'));
    if (!client) throw new Error(`${host.clientFile} has no client`);
    await servers.startDrone(client);
  };
  const systemctl = await makeSystemctl(dir, startWithFile);
  return {
    ...servers,
    host,
    dir,
    systemctl,
    async startDrone() {
      await startWithFile();
      systemctl.started();
    },
    parts(of, readyTimeoutMs) {
      const maybe = { is: 'whole', host: of } as const;
      return [oauthPart(maybe, systemctl.path), droneTokenPart(maybe, readyTimeoutMs), dronePart(maybe)];
    },
    forge: (method, path, schema, body) => callGitea(forgeUrl, bot, method, path, schema, body),
    async drone(method, path, schema, body) {
      const token = (await readFile(host.tokenFile, 'utf8')).trim();
      return callDrone(droneUrl, token, method, path, schema, body);
    },
    async dispose() {
      await systemctl.settled();
      await systemctl.close();
      await servers.dispose();
      await rm(dir, { recursive: true });
    },
  };
}

const BOT: Account = { login: 'cc-ci-bot', password: 'a-password-&-nobody-may-see' };
const REPOSITORY = 'coop/cc-ci';

/** Both servers as stand-ins. @param onRequest told of each request before it is looked at */
export async function standInServers(onRequest?: (line: string) => void): Promise<DroneServers> {
  const forge = await startGiteaStandIn(BOT, REPOSITORY, onRequest);
  await forge.start();
  const drone = await startDroneSetupStandIn(forge, REPOSITORY, onRequest);
  return {
    forgeUrl: forge.url,
    droneUrl: drone.url,
    bot: BOT,
    repository: REPOSITORY,
    startDrone: (client) => drone.start(client),
    stopForge: () => forge.stop(),
    startForge: () => forge.start(),
    async setAdministrator(may) {
      forge.mayAdminister = may;
    },
    async dispose() {
      await drone.stop();
      await forge.stop();
    },
  };
}

const applications = z.array(
  z.looseObject({
    id: z.number(),
    name: z.string(),
    client_id: z.string(),
    redirect_uris: z.array(z.string()),
  }),
);

/** The bot's applications at the forge, by their ids. */
export async function applicationsOf({ forge }: Pick<DroneWorld, 'forge'>) {
  const found = await forge('GET', '/user/applications/oauth2?page=1', applications);
  return found.sort((a, b) => a.id - b.id);
}

/** Everything that reconciling could touch: at the forge, in Drone, on the disk. */
export async function everything(world: DroneWorld) {
  const { permissions: _, ...repository } = await world.drone(
    'GET',
    `/repos/${world.repository}`,
    z.looseObject({ active: z.boolean(), timeout: z.number() }),
  );
  return {
    applications: await applicationsOf(world),
    user: await world.drone(
      'GET',
      '/user',
      z.object({ id: z.number(), login: z.string(), admin: z.boolean() }),
    ),
    repository,
    client: await fileState(world.host.clientFile),
    token: await fileState(world.host.tokenFile),
    restarts: world.systemctl.restarts(),
  };
}

async function fileState(path: string) {
  const [text, { ino, mtimeMs, mode }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
  return { text, ino, mtimeMs, mode: (mode & 0o777).toString(8) };
}

/** Lets others read a file. */
export function openToOthers(path: string): Promise<void> {
  return chmod(path, 0o644);
}
