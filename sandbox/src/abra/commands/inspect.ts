import { InputError, interpolate, newerThan, parseVersion } from '@cc-ci/core';
import { z } from 'zod';
import { type App, listApps, loadApp, loadAppSynced } from '../app.js';
import { readCompose } from '../compose.js';
import { type Abra, table } from '../context.js';
import { findDeployed, requireDeployed, UNKNOWN } from '../deployed.js';
import { dockerClient, jsonLines, NO_TIMEOUT_MS } from '../docker-client.js';
import { ensureExists, versionsOf } from '../recipe.js';
import { arg, type Call, type Verb } from '../verbs.js';

/** Commands that only look. */
export const inspectVerbs: readonly Verb[] = [
  {
    name: 'list',
    alias: 'ls',
    about: 'List apps',
    flags: ['status', 'server', 'recipe', 'machine'],
    run: list,
  },
  {
    name: 'ps',
    alias: 'p',
    about: "Show an app's containers",
    args: '<domain>',
    flags: ['machine', 'chaos'],
    run: ps,
  },
  {
    name: 'logs',
    alias: 'l',
    about: "Follow an app's logs",
    args: '<domain> [service]',
    flags: ['stdErr', 'since'],
    run: logs,
  },
  {
    name: 'services',
    alias: 'sr',
    about: "List an app's services",
    args: '<domain>',
    flags: ['chaos'],
    run: services,
  },
];

/** One app of `app ls -m`; all text, empty where the server was not asked. */
interface AppRow {
  server: string;
  recipe: string;
  appName: string;
  domain: string;
  status: string;
  chaos: string;
  chaosVersion: string;
  version: string;
  upgrade: string;
}

async function list(call: Call): Promise<void> {
  const { abra } = call;
  const wanted = (app: App) =>
    [app.server, undefined].includes(call.text('server')) &&
    [app.recipe, undefined].includes(call.text('recipe'));
  const apps = (await listApps(abra)).filter(wanted);
  const rows = await Promise.all(apps.map((app) => describe(abra, app, call.has('status'))));
  if (call.has('machine')) {
    abra.print(JSON.stringify(byServer(rows, call.has('status'))));
    return;
  }
  const cells = rows.map((row) => [
    row.server,
    row.recipe,
    row.domain,
    row.status,
    row.chaos,
    row.version,
    row.upgrade,
  ]);
  const header = ['SERVER', 'RECIPE', 'DOMAIN', 'STATUS', 'CHAOS', 'VERSION', 'UPGRADE'];
  for (const line of table([header, ...cells.map((row) => row.map((cell) => cell.replaceAll('\n', ' ')))])) {
    abra.print(line);
  }
}

async function describe(abra: Abra, app: App, status: boolean): Promise<AppRow> {
  const row = { server: app.server, recipe: app.recipe, appName: app.name, domain: app.env.DOMAIN ?? '' };
  if (!status) return { ...row, status: '', chaos: '', chaosVersion: '', version: '', upgrade: '' };
  const deployed = await findDeployed(abra, app.stack);
  if (!deployed) {
    const none = UNKNOWN;
    return { ...row, status: none, chaos: none, chaosVersion: none, version: none, upgrade: none };
  }
  const { version, chaos, chaosVersion } = deployed;
  const upgrade = await upgradesFor(abra, app.recipe, version);
  return { ...row, status: 'deployed', chaos, chaosVersion, version, upgrade };
}

/** "latest", "unknown", or the newer versions, the newest first, each on its line. */
async function upgradesFor(abra: Abra, recipe: string, version: string): Promise<string> {
  if (!parseVersion(version)) return UNKNOWN;
  await ensureExists(abra, recipe);
  const newer = newerThan((await versionsOf(abra, recipe)).published, version);
  return newer.length > 0 ? newer.reverse().join('\n') : 'latest';
}

