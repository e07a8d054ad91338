import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CcCiError, describeError, InputError, run } from '@cc-ci/core';
import { type App, loadApp, loadAppSynced } from '../app.js';
import { createBackup, restoreBackup } from '../backup/backup.js';
import { archivePath, findSnapshot, listSnapshots, snapshotStore } from '../backup/store.js';
import { type Abra, printWords } from '../context.js';
import { arg, type Call, type Group, type Verb } from '../verbs.js';

/** `abra app backup`. */
export const backupGroup: Group = {
  name: 'backup',
  about: "Manage an app's backups",
  verbs: [
    {
      name: 'create',
      alias: 'c',
      about: 'Create a backup',
      args: '<domain>',
      flags: ['retries', 'chaos'],
      run: create,
    },
    {
      name: 'list',
      alias: 'ls',
      about: 'List the files of a snapshot',
      args: '<domain>',
      flags: ['snapshot', 'all', 'timestamps'],
      run: list,
    },
    { name: 'snapshots', alias: 's', about: 'List snapshots', args: '<domain>', run: snapshots },
    {
      name: 'download',
      alias: 'd',
      about: 'Write the files of a snapshot to ./backup.tar.gz',
      args: '<domain>',
      flags: ['snapshot', 'path', 'volumes', 'onlySecrets'],
      run: download,
    },
  ],
};

/** `abra app restore`. */
export const restoreVerb: Verb = {
  name: 'restore',
  alias: 'rs',
  about: 'Restore a snapshot, by default the newest',
  args: '<domain>',
  flags: ['snapshot', 'target', 'chaos'],
  run: restore,
};

async function create(call: Call): Promise<void> {
  const { abra } = call;
  requireTerminal(abra);
  const app = await loadAppSynced(abra, arg(call, 0), call.has('chaos'));
  const tries = call.text('retries') ?? '1';
  if (!/^[1-9]\d?$/.test(tries)) throw new InputError(`--retries ${tries} is not a number from 1 to 99`);
  const snapshot = await retrying(abra, Number(tries), () => createBackup(abra, app));
  printWords(abra, `snapshot ${snapshot.id} saved`);
  printWords(abra, 'backup finished');
}

/** abra asks Docker for a terminal, and from a pipe there is none to give. */
function requireTerminal(abra: Abra): void {
  if (abra.awkward.has('terminal') && !process.stdout.isTTY)
    throw new InputError('the input device is not a TTY');
}

async function retrying<T>(abra: Abra, tries: number, work: () => Promise<T>): Promise<T> {
  for (let left = tries - 1; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || error instanceof InputError || abra.signal.aborted || !(error instanceof CcCiError))
        throw error;
      abra.log.warn(`trying again: ${describeError(error)}`);
    }
  }
}

async function restore(call: Call): Promise<void> {
  const { abra } = call;
  requireTerminal(abra);
  if (call.has('target'))
    throw new InputError('--target is not supported by this stand-in: it restores in place');
  const app = await loadAppSynced(abra, arg(call, 0), call.has('chaos'));
  const snapshot = await restoreBackup(abra, app, call.text('snapshot'));
  printWords(abra, `snapshot ${snapshot.id} restored`);
}

async function snapshots(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  for (const { time, id } of await listSnapshots(snapshotStore(abra), app.stack)) abra.print(`${time} ${id}`);
}

async function list(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  await withFiles(abra, app, call.text('snapshot'), async (folder) => {
    const paths = (await readdir(folder, { recursive: true })).sort();
    // Without --all the volumes and what lies at their roots.
    for (const path of paths.filter((candidate) => call.has('all') || candidate.split('/').length <= 2)) {
      const time = call.has('timestamps') ? `${(await lstat(join(folder, path))).mtime.toISOString()} ` : '';
      abra.print(`${time}/${path}`);
    }
  });
}

async function download(call: Call): Promise<void> {
  const { abra } = call;
  if (call.has('onlySecrets')) {
    throw new InputError('--secrets is not supported by this stand-in: Swarm gives no secret out');
  }
  const app = await loadApp(abra, arg(call, 0));
  const target = resolve('backup.tar.gz');
  await withFiles(abra, app, call.text('snapshot'), async (folder) => {
    const wanted = `./${(call.text('path') ?? '').replace(/^\/+/, '')}`;
    await run('tar', ['--create', '--gzip', '--file', target, '--directory', folder, '--', wanted], {
      signal: abra.signal,
    });
  });
  abra.log.info(`backup written to ${target}`);
}

/** The files of a snapshot, unpacked into a folder that is gone afterwards: `<volume>/<path>`. */
async function withFiles(
  abra: Abra,
  app: App,
  id: string | undefined,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const store = snapshotStore(abra);
  const snapshot = await findSnapshot(store, app.stack, id);
  const folder = await mkdtemp(join(tmpdir(), 'abra-'));
  try {
    for (const archive of snapshot.archives) {
      const into = join(folder, archive.volume, archive.into);
      await mkdir(into, { recursive: true });
      const file = archivePath(store, app.stack, snapshot, archive);
      await run('tar', ['--extract', '--file', file, '--directory', into], { signal: abra.signal });
    }
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
