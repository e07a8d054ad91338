import { join } from 'node:path';
import { InputError, readFileIfAny, waitForLock, writeFileAtomic } from '@cc-ci/core';
import {
  generateSecret,
  type HostKind,
  isPlaceholder,
  type SecretDefinition,
  secretsOf,
} from './catalogue.js';
import { readEncrypted } from './metadata.js';
import type { SecretsPlace } from './place.js';
import { type Sops, sopsIn } from './sops.js';

/** Asks a person for a value. @returns undefined when none was given */
export type Prompt = (wanted: SecretDefinition) => Promise<string | undefined>;

export interface WriteOptions {
  place: SecretsPlace;
  kind: HostKind;
  /** Values that were given, by name (`readGiven`). */
  given?: ReadonlyMap<string, string>;
  /** Asked for what only a person can give and was not given. Default: nobody is there. */
  prompt?: Prompt | undefined;
  /** Default: over the rules of the place. */
  sops?: Sops;
}

/** What became of a file of secrets. */
export interface WriteReport {
  file: string;
  /** Names that were made or taken; none when all was right. */
  written: string[];
  /** Whether others can decrypt it now than could before. */
  rekeyed: boolean;
  recipients: string[];
}

/** Secrets are missing that only a person can give. Nothing was written. */
export class SecretsMissingError extends InputError {}

/** Another one at work has seconds to do. */
const LOCK_TIMEOUT_MS = 30_000;

/**
 * Makes a host's file of secrets, or completes it: what we make ourselves is generated, what a person must give is
 * asked for, what is there stays; it is encrypted anew when the rules name others than can decrypt it.
 * @throws SecretsMissingError when something was not given
 * @throws InputError when a value given is not that of the file
 */
export function initSecrets(options: WriteOptions): Promise<WriteReport> {
  const { place, kind, given = new Map(), sops = sopsIn(place.root) } = options;
  return locked(place, async () => {
    const recipients = await sops.recipientsFor(place.file);
    const before = await readValues(place, sops);
    const values = new Map(before?.values);
    // Of another form than ours is no reason to replace what is there; `check` tells of it.
    const missing = secretsOf(kind).filter(({ name }) => isPlaceholder(values.get(name) ?? ''));
    const replaced = [...given.keys()].filter(
      (name) =>
        values.has(name) && values.get(name) !== given.get(name) && !missing.some((one) => one.name === name),
    );
    if (replaced.length > 0) {
      throw new InputError(`${place.file} has another ${replaced.join(', ')} than was given`, {
        hint: 'cc-ci secrets rotate <name> replaces a secret',
      });
    }
    for (const [name, value] of await newValues(missing, options)) values.set(name, value);
    const rekeyed = before !== undefined && before.recipients.join() !== recipients.join();
    const written = missing.map(({ name }) => name);
    if (written.length > 0 || rekeyed) await write(place, sops, values);
    return { file: place.file, written, rekeyed, recipients };
  });
}

/**
 * Gives one secret a new value, and encrypts the whole file anew, with a new data key, for those whom the rules name now.
 * @throws SecretsMissingError when only a person can give it, and did not
 * @throws InputError when the file is not there, or the value is the old one
 */
export function rotateSecret(name: string, options: WriteOptions): Promise<WriteReport> {
  const { place, kind, sops = sopsIn(place.root) } = options;
  const definition = secretsOf(kind).find((one) => one.name === name);
  if (!definition) {
    throw new InputError(`a ${kind} has no secret ${name}`, {
      hint: `it has ${secretsOf(kind)
        .map((one) => one.name)
        .join(', ')}`,
    });
  }
  return locked(place, async () => {
    const recipients = await sops.recipientsFor(place.file);
    const before = await readValues(place, sops);
    if (!before) throw new InputError(`there is no ${place.file}`, { hint: 'make it: cc-ci secrets init' });
    const values = new Map([...before.values, ...(await newValues([definition], options))]);
    if (values.get(name) === before.values.get(name))
      throw new InputError(`the ${name} given is the one that is there`, { hint: 'give a new one' });
    await write(place, sops, values);
    const rekeyed = before.recipients.join() !== recipients.join();
    return { file: place.file, written: [name], rekeyed, recipients };
  });
}

/**
 * Values of these: as given, or as somebody at the terminal gives them, or generated.
 * @throws SecretsMissingError that names each of which there is none
 */
async function newValues(
  wanted: readonly SecretDefinition[],
  { place, kind, given, prompt }: WriteOptions,
): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const missing: SecretDefinition[] = [];
  for (const definition of wanted) {
    const { name, from } = definition;
    const value =
      given?.get(name) ?? (from[kind] === 'generated' ? generateSecret() : await prompt?.(definition));
    if (value === undefined) missing.push(definition);
    else values.set(name, value);
  }
  if (missing.length === 0) return values;
  const lines = missing.map(({ name, what, from, how }) => {
    const where = from[kind] === 'server' ? "the server's file has it" : how;
    return `\n  - ${name}: ${what}${where === undefined ? '' : `; ${where}`}`;
  });
  throw new SecretsMissingError(
    `${place.file} was not written: these are not made here, and were not given:${lines.join('')}`,
    { hint: 'give them with --values <file>, with --values - by a pipe, or at a terminal when asked' },
  );
}

async function readValues(
  { root, file }: SecretsPlace,
  sops: Sops,
): Promise<{ values: Map<string, string>; recipients: string[] } | undefined> {
  const text = await readFileIfAny(join(root, file));
  if (text === undefined) return undefined;
  const { clear, recipients } = readEncrypted(file, text);
  if (clear.length > 0) {
    throw new InputError(`${file} has ${clear.join(', ')} in clear`, {
      hint: 'take the file from git again, and rotate them: whoever could read the file has seen them',
    });
  }
  return { values: await sops.decrypt(file, text), recipients };
}

/** The old file or the new, whole: a reader, or whoever is left after a kill, sees no other. */
async function write({ root, file }: SecretsPlace, sops: Sops, values: ReadonlyMap<string, string>) {
  const sorted = new Map([...values].sort(([a], [b]) => a.localeCompare(b)));
  await writeFileAtomic(join(root, file), await sops.encrypt(file, sorted));
}

/** Two at once would each write the file without the other's secret. */
async function locked<T>({ root }: SecretsPlace, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(join(root, '.secrets.lock'), LOCK_TIMEOUT_MS);
  if (!lock) {
    throw new InputError(`another cc-ci secrets has been at work for ${LOCK_TIMEOUT_MS / 1000} s`, {
      hint: 'it may be waiting for somebody at its terminal',
    });
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
