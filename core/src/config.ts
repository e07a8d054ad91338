import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, InputError } from './errors.js';
import { describeIssues } from './files.js';
import { cloneUrl, repoName, repoPattern, userLogin } from './names.js';
import { parseVersion } from './versions.js';

/** One setting: its environment variable, what it may be, and what it means. */
interface Setting<S extends z.ZodType = z.ZodType> {
  env: string;
  schema: S;
  doc: string;
}

function setting<S extends z.ZodType>(env: string, schema: S, doc: string): Setting<S> {
  return { env, schema, doc };
}

const listenAddress = z
  .string()
  .regex(/^[^\s:]+:\d{1,5}$/, 'expected "address:port", for example 127.0.0.1:8090')
  .transform((text) => {
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
  });
const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'expected an http(s) URL')
  .transform((text) => text.replace(/\/+$/, ''));
const path = z.string().min(1, 'expected a path');
const recipesUrl = z
  .string()
  .transform((text) => text.replace(/\/+$/, ''))
  .pipe(cloneUrl);
const seconds = (from: number, to: number) =>
  z.coerce
    .number(`expected seconds from ${from} to ${to}`)
    .min(from, `expected seconds from ${from} to ${to}`)
    .max(to, `expected seconds from ${from} to ${to}`);
const mebibytes = (from: number, to: number) =>
  z.coerce
    .number(`expected MiB from ${from} to ${to}`)
    .min(from, `expected MiB from ${from} to ${to}`)
    .max(to, `expected MiB from ${from} to ${to}`);
/** A list: in the environment separated by commas, in the file an array, too. */
const list = (item: z.ZodString) =>
  z
    .union([z.string().transform((text) => text.split(',')), z.array(z.string())], 'expected a comma list')
    .transform((entries) => entries.map((entry) => entry.trim()).filter((entry) => entry !== ''))
    .pipe(z.array(item));
const recipeVersion = z
  .string()
  .refine((text) => parseVersion(text) !== undefined, 'expected a version such as 1.2.3+v3.6.1');
