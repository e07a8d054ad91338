import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { agentOf, HttpStatusError, run, STACK_LABEL } from '@cc-ci/core';
import { request } from 'undici';
import { z } from 'zod';
import type { Abra } from '../context.js';

/*
 * How files come out of volumes and back: by the engine's archive calls, which `docker cp` uses too. They see a
 * container's mounts, so any container that mounts the volume will do. Nothing is needed in its image (no tar, no
 * shell), nothing of this machine (no root, no way to /var/lib/docker), no helper container is started, and owners,
 * modes and times come along.
 */

/** A volume as some container of the stack sees it. */
export interface Mount {
  /** Docker's name: `<stack>_<volume>`. */
  name: string;
  container: string;
  path: string;
  writable: boolean;
}

const containers = z.array(
  z.object({
    Id: z.string(),
    State: z.string(),
    Mounts: z.array(
      z.object({
        Type: z.string(),
        Name: z.string().optional(),
        Destination: z.string(),
        RW: z.boolean(),
      }),
    ),
  }),
);

/** Where the stack's volumes are mounted, one place for each: running containers first, writable mounts first. */
export async function findMounts(abra: Abra, stack: string): Promise<Map<string, Mount>> {
  const filters = JSON.stringify({ label: [`${STACK_LABEL}=${stack}`] });
  const answer = await call(abra, 'GET', '/containers/json', { all: 'true', filters });
  const found = containers.parse(await answer.body.json());
  const rank = (state: string, writable: boolean) => (state === 'running' ? 0 : 2) + (writable ? 0 : 1);
  const mounts = found
    .flatMap(({ Id, State, Mounts }) => Mounts.map((mount) => ({ ...mount, Id, State })))
    .filter(({ Type, Name }) => Type === 'volume' && Name?.startsWith(`${stack}_`))
    .sort((a, b) => rank(b.State, b.RW) - rank(a.State, a.RW));
  return new Map(
    mounts.map(({ Id, Name = '', Destination, RW }) => [
      Name,
      { name: Name, container: Id, path: Destination, writable: RW },
    ]),
  );
}

/** Whether a file or folder is in the volume. */
export async function isInVolume(abra: Abra, mount: Mount, path: string): Promise<boolean> {
  const answer = await call(
    abra,
    'HEAD',
    archiveOf(mount),
    { path: join(mount.path, path) },
    { missingIsFine: true },
  );
  await answer.body.dump();
  return answer.statusCode !== NOT_FOUND;
}

/** Writes what is at `path` of a volume (the whole volume: an empty path) into a tar file. */
export async function saveFrom(abra: Abra, mount: Mount, path: string, file: string): Promise<void> {
  // `/.` means the content of the folder, so that the archive does not depend on where the volume is mounted.
  const source = path === '' ? `${mount.path}/.` : join(mount.path, path);
  const answer = await call(abra, 'GET', archiveOf(mount), { path: source });
  await pipeline(answer.body, createWriteStream(file), { signal: abra.signal });
}

/**
 * Brings a tar file's content back into the folder `into` of a volume (its root: empty). Files that are in both are
 * replaced, files that are only in the volume stay.
 */
export async function loadInto(abra: Abra, mount: Mount, into: string, file: string): Promise<void> {
  if (into !== '' && !(await isInVolume(abra, mount, into))) await makeFolder(abra, mount, into);
  await put(abra, mount, into, file);
}

async function put(abra: Abra, mount: Mount, into: string, file: string): Promise<void> {
  const answer = await call(
    abra,
    'PUT',
    archiveOf(mount),
    // Without copyUIDGID, which would give every file to the container's user, by its name on this machine.
    { path: join(mount.path, into) },
    { body: createReadStream(file) },
  );
  await answer.body.dump();
}

async function makeFolder(abra: Abra, mount: Mount, folder: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'abra-'));
  try {
    await mkdir(join(scratch, 'tree', folder), { recursive: true });
    const file = join(scratch, 'folder.tar');
    const top = folder.split('/')[0] ?? folder;
    const args = [
      '--create',
      '--file',
      file,
      '--owner=0',
      '--group=0',
      '--directory',
      join(scratch, 'tree'),
      '--',
      top,
    ];
    await run('tar', args, { signal: abra.signal });
    await put(abra, mount, '', file);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const NOT_FOUND = 404;
const archiveOf = (mount: Mount) => `/containers/${mount.container}/archive`;

async function call(
  abra: Abra,
  method: 'GET' | 'HEAD' | 'PUT',
  path: string,
  query: Record<string, string>,
  options: { body?: Readable; missingIsFine?: boolean } = {},
) {
  const url = new URL(path, abra.docker.origin);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const answer = await request(url, {
    method,
    dispatcher: await agentOf(abra.docker),
    signal: abra.signal,
    ...(options.body ? { body: options.body, headers: { 'content-type': 'application/x-tar' } } : {}),
  });
  const fine = answer.statusCode < 300 || (answer.statusCode === NOT_FOUND && options.missingIsFine);
  if (!fine)
    throw new HttpStatusError(`Docker ${method} ${path}`, answer.statusCode, await answer.body.text());
  return answer;
}
