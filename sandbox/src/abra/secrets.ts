import { InputError, interpolate, listSecrets } from '@cc-ci/core';
import type { App } from './app.js';
import type { Compose } from './compose.js';
import type { Abra } from './context.js';
import { dockerClient } from './docker-client.js';

/** Docker's limit for names of secrets. */
const NAME_LIMIT = 64;

/** A secret that an app needs and abra keeps. */
export interface AppSecret {
  /** Its key in the compose file: the name on the command line. */
  name: string;
  version: string;
  /** Its name at Docker: `<stack>_<name>_<version>`. */
  remoteName: string;
  /** Whether abra may make its value up. */
  generate: boolean;
  /** Characters to generate; undefined: a passphrase. */
  length: number | undefined;
  charset: string | undefined;
}

/** What of an app its secrets depend on. */
export type SecretOwner = Pick<App, 'entries' | 'env' | 'stack'>;

/**
 * The secrets of an app that some service uses, by name. Which env key (with its modifiers) belongs to a secret says
 * the compose file: the secret whose `name:` contains the key.
 * @throws InputError for a secret without a version, a name that Docker would not take, or a bad modifier
 */
export function appSecrets(owner: SecretOwner, compose: Compose): AppSecret[] {
  const used = new Set([...compose.services.values()].flatMap(({ secrets }) => secrets));
  return (
    [...compose.secrets]
      // A secret from a file is made, and removed, by Docker with the stack.
      .filter(([name, { file }]) => used.has(name) && !file)
      .map(([name, declared]) => describeSecret(owner, name, declared.name ?? name))
      .sort((a, b) => a.name.localeCompare(b.name))
  );
}

function describeSecret(owner: SecretOwner, name: string, template: string): AppSecret {
  const remoteName = interpolate(template, owner.env);
  if (remoteName.endsWith('_')) throw new InputError(`missing version for secret? (${name})`);
  requireShort(name, remoteName);
  const modifiers = modifiersFor(owner, template);
  const length = modifiers.get('length');
  if (length !== undefined && !/^[1-9]\d{0,4}$/.test(length)) {
    throw new InputError(`secret ${name}: length=${length} is not a number from 1 to 99999`);
  }
  return {
    name,
    version: remoteName.slice(remoteName.lastIndexOf('_') + 1),
    remoteName,
    generate: modifiers.get('generate') !== 'false',
    length: length === undefined ? undefined : Number(length),
    charset: modifiers.get('charset'),
  };
}

function requireShort(name: string, remoteName: string): void {
  if (remoteName.length <= NAME_LIMIT) return;
  throw new InputError(
    `secret ${name} is > ${NAME_LIMIT} chars when combined with the stack's name: ${remoteName} (${remoteName.length})`,
    { hint: 'use a shorter domain' },
  );
}

/** `length=32 charset=hex` behind the env key whose name stands in the secret's. */
function modifiersFor(owner: SecretOwner, template: string): Map<string, string> {
  const key = [...owner.entries.keys()].find((candidate) => mentions(template, candidate));
  const comment = (key && owner.entries.get(key)?.comment) || '';
  return new Map([...comment.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
}

function mentions(template: string, key: string): boolean {
  return /^SECRET_\w+_VERSION$/.test(key) && new RegExp(`\\b${key}\\b`).test(template);
}

/** The same secret at another version. @throws InputError when Docker would not take its name */
export function atVersion(owner: SecretOwner, secret: AppSecret, version: string): AppSecret {
  const remoteName = `${owner.stack}_${secret.name}_${version}`;
  requireShort(secret.name, remoteName);
  return { ...secret, version, remoteName };
}

/** Names of all secrets that Docker has. */
export async function storedSecrets(abra: Abra): Promise<Set<string>> {
  return new Set((await listSecrets(abra.docker, '')).map(({ name }) => name));
}

/**
 * Gives Docker a secret. The value goes by stdin, and there is no stack label: removing the stack leaves it.
 * @throws CcCiError in Docker's words, as for a name that is taken
 */
export async function storeSecret(abra: Abra, remoteName: string, value: string): Promise<void> {
  if (value === '') throw new InputError(`the value of secret ${remoteName} is empty`);
  await dockerClient(abra, ['secret', 'create', remoteName, '-'], { input: value });
}

/** @throws InputError naming the first secret that Docker does not have, in abra's words */
export async function requireSecrets(abra: Abra, app: SecretOwner, compose: Compose): Promise<void> {
  const stored = await storedSecrets(abra);
  for (const { name, remoteName, generate } of appSecrets(app, compose)) {
    if (stored.has(remoteName)) continue;
    throw new InputError(
      generate ? `secret not generated: ${name}` : `secret not inserted (#generate=false): ${name}`,
    );
  }
}
