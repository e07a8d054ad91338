import { setTimeout as delay } from 'node:timers/promises';
import { describeError, HttpStatusError } from '@cc-ci/core';
import { z } from 'zod';
import { actAsBot, blocked, type DroneHost, inspectAsBot, type MaybeDroneHost } from '../drone-host.js';
import { definePart, type Inspection, type Obstacle, type Part } from '../part.js';
import { callDrone, leadsTo, type SignInTarget, signInTarget, signInToDrone } from '../remote/drone.js';
import { type Account, callGitea } from '../remote/gitea.js';
import { closeSecret, readSecret, type SecretFile, writeSecret } from '../secret-file.js';
import { clientIn } from './oauth.js';

type TokenAction = { kind: 'sign-in' } | { kind: 'close' };

/** A user of Drone, as far as it matters here. */
export const droneUser = z.looseObject({ id: z.number(), login: z.string(), admin: z.boolean() });
type DroneUser = z.output<typeof droneUser>;

/** How long a server that was just started may take until it answers with its client, and how often we ask; milliseconds. */
const READY_TIMEOUT_MS = 30_000;
const ASK_EVERY_MS = 250;

/**
 * The bot as a user of Drone, its token for Drone's API in a file, and Drone's leave to act for it at the forge: all of
 * it comes from signing in.
 * @param readyTimeoutMs how long a server that was just started may take
 */
export function droneTokenPart(maybe: MaybeDroneHost, readyTimeoutMs = READY_TIMEOUT_MS): Part {
  return definePart<TokenAction>({
    name: 'drone-token',
    needs: ['oauth'],
    inspect: () => inspectAsBot(maybe, (host, bot) => inspectToken(host, bot, readyTimeoutMs)),
    act: ({ kind }) =>
      actAsBot(maybe, async (host, bot) => {
        if (kind === 'close') return closeSecret(host.tokenFile);
        const token = await signInToDrone(host.droneUrl, host.forgeUrl, bot);
        const { text, open } = (await readSecret(host.tokenFile)) ?? {};
        if (text?.trim() !== token || open) await writeSecret(host.tokenFile, `${token}\n`);
      }),
  });
}

async function inspectToken(
  host: DroneHost,
  bot: Account,
  readyTimeoutMs: number,
): Promise<Inspection<TokenAction>> {
  const obstacles = [await forgeObstacle(host, bot), await serverObstacle(host, readyTimeoutMs)];
  const inTheWay = obstacles.filter((it) => it !== undefined);
  if (inTheWay.length > 0) return blocked(...inTheWay);
  const file = await readSecret(host.tokenFile);
  const reason = await reasonToSignIn(host, file);
  if (typeof reason === 'string') {
    const plan = `sign ${bot.login} in to Drone, and write its token down`;
    return { differences: [{ found: reason, plan, action: { kind: 'sign-in' } }], obstacles: [], notes: [] };
  }
  if (!reason.admin) return blocked(notAdmin(bot));
  const found = `others may read ${host.tokenFile}`;
  return {
    differences: file?.open ? [{ found, plan: 'close it to them', action: { kind: 'close' } }] : [],
    obstacles: [],
    notes: [`${reason.login} at ${host.droneUrl}`],
  };
}

/** What the forge must give before Drone can: a repository that the bot sees. */
async function forgeObstacle(
  { forgeUrl, repository }: DroneHost,
  bot: Account,
): Promise<Obstacle | undefined> {
  try {
    await callGitea(forgeUrl, bot, 'GET', `/repos/${repository}`, z.unknown());
    return undefined;
  } catch (error) {
    if (!(error instanceof HttpStatusError) || error.status !== 404) throw error;
    return {
      missing: `${bot.login} sees no repository ${repository} at ${forgeUrl}`,
      whose: 'operator',
      todo: `make it, with .drone.yml and tests/ of cc-ci in it, and make ${bot.login} its administrator`,
    };
  }
}

/** Waits until the server answers as the one it should be; otherwise says what it is instead. */
async function serverObstacle(host: DroneHost, readyTimeoutMs: number): Promise<Obstacle | undefined> {
  const file = await readSecret(host.clientFile);
  const clientId = file && clientIn(file.text)?.id;
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const target = await signInTarget(host.droneUrl).catch((error: unknown) => {
      if (performance.now() > deadline) throw error;
      return undefined;
    });
    const obstacle = target && otherServer(host, target, clientId);
    if (target && !obstacle) return undefined;
    if (performance.now() > deadline) return obstacle;
    // Nothing tells when a server has come up.
    await delay(ASK_EVERY_MS);
  }
}

function otherServer(
  { droneUrl, forgeUrl, clientFile, unit = 'the Drone server' }: DroneHost,
  target: SignInTarget,
  clientId: string | undefined,
): Obstacle | undefined {
  if (!leadsTo(target, forgeUrl))
    return {
      missing: `${droneUrl}/login does not lead to ${forgeUrl}`,
      whose: 'operator',
      todo: 'it must reach a Drone server that is told DRONE_GITEA_SERVER as CC_CI_FORGE_URL has it',
    };
  if (target.clientId === clientId) return undefined;
  return {
    missing: `Drone at ${droneUrl} runs with another OAuth client than ${clientFile} has`,
    whose: 'operator',
    todo: `restart ${unit}, so that it reads that file`,
  };
}

/** The user whose token it is, or why somebody must sign in. */
async function reasonToSignIn(host: DroneHost, file: SecretFile | undefined): Promise<DroneUser | string> {
  const { droneUrl, tokenFile, bot, repository } = host;
  const token = file?.text.trim();
  if (!token) return `there is no token in ${tokenFile}`;
  let user: DroneUser;
  try {
    user = await callDrone(droneUrl, token, 'GET', '/user', droneUser);
  } catch (error) {
    if (error instanceof HttpStatusError && error.status === 401)
      return `Drone refuses the token in ${tokenFile}`;
    throw error;
  }
  if (user.login.toLowerCase() !== bot.toLowerCase()) return `${tokenFile} has the token of ${user.login}`;
  try {
    await callDrone(droneUrl, token, 'GET', `/user/remote/repos/${repository}`, z.unknown());
    return user;
  } catch (error) {
    if (!(error instanceof HttpStatusError)) throw error;
    return `Drone cannot act for ${bot} at the forge: ${describeError(error)}`;
  }
}

function notAdmin({ login }: Account): Obstacle {
  return {
    missing: `${login} is no administrator of Drone`,
    whose: 'operator',
    todo: `start the Drone server with DRONE_USER_CREATE=username:${login},admin:true`,
  };
}