const dnsName = z
  .string()
  .regex(
    /^(?=.{1,200}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/,
    'expected a DNS name such as ci.example.org',
  );

/**
 * Every setting of cc-ci, in groups. This table is all there is: parsing, the refusal of unknown names and the
 * documentation (`cc-ci config`, docs/configuration.md) come from it.
 */
export const settings = {
  common: {
    stateDir: setting(
      'CC_CI_STATE_DIR',
      path.default('/var/lib/cc-ci'),
      'Folder of run records and databases',
    ),
    logLevel: setting(
      'CC_CI_LOG_LEVEL',
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
      'How much is logged',
    ),
    publicUrl: setting(
      'CC_CI_PUBLIC_URL',
      httpUrl.default('http://127.0.0.1:8091'),
      'Where people reach the dashboard; run links begin with it',
    ),
  },
  runner: {
    zone: setting(
      'CC_CI_ZONE',
      dnsName.default('ci.commoninternet.net'),
      'Apps under test are deployed at names below this one',
    ),
    edgeAddress: setting(
      'CC_CI_EDGE_ADDRESS',
      listenAddress.optional(),
      'Connect here for every app instead of asking DNS (address:port of the reverse proxy)',
    ),
    edgeCaFile: setting(
      'CC_CI_EDGE_CA_FILE',
      path.optional(),
      'PEM file of the authority that signed the wildcard certificate, where it is not a public one',
    ),
    recipesUrl: setting(
      'CC_CI_RECIPES_URL',
      recipesUrl.prefault('https://git.coopcloud.tech/coop-cloud'),
      'Where `cc-ci run` without `--src` finds recipes: this, a slash, the name, `.git` (a URL, or an absolute path)',
    ),
    testsDir: setting('CC_CI_TESTS_DIR', path.default('tests'), 'Folder with one folder of tests per recipe'),
    abra: setting('CC_CI_ABRA', path.default('abra'), 'The abra program'),
    abraServer: setting(
      'CC_CI_ABRA_SERVER',
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, 'expected a server name')
        .default('default'),
      'The server abra deploys to',
    ),
    chromium: setting(
      'CC_CI_CHROMIUM',
      path.optional(),
      'The Chromium program; default: the first of chromium, chromium-browser, google-chrome on PATH',
    ),
    deployTimeout: setting(
      'CC_CI_DEPLOY_TIMEOUT',
      seconds(5, 7200).default(600),
      'Seconds a deployment may take to become healthy',
    ),
    testTimeout: setting(
      'CC_CI_TEST_TIMEOUT',
      seconds(5, 7200).default(600),
      'Seconds all test files of one stage may take together',
    ),
    minDisk: setting(
      'CC_CI_MIN_DISK',
      z.coerce.number('expected GiB from 0').min(0, 'expected GiB from 0').default(5),
      'GiB that must be free where Docker and the state folder lie, or no run is begun',
    ),
    minInodes: setting(
      'CC_CI_MIN_INODES',
      z.coerce
        .number('expected a whole number from 0')
        .int('expected a whole number from 0')
        .min(0, 'expected a whole number from 0')
        .default(100_000),
      'Inodes that must be free there',
    ),
    forgetSnapshots: setting(
      'CC_CI_FORGET_SNAPSHOTS',
      path.optional(),
      "Program that removes an app's backups, called with the stack's name; default: restic in the backup bot's container",
    ),
    testMemory: setting(
      'CC_CI_TEST_MEMORY',
      mebibytes(128, 1_048_576).default(2048),
      'MiB of memory that tests may use, with all they start (a browser, say)',
    ),
    testOutput: setting('CC_CI_TEST_OUTPUT', mebibytes(1, 1024).default(32), 'MiB that tests may print'),
  },
  engine: {
    kind: setting(
      'CC_CI_ENGINE',
      z.enum(['local', 'drone'], 'expected local or drone').default('local'),
      'Who runs builds: `local`, this host, or `drone`, a Drone server and its exec runners',
    ),
    maxTests: setting(
      'MAX_TESTS',
      z.coerce
        .number('expected a whole number from 1 to 64')
        .int('expected a whole number from 1 to 64')
        .min(1, 'expected a whole number from 1 to 64')
        .max(64, 'expected a whole number from 1 to 64')
        .default(1),
      "Builds that run at once in the embedded engine; with Drone the exec runner's capacity",
    ),
    buildTimeout: setting(
      'CC_CI_BUILD_TIMEOUT',
      seconds(10, 86400).default(3600),
      'Seconds a whole build may take',
    ),
  },
  drone: {
    url: setting('CC_CI_DRONE_URL', httpUrl, 'Base URL of the Drone server'),
    tokenFile: setting(
      'CC_CI_DRONE_TOKEN_FILE',
      path,
      'File with the API token of a Drone user who may write to the repository',
    ),
    repository: setting(
      'CC_CI_DRONE_REPOSITORY',
      repoName,
      'The repository with `.drone.yml` and `tests/` whose builds are started, as `owner/name`',
    ),
    branch: setting(
      'CC_CI_DRONE_BRANCH',
      z
        .string()
        .regex(/^(?![-/])[A-Za-z0-9_./-]{1,200}$/, 'expected a branch name')
        .default('main'),
      'The branch of it',
    ),
  },
  bridge: {
    forgeUrl: setting('CC_CI_FORGE_URL', httpUrl, 'Base URL of the Gitea server'),
    forgeTokenFile: setting(
      'CC_CI_FORGE_TOKEN_FILE',
      path,
      "File with the bot's access token (scopes: read user, read organisation, read repository, write issue; with write repository it may set commit statuses)",
    ),
    org: setting(
      'CC_CI_ORG',
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'expected an organisation name'),
      'Organisation whose repositories are looked at and whose members may ask',
    ),
    enrolled: setting(
      'CC_CI_ENROLLED',
      list(repoPattern).optional(),
      'Repositories of the organisation that are tested: names and patterns, for example `*,!traefik`; default: all, unless `CC_CI_ENROLLED_FILE` is set',
    ),
    enrolledFile: setting(
      'CC_CI_ENROLLED_FILE',
      path.optional(),
      'File with more such patterns, one a line, `#` begins a comment; read at every decision, so no restart is needed',
    ),
    allowUsers: setting(
      'CC_CI_ALLOW_USERS',
      list(userLogin).default([]),
      'Users who may ask without being members, also while the forge cannot tell who is one',
    ),
    ignoreUsers: setting(
      'CC_CI_IGNORE_USERS',
      list(userLogin).default([]),
      'Users whose comments are never commands: other bots',
    ),
    mention: setting(
      'CC_CI_MENTION',
      z.enum(['always', 'failure', 'never']).default('always'),
      'When whoever asked is told in a fresh comment that the run has ended (edits notify nobody)',
    ),
    pollInterval: setting(
      'CC_CI_POLL_INTERVAL',
      seconds(0.1, 3600).default(5),
      'Seconds between two looks at the forge',
    ),
    pollBudget: setting(
      'CC_CI_POLL_BUDGET',
      z.coerce
        .number('expected a whole number from 1 to 6000')
        .int('expected a whole number from 1 to 6000')
        .min(1, 'expected a whole number from 1 to 6000')
        .max(6000, 'expected a whole number from 1 to 6000')
        .default(60),
      'Requests a minute for looking at repositories one by one, where the forge has no search over all of them',
    ),
    listen: setting(
      'CC_CI_BRIDGE_LISTEN',
      listenAddress.prefault('127.0.0.1:8090'),
      "Address of the bridge's own HTTP server",
    ),
    hookSecretFile: setting(
      'CC_CI_HOOK_SECRET_FILE',
      path.optional(),
      'File with the secret that signs webhook deliveries; only with it are they taken, at `/hook` (docs/bridge.md)',
    ),
  },
  host: {
    hostDir: setting(
      'CC_CI_HOST_DIR',
      path.default('/var/lib/cc-ci-host'),
      'Folder of root for what only this host can make; when it is lost, `cc-ci reconcile` makes it again',
    ),
    certsDir: setting(
      'CC_CI_CERTS_DIR',
      path.default('/var/lib/ci-certs/live'),
      'Folder where the operator keeps the wildcard certificate of the zone: `fullchain.pem` and `privkey.pem`',
    ),
    certificateFile: setting(
      'CC_CI_CERTIFICATE_FILE',
      path.optional(),
      'The certificate with its chain, as PEM; default: fullchain.pem in the folder of certificates',
    ),
    certificateKeyFile: setting(
      'CC_CI_CERTIFICATE_KEY_FILE',
      path.optional(),
      'Its private key, as PEM; default: privkey.pem in the folder of certificates',
    ),
    advertiseAddress: setting(
      'CC_CI_ADVERTISE_ADDRESS',
      z.union([z.ipv4(), z.ipv6()], 'expected an IP address').optional(),
      'Address under which the swarm is begun; default: the only one this host has',
    ),
    forgeBot: setting(
      'CC_CI_FORGE_BOT',
      userLogin.optional(),
      "On the host of a Drone server: the bot's login at the forge, as which `cc-ci reconcile` makes Drone's OAuth application and signs in to Drone",
    ),
    forgePasswordFile: setting(
      'CC_CI_FORGE_PASSWORD_FILE',
      path.optional(),
      "File with the bot's password at the forge",
    ),
    droneUnit: setting(
      'CC_CI_DRONE_UNIT',
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9:_.@-]*\.service$/, 'expected a unit such as drone-server.service')
        .optional(),
      "The Drone server's systemd unit, which is restarted when its OAuth client has changed; without it nobody restarts it",
    ),
    traefikVersion: setting(
      'CC_CI_TRAEFIK_VERSION',
      recipeVersion.optional(),
      'Published version of the recipe traefik that is deployed; default: the one that is, or else the newest',
    ),
    backupbotVersion: setting(
      'CC_CI_BACKUPBOT_VERSION',
      recipeVersion.optional(),
      'The same of the recipe backup-bot-two',
    ),
    dashboardDomain: setting(
      'CC_CI_DASHBOARD_DOMAIN',
      dnsName.optional(),
      'Public name of the dashboard, with the webhook at `/hook`; default: `ci.` and the zone',
    ),
    droneDomain: setting(
      'CC_CI_DRONE_DOMAIN',
      dnsName.optional(),
      'Public name of the Drone server on this host; default: `drone.` and the zone',
    ),
    droneListen: setting(
      'CC_CI_DRONE_LISTEN',
      listenAddress.optional(),
      'Address where the Drone server on this host listens; without it there is none',
    ),
  },
  reports: {
    url: setting(
      'CC_CI_REPORT_URL',
      httpUrl.optional(),
      "On a host of runners only: the dashboard that `cc-ci send-reports` hands this host's run records on to",
    ),
    tokenFile: setting(
      'CC_CI_REPORT_TOKEN_FILE',
      path.optional(),
      'File with the token that hosts of runners and the dashboard share; without it the dashboard takes no reports',
    ),
  },
  dashboard: {
    listen: setting(
      'CC_CI_DASHBOARD_LISTEN',
      listenAddress.prefault('127.0.0.1:8091'),
      "Address of the dashboard's HTTP server",
    ),
    siteDir: setting(
      'CC_CI_SITE_DIR',
      path.optional(),
      'Folder the pages are written to; default: site in the state folder',
    ),
  },
} satisfies Record<string, Record<string, Setting>>;

