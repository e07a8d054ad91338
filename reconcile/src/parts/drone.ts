import { HttpStatusError } from '@cc-ci/core';
import { z } from 'zod';
import { actAsBot, type DroneHost, inspectAsBot, type MaybeDroneHost } from '../drone-host.js';
import { type Difference, definePart, type Inspection, type Part } from '../part.js';
import { callDrone } from '../remote/drone.js';
import { type Account, callGitea } from '../remote/gitea.js';
import { readSecret } from '../secret-file.js';
import { droneUser } from './drone-token.js';

/** Settings of a repository in Drone, by their names there. */
const droneSettings = z.looseObject({
  timeout: z.number(),
  trusted: z.boolean(),
  protected: z.boolean(),
  ignore_forks: z.boolean(),
  ignore_pull_requests: z.boolean(),
  config_path: z.string(),
});
type DroneSettings = z.output<typeof droneSettings>;

const droneRepository = droneSettings.extend({ active: z.boolean(), user_id: z.number() });

/** What was found of the repository, in Drone and at the forge. */
export interface RepositoryFound {
  /** undefined: Drone does not know it. */
  known: z.output<typeof droneRepository> | undefined;
  /** Drone's id of the bot. */
  botId: number;
  /** Whether the bot may administer it at the forge. */
  mayAdminister: boolean;
}

type RepositoryAction =
  | { kind: 'synchronise' | 'activate' | 'own' }
  | { kind: 'set'; settings: Partial<DroneSettings> };

/** The repository whose pipeline Drone runs: known to it, activated by the bot, with the settings that builds need. */
export function dronePart(maybe: MaybeDroneHost): Part {
  return definePart<RepositoryAction>({
    name: 'drone',
    needs: ['drone-token'],
    inspect: () => inspectAsBot(maybe, async (host, bot) => inspectRepository(host, await look(host, bot))),
    act: (action) => actAsBot(maybe, (host) => act(host, action)),
  });
}

const atForge = z.looseObject({ permissions: z.looseObject({ admin: z.boolean() }) });

async function look(host: DroneHost, bot: Account): Promise<RepositoryFound> {
  const { droneUrl, forgeUrl, repository } = host;
  const token = await tokenOf(host);
  const { permissions } = await callGitea(forgeUrl, bot, 'GET', `/repos/${repository}`, atForge);
  const { id: botId } = await callDrone(droneUrl, token, 'GET', '/user', droneUser);
  const known = await callDrone(droneUrl, token, 'GET', `/repos/${repository}`, droneRepository).catch(
    (error: unknown) => {
      if (error instanceof HttpStatusError && error.status === 404) return undefined;
      throw error;
    },
  );
  return { known, botId, mayAdminister: permissions.admin };
}

/**
 * What builds need (docs/drone.md). Nobody may start one from a fork or a pull request: steps of exec pipelines have the
 * whole machine, and the pull request could bring a `.drone.yml` of its own.
 */
function wanted({ timeoutMinutes }: Pick<DroneHost, 'timeoutMinutes'>): DroneSettings {
  return {
    timeout: timeoutMinutes,
    trusted: true,
    protected: false,
    ignore_forks: true,
    ignore_pull_requests: true,
    config_path: '.drone.yml',
  };
}

/** What must be done so that Drone builds the repository as it should. Pure. */
export function inspectRepository(
  host: Pick<DroneHost, 'repository' | 'bot' | 'timeoutMinutes'>,
  { known, botId, mayAdminister }: RepositoryFound,
): Inspection<RepositoryAction> {
  const { repository, bot } = host;
  const differences: Difference<RepositoryAction>[] = [];
  if (!known)
    differences.push({
      found: `Drone does not know ${repository}`,
      plan: 'let it look at the forge again',
      action: { kind: 'synchronise' },
    });
  if (!known?.active) {
    if (!mayAdminister)
      return {
        differences: [],
        obstacles: [
          {
            missing: `${bot} is no administrator of ${repository} at the forge, and Drone must make its webhook there to build it`,
            whose: 'operator',
            todo: `make ${bot} an administrator of that repository`,
          },
        ],
        notes: [],
      };
    const found = `${repository} is not active in Drone`;
    differences.push({ found, plan: 'activate it', action: { kind: 'activate' } });
  } else if (known.user_id !== botId) {
    const found = `${repository} is built in the name of another user of Drone`;
    differences.push({ found, plan: `build it in the name of ${bot}`, action: { kind: 'own' } });
  }
  if (known) differences.push(...settingDifferences(known, wanted(host)));
  else
    differences.push({
      found: `${repository} has Drone's own settings`,
      plan: 'give it those that builds need',
      action: { kind: 'set', settings: wanted(host) },
    });
  const notes =
    differences.length === 0 ? [`${repository}, after ${host.timeoutMinutes} minutes killed`] : [];
  return { differences, obstacles: [], notes };
}

function settingDifferences(there: DroneSettings, want: DroneSettings): Difference<RepositoryAction>[] {
  return Object.entries(want)
    .filter(([name, value]) => there[name] !== value)
    .map(([name, value]) => ({
      found: `${name} is ${there[name]} in Drone`,
      plan: `set it to ${value}`,
      action: { kind: 'set', settings: { [name]: value } },
    }));
}

async function act(host: DroneHost, action: RepositoryAction): Promise<void> {
  const token = await tokenOf(host);
  const call = (method: 'POST' | 'PATCH', path: string, body?: unknown) =>
    callDrone(host.droneUrl, token, method, path, z.unknown(), body);
  const path = `/repos/${host.repository}`;
  switch (action.kind) {
    case 'synchronise':
      await call('POST', '/user/repos');
      break;
    case 'activate':
      await call('POST', path);
      break;
    case 'own':
      await call('POST', `${path}/chown`);
      break;
    case 'set':
      await call('PATCH', path, action.settings);
  }
}

/** @throws Error when there is none, which the part before this one sees to */
async function tokenOf({ tokenFile }: DroneHost): Promise<string> {
  const file = await readSecret(tokenFile);
  if (!file) throw new Error(`there is no file ${tokenFile}`);
  return file.text.trim();
}
