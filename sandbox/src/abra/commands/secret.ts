import { readFile } from 'node:fs/promises';
import { InputError, listSecrets, removeSecret } from '@cc-ci/core';
import { type App, loadAppSynced } from '../app.js';
import { type Compose, readCompose } from '../compose.js';
import { type Abra, confirm, table } from '../context.js';
import { newSecretValue } from '../secret-value.js';
import { type AppSecret, appSecrets, atVersion, storedSecrets, storeSecret } from '../secrets.js';
import { arg, type Call, type Group } from '../verbs.js';

/** `abra app secret`. */
export const secretGroup: Group = {
  name: 'secret',
  about: "Manage an app's secrets",
  verbs: [
    {
      name: 'generate',
      alias: 'g',
      about: 'Generate secrets; their values are shown this once',
      args: '<domain> [secret] [version]',
      flags: ['all', 'machine', 'pass', 'chaos'],
      run: generate,
    },
    {
      name: 'insert',
      alias: 'i',
      about: 'Insert a secret',
      args: '<domain> <secret> <version> <data>',
      flags: ['file', 'trim', 'pass', 'chaos'],
      run: insert,
    },
    {
      name: 'remove',
      alias: 'rm',
      about: 'Remove secrets',
      args: '<domain> [secret]',
      flags: ['all', 'pass', 'chaos'],
      run: remove,
    },
    {
      name: 'list',
      alias: 'ls',
      about: 'List secrets',
      args: '<domain>',
      flags: ['machine', 'chaos'],
      run: list,
    },
  ],
};

/** A secret that was just made, with its value. */
export interface Generated {
  name: string;
  value: string;
}

async function loadWithCompose(call: Call): Promise<{ app: App; compose: Compose }> {
  if (call.has('pass')) throw new InputError('--pass is not supported by this stand-in');
  const app = await loadAppSynced(call.abra, arg(call, 0), call.has('chaos'));
  return { app, compose: await readCompose(app.folder, app.env) };
}

async function generate(call: Call): Promise<void> {
  const { abra } = call;
  const [, name, version] = call.args;
  if (name === undefined && !call.has('all'))
    throw new InputError('missing arguments [secret] [version] or --all');
  if (name !== undefined && call.has('all'))
    throw new InputError('cannot use [secret] [version] and --all together');
  if (name !== undefined && version === undefined) throw new InputError('missing [version]');
  const { app, compose } = await loadWithCompose(call);
  const generated =
    name === undefined || version === undefined
      ? await generateAll(abra, app, compose)
      : [await generateOne(abra, atVersion(app, find(app, compose, name), version))];
  if (generated.length === 0) throw new InputError('no secrets generated');
  if (call.has('machine')) {
    abra.print(JSON.stringify(generated));
    return;
  }
  for (const line of table([['NAME', 'VALUE'], ...generated.map((item) => [item.name, item.value])]))
    abra.print(line);
  abra.log.warn('generated secrets are not shown again, take note of them now');
}

/** Makes every secret up that may be made up and is not there yet. */
export async function generateAll(abra: Abra, app: App, compose: Compose): Promise<Generated[]> {
  const stored = await storedSecrets(abra);
  const generated: Generated[] = [];
  for (const secret of appSecrets(app, compose)) {
    if (!secret.generate) continue;
    if (stored.has(secret.remoteName)) abra.log.warn(`${secret.remoteName} already exists`);
    else generated.push(await generateOne(abra, secret));
  }
  return generated;
}

async function generateOne(abra: Abra, secret: AppSecret): Promise<Generated> {
  const value = newSecretValue(secret.length, secret.charset);
  await storeSecret(abra, secret.remoteName, value);
  return { name: secret.name, value };
}

function find(app: App, compose: Compose, name: string): AppSecret {
  const secrets = appSecrets(app, compose);
  const secret = secrets.find((candidate) => candidate.name === name);
  if (secret) return secret;
  const names = secrets.map((candidate) => candidate.name).join(', ');
  throw new InputError(`no secret ${name} available for recipe ${app.recipe}?`, {
    hint: names ? `it has ${names}` : 'it has none',
  });
}

async function insert(call: Call): Promise<void> {
  const { abra } = call;
  const { app, compose } = await loadWithCompose(call);
  const secret = atVersion(app, find(app, compose, arg(call, 1)), arg(call, 2));
  const data = call.has('file') ? await readData(arg(call, 3)) : arg(call, 3);
  await storeSecret(abra, secret.remoteName, call.has('trim') ? data.trim() : data);
  abra.log.info(`${secret.remoteName} inserted successfully`);
}

async function readData(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new InputError(`the data file cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function remove(call: Call): Promise<void> {
  const { abra } = call;
  const name = call.args[1];
  if (name === undefined && !call.has('all')) throw new InputError('missing argument [secret] or --all');
  if (name !== undefined && call.has('all')) throw new InputError('cannot use [secret] and --all together');
  const { app, compose } = await loadWithCompose(call);
  const stored = await storedSecrets(abra);
  const declared = name === undefined ? appSecrets(app, compose) : [find(app, compose, name)];
  const present = declared.filter(({ remoteName }) => stored.has(remoteName));
  if (present.length === 0) throw new InputError('no secrets to remove?');
  confirm(abra, `remove ${present.map((secret) => secret.name).join(', ')}?`);
  const names = new Set(present.map(({ remoteName }) => remoteName));
  await removeSecrets(abra, (candidate) => names.has(candidate));
}

/** Removes the secrets whose names are meant. @throws HttpStatusError while a service uses one of them */
export async function removeSecrets(abra: Abra, isMeant: (name: string) => boolean): Promise<void> {
  for (const { id, name } of await listSecrets(abra.docker, '')) {
    if (!isMeant(name)) continue;
    await removeSecret(abra.docker, id);
    abra.log.info(`${name} removed`);
  }
}

async function list(call: Call): Promise<void> {
  const { abra } = call;
  const { app, compose } = await loadWithCompose(call);
  const stored = await storedSecrets(abra);
  const rows = appSecrets(app, compose).map(({ name, version, remoteName }) => ({
    name,
    version,
    'generated-name': remoteName,
    'created-on-server': String(stored.has(remoteName)),
  }));
  if (call.has('machine')) {
    abra.print(JSON.stringify(rows));
    return;
  }
  for (const line of table([
    ['NAME', 'VERSION', 'GENERATED NAME', 'CREATED ON SERVER'],
    ...rows.map(Object.values),
  ])) {
    abra.print(line);
  }
}