type Settings = typeof settings;
export type GroupName = keyof Settings;

/** The values of the groups a program asked for. */
export type Config<G extends GroupName> = {
  [K in G]: { [N in keyof Settings[K]]: Settings[K][N] extends Setting<infer S> ? z.output<S> : never };
};

/** The variable that names an optional JSON file with the same settings: `{ "bridge": { "pollInterval": 5 } }`. */
export const CONFIG_FILE_VARIABLE = 'CC_CI_CONFIG';
/** Set by us for our own children; no settings. */
const INTERNAL_VARIABLES = ['CC_CI_RUN', 'CC_CI_PROCESS', 'CC_CI_APP_FILE'];

const fileSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(settings).map(([group, members]) => [
      group,
      z
        .strictObject(Object.fromEntries(Object.keys(members).map((name) => [name, z.unknown().optional()])))
        .optional(),
    ]),
  ),
);

/**
 * Reads the settings of these groups from the environment and the optional file; the environment wins.
 * @throws ConfigError that lists every problem with its variable and what was expected
 */
export function loadConfig<G extends GroupName>(
  groups: readonly G[],
  env: NodeJS.ProcessEnv = process.env,
): Config<G> {
  return readGroups(groups, env, () => true) as Config<G>;
}

/** The values of groups of which not everything that is required need be set. */
export type PartialConfig<G extends GroupName> = {
  [K in G]: {
    [N in keyof Settings[K]]: Settings[K][N] extends Setting<infer S> ? z.output<S> | undefined : never;
  };
};

