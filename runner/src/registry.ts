import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError, type PullableImage } from '@cc-ci/core';
import { z } from 'zod';

/** An image's name taken apart, as Docker reads it. */
export interface ImageReference extends PullableImage {
  /** Host, and port if any, of the registry; `docker.io` where the name says none. */
  registry: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
/** Registry, path, tag, digest (github.com/distribution/reference, "Grammar"). */
const REFERENCE = new RegExp(
  `^(?<name>(?:[A-Za-z0-9.-]+(?::\\d+)?/)?${COMPONENT}(?:/${COMPONENT})*)` +
    '(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>[a-z0-9+._-]+:[0-9a-f]{32,}))?$',
);

/** Takes an image's name apart; undefined when Docker could not either. The tag of a name without one is `latest`. */
export function parseImage(image: string): ImageReference | undefined {
  const { name, tag, digest } = REFERENCE.exec(image)?.groups ?? {};
  if (name === undefined) return undefined;
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  // With both, Docker goes by the digest alone.
  return { name, version: digest ?? tag ?? 'latest', registry: isHost ? first : DOCKER_HUB };
}

const DOCKER_HUB = 'docker.io';
/** What Docker Hub is called in `docker login`'s file. */
const HUB_HOSTS = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io']);

const configSchema = z.looseObject({
  auths: z
    .record(
      z.string(),
      z.looseObject({
        auth: z.string().optional(),
        username: z.string().optional(),
        password: z.string().optional(),
        identitytoken: z.string().optional(),
      }),
    )
    .nullish(),
});

/**
 * What `docker login` has kept for a registry, as the header X-Registry-Auth wants it; undefined where it has nothing.
 * It is a secret. Credential helpers are not asked.
 * @param env tells the folder: DOCKER_CONFIG, else `.docker` in the home folder
 * @throws InputError when the file is damaged
 */
export async function registryAuth(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const login = await registryLogin(registry, env);
  if (!login) return undefined;
  // The engine wants the alphabet of URLs, and the padding that Node leaves out of it.
  return Buffer.from(JSON.stringify(login)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** Whom `docker login` has kept for a registry; it holds a secret. */
export interface RegistryLogin {
  username: string;
  password: string;
  serveraddress: string | undefined;
  identitytoken?: string;
}

/** What `registryAuth` is made of. */
export async function registryLogin(
  registry: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RegistryLogin | undefined> {
  const file = join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json');
  const { auths } = await readConfig(file);
  const [address, entry] =
    Object.entries(auths ?? {}).find(([key]) => sameRegistry(hostOf(key), registry)) ?? [];
  if (!entry) return undefined;
  const [user = '', ...rest] = Buffer.from(entry.auth ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const login = {
    username: entry.username ?? user,
    password: entry.password ?? rest.join(':').replace(/\0+$/, ''),
    serveraddress: address,
    ...(entry.identitytoken ? { identitytoken: entry.identitytoken } : {}),
  };
  return login.username || entry.identitytoken ? login : undefined;
}

async function readConfig(file: string): Promise<z.output<typeof configSchema>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new InputError(`${file} cannot be read (${code})`, { cause: error });
  }
  try {
    return configSchema.parse(JSON.parse(text));
  } catch {
    // What is wrong with it could quote a password.
    throw new InputError(`${file} is not what docker login writes`, { hint: 'log in again, or remove it' });
  }
}

/** Keys are hosts, or URLs of old. */
const hostOf = (key: string) => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

function sameRegistry(a: string, b: string): boolean {
  return a === b || (HUB_HOSTS.has(a) && HUB_HOSTS.has(b));
}
