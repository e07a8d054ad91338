import { HttpStatusError, readSecretFile } from '@cc-ci/core';
import { z } from 'zod';
import type { Inspection, Obstacle } from './part.js';
import { type Account, callGitea } from './remote/gitea.js';

/** What the host of a Drone server is told about it and its forge. */
export interface DroneHost {
  forgeUrl: string;
  /** The bot's login at the forge. */
  bot: string;
  passwordFile: string;
  droneUrl: string;
  /** The repository that Drone builds, `owner/name`. */
  repository: string;
  /** Drone's OAuth client, as an environment file for its server. */
  clientFile: string;
  /** The bot's token for Drone's API. */
  tokenFile: string;
  /** After so many minutes Drone kills a build. */
  timeoutMinutes: number;
  /** The server's systemd unit, where there is one. */
  unit?: string;
}

/** What is known of it; settings by the variable that sets them. */
export type MaybeDroneHost =
  | { is: 'whole'; host: DroneHost }
  | { is: 'partial'; unset: readonly string[] }
  | { is: 'none' };

/** Looks at a part with what that takes: the host's settings, and the bot, whose password the forge takes. */
export async function inspectAsBot<A>(
  maybe: MaybeDroneHost,
  inspect: (host: DroneHost, bot: Account) => Promise<Inspection<A>>,
): Promise<Inspection<A>> {
  if (maybe.is === 'none') {
    const note = 'no Drone server is set up by this host: CC_CI_FORGE_BOT is not set';
    return { differences: [], obstacles: [], notes: [note] };
  }
  if (maybe.is === 'partial') return blocked(...maybe.unset.map(unset));
  const { host } = maybe;
  const bot = readAccount(host);
  if ('missing' in bot) return blocked(bot);
  const refusal = await refusalOf(host, bot);
  return refusal ? blocked(refusal) : inspect(host, bot);
}

/** Does something as the bot. @throws Error where it has no password, or there is no such host */
export async function actAsBot(
  maybe: MaybeDroneHost,
  act: (host: DroneHost, bot: Account) => Promise<void>,
): Promise<void> {
  if (maybe.is !== 'whole') throw new Error('there is no Drone server to set up');
  const bot = readAccount(maybe.host);
  if ('missing' in bot) throw new Error(bot.missing);
  await act(maybe.host, bot);
}

export function blocked<A>(...obstacles: readonly Obstacle[]): Inspection<A> {
  return { differences: [], obstacles: [...obstacles], notes: [] };
}

function unset(variable: string): Obstacle {
  return {
    missing: `${variable} is not set, and CC_CI_FORGE_BOT is`,
    whose: 'operator',
    todo: `set ${variable}; cc-ci config tells what it is`,
  };
}

function readAccount({ bot, passwordFile }: DroneHost): Account | Obstacle {
  try {
    return { login: bot, password: readSecretFile(passwordFile, 'CC_CI_FORGE_PASSWORD_FILE') };
  } catch (error) {
    return {
      missing: (error as Error).message,
      whose: 'operator',
      todo: `write the password of ${bot} at the forge into ${passwordFile}`,
    };
  }
}

const user = z.looseObject({ login: z.string() });

/** Why the forge does not let the bot in; undefined when it does. */
async function refusalOf({ forgeUrl, passwordFile }: DroneHost, bot: Account): Promise<Obstacle | undefined> {
  try {
    await callGitea(forgeUrl, bot, 'GET', '/user', user);
    return undefined;
  } catch (error) {
    if (!(error instanceof HttpStatusError) || (error.status !== 401 && error.status !== 403)) throw error;
    return {
      missing: `${forgeUrl} does not let ${bot.login} in: ${error.message}`,
      whose: 'operator',
      todo: `write the right password into ${passwordFile}; the account must be active, without two-factor sign-in, and its password must not be due for a change`,
    };
  }
}