/**
 * The same for a program that has a use for these groups where they are set, and can do without: what is required and
 * not set is undefined.
 * @throws ConfigError that lists what is set and wrong
 */
export function loadPartialConfig<G extends GroupName>(
  groups: readonly G[],
  env: NodeJS.ProcessEnv = process.env,
): PartialConfig<G> {
  return readGroups(groups, env, (origin) => origin !== 'not set') as PartialConfig<G>;
}

/** @param counts whether a problem with a setting that came from there is one */
function readGroups(
  groups: readonly GroupName[],
  env: NodeJS.ProcessEnv,
  counts: (origin: SettingOrigin) => boolean,
): Record<string, Record<string, unknown>> {
  const { file, problems } = readSources(env);
  const config: Record<string, Record<string, unknown>> = {};
  for (const group of groups) {
    const values: Record<string, unknown> = {};
    for (const name of Object.keys(settings[group])) {
      const found = readSetting(group, name, env, file);
      if (!('problem' in found)) values[name] = found.value;
      else if (counts(found.origin)) problems.push(found.problem);
    }
    config[group] = values;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/**
 * One setting that was set, in the environment or the file, whatever else of its group is missing; undefined where only
 * its default holds.
 * @throws ConfigError when it is not what it may be
 */
export function settingIfSet<G extends GroupName, N extends keyof Settings[G] & string>(
  group: G,
  name: N,
  env: NodeJS.ProcessEnv = process.env,
): Config<G>[G][N] | undefined {
  const { file } = readSources(env);
  const found = readSetting(group, name, env, file);
  if ('problem' in found) {
    if (found.origin === 'not set') return undefined;
    throw new ConfigError([found.problem]);
  }
  if (found.origin !== 'environment' && found.origin !== 'file') return undefined;
  return found.value as Config<G>[G][N];
}

type ConfigFile = Record<string, Record<string, unknown> | undefined>;

/** Where a setting's value came from. */
export type SettingOrigin = 'environment' | 'file' | 'default' | 'not set';

function readSources(env: NodeJS.ProcessEnv): { file: ConfigFile; problems: string[] } {
  const problems = unknownVariables(env);
  return { file: readConfigFile(env[CONFIG_FILE_VARIABLE], problems), problems };
}

/** One setting as it is in force; `given` is what was written in the environment or the file, as it was written. */
function readSetting(
  group: GroupName,
  name: string,
  env: NodeJS.ProcessEnv,
  file: ConfigFile,
): { given: unknown; origin: SettingOrigin } & ({ value: unknown } | { problem: string }) {
  const { env: variable, schema, doc } = settingOf(group, name);
  const fromEnv = env[variable];
  const given = fromEnv ?? file[group]?.[name];
  const parsed = schema.safeParse(given);
  if (given === undefined) {
    if (!parsed.success) return { given, origin: 'not set', problem: `${variable} is not set: ${doc}` };
    const origin = parsed.data === undefined ? 'not set' : 'default';
    return { given, origin, value: parsed.data };
  }
  const origin = fromEnv === undefined ? 'file' : 'environment';
  if (parsed.success) return { given, origin, value: parsed.data };
  const where = fromEnv === undefined ? `${group}.${name} (${variable})` : variable;
  const problem = `${where}: ${describeIssues(parsed.error).join('; ')}, got ${withoutPassword(JSON.stringify(given))}`;
  return { given, origin, problem };
}

function settingOf(group: GroupName, name: string): Setting {
  const found = (settings[group] as Record<string, Setting>)[name];
  if (!found) throw new Error(`there is no setting ${group}.${name}`);
  return found;
}

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set([
    CONFIG_FILE_VARIABLE,
    ...INTERNAL_VARIABLES,
    ...describeSettings().map((row) => row.env),
  ]);
  return Object.keys(env)
    .filter((name) => name.startsWith('CC_CI_') && !known.has(name))
    .map((name) => `${name} is not a setting of cc-ci`);
}

function readConfigFile(path: string | undefined, problems: string[]): ConfigFile {
  if (path === undefined) return {};
  try {
    const parsed = fileSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data as ConfigFile;
    problems.push(...describeIssues(parsed.error).map((problem) => `${path}: ${problem}`));
  } catch (error) {
    problems.push(`${CONFIG_FILE_VARIABLE}=${path} cannot be read: ${(error as Error).message}`);
  }
  return {};
}

/** One row per setting, for people. `fallback` is the default, or "required", or "none". */
export function describeSettings(): {
  group: GroupName;
  name: string;
  env: string;
  fallback: string;
  doc: string;
}[] {
  return Object.entries(settings).flatMap(([group, members]) =>
    Object.entries(members as Record<string, Setting>).map(([name, { env, schema, doc }]) => ({
      group: group as GroupName,
      name,
      env,
      fallback: fallbackOf(schema),
      doc,
    })),
  );
}

/** A setting as it is in force here. */
export interface SettingInForce {
  group: GroupName;
  name: string;
  env: string;
  /** As it was written, or the default; undefined when there is none. No secret: those are in files. */
  value: string | undefined;
  origin: SettingOrigin;
  /** Why it cannot be used, or is missing where it must be set. */
  problem: string | undefined;
}

/**
 * Every setting as it is in force here, and what is wrong besides: names that are no settings, a file that cannot be
 * read. Throws nothing: it is for finding out what `loadConfig` complains of.
 */
export function inspectConfig(env: NodeJS.ProcessEnv = process.env): {
  settings: SettingInForce[];
  problems: string[];
} {
  const { file, problems } = readSources(env);
  const inForce = describeSettings().map(({ group, name, env: variable, fallback }) => {
    const found = readSetting(group, name, env, file);
    const written = found.given ?? (found.origin === 'default' ? fallback : undefined);
    return {
      group,
      name,
      env: variable,
      value: written === undefined ? undefined : withoutPassword(written),
      origin: found.origin,
      problem: 'problem' in found ? found.problem : undefined,
    };
  });
  return { settings: inForce, problems };
}

/** A URL may carry a password although none belongs there. */
function withoutPassword(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\/\/[^/\s"@]*@/g, '//…@');
}

function fallbackOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault)
    return String(schema.def.defaultValue) || 'none';
  return schema.safeParse(undefined).success ? 'none' : 'required';
}

/**
 * Reads a secret from its file, without the newline at its end.
 * @param what the setting that named the file, for the error
 * @throws InputError when the file is missing, unreadable or empty
 */
export function readSecretFile(path: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new InputError(`${what}=${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (!text) throw new InputError(`${what}=${path} is empty`, { hint: 'write the secret into it' });
  return text;
}
