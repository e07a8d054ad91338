import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, readFileIfAny, writeFileAtomic } from '@cc-ci/core';
import {
  type App,
  envFileOf,
  LOCAL_SERVER,
  listApps,
  listServers,
  loadApp,
  loadAppSynced,
  pinVersion,
} from '../app.js';
import { readCompose } from '../compose.js';
import { type Abra, confirm, recipeFolder, table } from '../context.js';
import { missingKeys } from '../deploy.js';
import { requireDeployed, requireUndeployed } from '../deployed.js';
import { chaosVersion, checkout, ensureExists, ensureFresh, latestVersion } from '../recipe.js';
import { removeStack } from '../undeploy.js';
import { arg, type Call, type Verb } from '../verbs.js';
import { generateAll, removeSecrets } from './secret.js';
import { removeVolumes } from './volume.js';

/** Commands by which an app comes and goes. */
export const lifecycleVerbs: readonly Verb[] = [
  {
    name: 'new',
    alias: 'n',
    about: 'Create a new app',
    args: '[recipe] [version]',
    flags: ['server', 'domain', 'secrets', 'chaos', 'pass'],
    run: newApp,
  },
  {
    name: 'undeploy',
    alias: 'un',
    about: 'Undeploy an app; volumes and secrets stay',
    args: '<domain>',
    flags: ['prune'],
    run: undeploy,
  },
  {
    name: 'remove',
    alias: 'rm',
    about: 'Remove all of an app: secrets, volumes and its env file',
    args: '<domain>',
    flags: ['force'],
    run: remove,
  },
  {
    name: 'config',
    alias: 'cfg',
    about: 'Edit the env file of an app',
    args: '<domain>',
    run: async ({ abra, args }) => {
      const { envFile } = await loadApp(abra, args[0] ?? '');
      throw new InputError(`there is no editor here: write ${envFile} instead`);
    },
  },
  {
    name: 'check',
    alias: 'chk',
    about: "Compare an app's env file with the recipe's .env.sample",
    args: '<domain>',
    flags: ['chaos'],
    run: check,
  },
];

async function newApp(call: Call): Promise<void> {
  const { abra } = call;
  const [recipe, version] = call.args;
  if (!recipe) throw new InputError('no recipe provided');
  const domain = call.text('domain');
  if (!domain) throw new InputError('no domain provided', { hint: 'use --domain' });
  if (call.has('pass')) throw new InputError('--pass is not supported by this stand-in');
  const envFile = envFileOf(abra, await chooseServer(abra, call.text('server')), domain);
  const pin = await prepareRecipe(abra, recipe, version, call.has('chaos'));
  if ((await readFileIfAny(envFile)) !== undefined) throw new InputError(`${envFile} already exists?`);
  const samplePath = join(recipeFolder(abra, recipe), '.env.sample');
  const sample = await readFileIfAny(samplePath);
  if (sample === undefined) throw new InputError(`${samplePath} does not exist?`);
  await mkdir(dirname(envFile), { recursive: true });
  await writeFileAtomic(envFile, sample.replaceAll(`${recipe}.example.com`, domain));
  await pinVersion({ envFile, recipe }, pin);
  abra.log.info(`${domain} created: ${envFile}`);
  if (!call.has('secrets')) return;
  const app = await loadApp(abra, domain);
  const generated = await generateAll(abra, app, await readCompose(app.folder, app.env));
  for (const line of table(generated.map(({ name, value }) => [name, value]))) abra.print(line);
}

/** Brings the recipe to the version that a new app gets, or leaves it as it is, and says which that is. */
async function prepareRecipe(
  abra: Abra,
  recipe: string,
  version: string | undefined,
  chaos: boolean,
): Promise<string> {
  if (chaos) {
    await ensureExists(abra, recipe);
    return version ?? chaosVersion(abra, recipe);
  }
  await ensureFresh(abra, recipe);
  return checkout(abra, recipe, version ?? (await latestVersion(abra, recipe)));
}

async function chooseServer(abra: Abra, wanted: string | undefined): Promise<string> {
  const servers = await listServers(abra);
  const server = wanted ?? (servers.length === 1 ? servers[0] : undefined);
  if (server === undefined) throw new InputError('no server provided', { hint: 'use --server' });
  if (!servers.includes(server)) {
    throw new InputError(`server "${server}" is not registered`, {
      hint: 'abra server add --local makes "default"',
    });
  }
  if (server !== LOCAL_SERVER) {
    throw new InputError(`this stand-in knows the server "${LOCAL_SERVER}" only, not "${server}"`);
  }
  return server;
}

async function undeploy(call: Call): Promise<void> {
  const { abra } = call;
  if (call.has('prune')) {
    throw new InputError("--prune is not supported by this stand-in: it removes what is not this app's");
  }
  const app = await loadApp(abra, arg(call, 0));
  await requireDeployed(abra, app);
  confirm(abra, `undeploy ${app.name}?`);
  await removeStack(abra, app.stack);
  abra.log.info('undeploy succeeded');
}

async function remove(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  await requireUndeployed(abra, app);
  if (!call.has('force')) confirm(abra, `remove all of ${app.name}, its data included?`);
  await removeSecrets(abra, await ownPrefix(abra, app));
  await removeVolumes(abra, app.stack);
  await rm(app.envFile);
  abra.log.info(`file: ${app.envFile} removed`);
}

/** Whether a name is this app's: begins with its stack's name, and not with a longer one of another app. */
async function ownPrefix(abra: Abra, app: App): Promise<(name: string) => boolean> {
  const prefix = `${app.stack}_`;
  const others = (await listApps(abra)).map(({ stack }) => `${stack}_`);
  const longer = others.filter((other) => other !== prefix && other.startsWith(prefix));
  return (name) => name.startsWith(prefix) && !longer.some((other) => name.startsWith(other));
}

async function check(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadAppSynced(abra, arg(call, 0), call.has('chaos'));
  const missing = new Set(await missingKeys(app));
  const keys = [...new Set([...app.entries.keys(), ...missing])].sort();
  for (const line of table(keys.map((key) => [key, missing.has(key) ? 'missing' : 'ok']))) abra.print(line);
}