function byServer(rows: readonly AppRow[], status: boolean) {
  const servers = [...new Set(rows.map(({ server }) => server))];
  return Object.fromEntries(
    servers.map((server) => {
      const apps = rows.filter((row) => row.server === server);
      const count = (is: (row: AppRow) => boolean) => (status ? apps.filter(is).length : 0);
      const counts = {
        appCount: apps.length,
        versionCount: count(({ version }) => version !== UNKNOWN),
        unversionedCount: count((app) => app.status === 'deployed' && app.version === UNKNOWN),
        latestCount: count(({ upgrade }) => upgrade === 'latest'),
        upgradeCount: count(({ upgrade }) => upgrade !== 'latest' && upgrade !== UNKNOWN),
      };
      return [server, { apps, ...counts }];
    }),
  );
}

const container = z.object({
  service: z.string(),
  image: z.string(),
  created: z.string(),
  ports: z.string(),
  state: z.string(),
  status: z.string(),
});

const CONTAINER_FORMAT =
  '{"service":{{json (.Label "com.docker.swarm.service.name")}},"image":{{json .Image}},"created":{{json .RunningFor}},' +
  '"ports":{{json .Ports}},"state":{{json .State}},"status":{{json .Status}}}';

async function ps(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadAppSynced(abra, arg(call, 0), call.has('chaos'));
  const deployed = await requireDeployed(abra, app);
  const filter = `label=com.docker.stack.namespace=${app.stack}`;
  const { stdout } = await dockerClient(abra, [
    'container',
    'ls',
    '--filter',
    filter,
    '--format',
    CONTAINER_FORMAT,
  ]);
  const containers = jsonLines(stdout).map((value) => container.parse(value));
  const rows = deployed.services.map(({ Spec }) => {
    const found = containers.find(({ service }) => service === Spec.Name);
    const none = {
      image: Spec.TaskTemplate.ContainerSpec.Image,
      created: '',
      ports: '',
      state: UNKNOWN,
      status: UNKNOWN,
    };
    const service = Spec.Name.slice(app.stack.length + 1);
    return { ...none, ...found, service, chaos: deployed.chaos, version: deployed.version };
  });
  if (call.has('machine')) {
    abra.print(JSON.stringify(Object.fromEntries(rows.map((row) => [row.service, row]))));
    return;
  }
  const cells = rows.map((row) => [row.service, row.image, row.created, row.status, row.state, row.ports]);
  for (const line of table([['SERVICE', 'IMAGE', 'CREATED', 'STATUS', 'STATE', 'PORTS'], ...cells]))
    abra.print(line);
}

/** Characters of a log to keep: enough for what Docker says when it ends. */
const KEEP = 2_000;

/** Follows until it is told to end, as abra does. */
async function logs(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  const { services: deployed } = await requireDeployed(abra, app);
  const wanted = call.args[1];
  const names = deployed
    .map(({ Spec }) => Spec.Name)
    .filter((name) => !wanted || name === `${app.stack}_${wanted}`);
  if (names.length === 0) throw new InputError(`${app.name} has no service called "${wanted}"`);
  const since = call.text('since');
  const flags = ['--follow', '--timestamps', ...(since ? ['--since', since] : [])];
  await Promise.all(
    names.map((name) =>
      dockerClient(abra, ['service', 'logs', ...flags, name], {
        timeoutMs: NO_TIMEOUT_MS,
        keep: KEEP,
        onLine: (line, stream) => {
          if (stream === 'stderr' || !call.has('stdErr')) abra.print(line);
        },
      }),
    ),
  );
}

async function services(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadAppSynced(abra, arg(call, 0), call.has('chaos'));
  const compose = await readCompose(app.folder, app.env);
  const rows = [...compose.services].map(([name, { image }]) => [name, interpolate(image ?? '', app.env)]);
  for (const line of table([['SERVICE', 'IMAGE'], ...rows])) abra.print(line);
}
