import { stat } from 'node:fs/promises';
import { envValues } from '@cc-ci/core';
import { actAsBot, type DroneHost, inspectAsBot, type MaybeDroneHost } from '../drone-host.js';
import { type Difference, definePart, type Inspection, type Part } from '../part.js';
import {
  type Account,
  type Application,
  type Client,
  listApplications,
  takesClient,
  type WantedApplication,
  writeApplication,
} from '../remote/gitea.js';
import { closeSecret, readSecret, type SecretFile, writeSecret } from '../secret-file.js';
import { restartSoon, runningSince } from '../systemd.js';

export type OAuthAction =
  | { kind: 'write'; application: WantedApplication }
  | { kind: 'close' }
  | { kind: 'restart'; unit: string };

/** What was found of Drone's OAuth application and of the file with its client. */
export interface OAuthFound {
  applications: readonly Application[];
  file: SecretFile | undefined;
  /** Whether the forge takes the client that the file holds. */
  taken: boolean;
  /** Whether the server runs, with a client that is older than the file. */
  stale: boolean;
  /** Whether it runs at all, in a unit that we may restart. */
  running: boolean;
}

/**
 * Drone's OAuth application at the forge, which belongs to the bot, and the client id and secret in a file that Drone's
 * server reads as its environment. The forge tells a secret only once, when it makes one: where it is lost, it makes
 * another for the same application.
 * @param systemctl default: the one on PATH
 */
export function oauthPart(maybe: MaybeDroneHost, systemctl?: string): Part {
  return definePart<OAuthAction>({
    name: 'oauth',
    needs: [],
    inspect: () =>
      inspectAsBot(maybe, async (host, bot) => inspectOAuth(host, await look(host, bot, systemctl))),
    act: (action) => actAsBot(maybe, (host, bot) => act(host, bot, action, systemctl)),
  });
}

async function look(host: DroneHost, bot: Account, systemctl?: string): Promise<OAuthFound> {
  const file = await readSecret(host.clientFile);
  const client = file && clientIn(file.text);
  const applications = await listApplications(host.forgeUrl, bot);
  const known = client !== undefined && applications.some(({ clientId }) => clientId === client.id);
  const taken = known && (await takesClient(host.forgeUrl, client));
  const since = host.unit === undefined ? undefined : await runningSince(host.unit, systemctl);
  const written = file && since !== undefined ? (await stat(host.clientFile)).mtimeMs : 0;
  return {
    applications,
    file,
    taken,
    stale: since !== undefined && since < written,
    running: since !== undefined,
  };
}

/** What must be done so that there is one application that is right, and its client in the file. Pure. */
export function inspectOAuth(
  { clientFile, droneUrl, unit }: Pick<DroneHost, 'clientFile' | 'droneUrl' | 'unit'>,
  { applications, file, taken, stale, running }: OAuthFound,
): Inspection<OAuthAction> {
  const name = `Drone at ${new URL(droneUrl).host}`;
  const redirectUri = `${droneUrl}/login`;
  const client = file && clientIn(file.text);
  const ours =
    applications.find(({ clientId }) => clientId === client?.id) ??
    applications.find(({ redirectUris }) => redirectUris.includes(redirectUri)) ??
    applications.find((it) => it.name === name);
  const differences: Difference<OAuthAction>[] = [];
  const write = (found: string, plan: string, application: WantedApplication) =>
    differences.push({ found, plan, action: { kind: 'write', application } });
  if (!ours) {
    const wanted = { name, redirectUri, skipsConsent: false };
    write(
      'the bot has no OAuth application for Drone',
      `make it, and write its client into ${clientFile}`,
      wanted,
    );
  } else {
    const faults = [
      ...faultsOf(ours, redirectUri),
      ...(client === undefined
        ? [`there is no client in ${clientFile}`]
        : client.id !== ours.clientId
          ? [`${clientFile} has the client of another application`]
          : taken
            ? []
            : [`the forge does not take the secret in ${clientFile}`]),
    ];
    const { id, skipsConsent } = ours;
    if (faults.length > 0)
      write(
        `OAuth application "${ours.name}": ${faults.join(', ')}`,
        'put it right, which gives it a new secret, and write that down',
        { id, name: ours.name, redirectUri, skipsConsent },
      );
    else if (file?.open) {
      const found = `others may read ${clientFile}`;
      differences.push({ found, plan: 'close it to them', action: { kind: 'close' } });
    }
  }
  const written = differences.some(({ action }) => action.kind === 'write');
  if (unit !== undefined && running && (stale || written)) {
    const found = `${unit} runs with an older OAuth client`;
    differences.push({ found, plan: 'restart it', action: { kind: 'restart', unit } });
  }
  const notes = ours && !written ? [`OAuth application "${ours.name}" for ${redirectUri}`] : [];
  return { differences, obstacles: [], notes };
}

function faultsOf({ redirectUris, confidential }: Application, redirectUri: string): string[] {
  const right = redirectUris.length === 1 && redirectUris[0] === redirectUri;
  return [
    ...(right ? [] : [`sends back to ${redirectUris.join(', ') || 'nowhere'} instead of ${redirectUri}`]),
    ...(confidential ? [] : ['asks for no secret']),
  ];
}

async function act(host: DroneHost, bot: Account, action: OAuthAction, systemctl?: string): Promise<void> {
  if (action.kind === 'close') return closeSecret(host.clientFile);
  if (action.kind === 'restart') return restartSoon(action.unit, systemctl);
  const { id, secret } = await writeApplication(host.forgeUrl, bot, action.application);
  await writeSecret(host.clientFile, `${ID}=${id}\n${SECRET}=${secret}\n`);
}

/** As Drone's server reads them. */
const ID = 'DRONE_GITEA_CLIENT_ID';
const SECRET = 'DRONE_GITEA_CLIENT_SECRET';

/** The client in such a file; undefined where there is none that is whole. */
export function clientIn(text: string): Client | undefined {
  const { [ID]: id, [SECRET]: secret } = envValues(text);
  return id && secret ? { id, secret } : undefined;
}
