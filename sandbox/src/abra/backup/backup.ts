import { posix } from 'node:path';
import { CcCiError, describeError, InputError } from '@cc-ci/core';
import type { App } from '../app.js';
import type { Abra } from '../context.js';
import { requireDeployed } from '../deployed.js';
import { containerOf, execIn, shellIn } from '../exec.js';
import { findMounts, isInVolume, loadInto, type Mount, saveFrom } from './archive.js';
import { backupPlan, type Hook, hooksOf, type LabelledService, takesPart } from './labels.js';
import {
  type Archive,
  archivePath,
  findSnapshot,
  type Snapshot,
  saveSnapshot,
  snapshotStore,
} from './store.js';

/**
 * Backs an app up as backup-bot-two does: the hooks before, an archive of what the labels of the deployed services
 * choose, the hooks after. Like the bot it goes on (and says so) when a hook fails or a path is not there: whoever
 * needs the artefact has to look at it.
 * @throws InputError when no bot is there, the app is not deployed, or there is nothing to back up
 */
export async function createBackup(abra: Abra, app: App): Promise<Snapshot> {
  const store = snapshotStore(abra);
  const { services, version } = await labelledServices(abra, app);
  if (!takesPart(services))
    throw new InputError(`no service of ${app.name} has the label backupbot.backup=true`);
  const mounts = await findMounts(abra, app.stack);
  const prefix = `${app.stack}_`;
  const plan = backupPlan(services, [...mounts.keys()].map((name) => name.slice(prefix.length)).sort());
  await runHooks(abra, app, plan.preHooks);
  try {
    return await saveSnapshot(store, app.stack, version, async (folder) => {
      const archives: Archive[] = [];
      for (const { volume, paths } of plan.volumes) {
        const mount = requireMount(mounts, `${prefix}${volume}`);
        for (const path of paths.length > 0 ? paths : ['']) {
          const file = `${archives.length}-${volume}.tar`;
          if (await saveIfThere(abra, mount, path, `${folder}/${file}`)) {
            archives.push({ volume, into: path === '' ? '' : parentOf(path), file });
          }
        }
      }
      if (archives.length === 0) throw new InputError(`nothing of ${app.name} to back up`);
      return archives;
    });
  } finally {
    await runHooks(abra, app, plan.postHooks);
  }
}

const parentOf = (path: string) => (path.includes('/') ? posix.dirname(path) : '');

async function saveIfThere(abra: Abra, mount: Mount, path: string, file: string): Promise<boolean> {
  if (path !== '' && !(await isInVolume(abra, mount, path))) {
    abra.log.error(`${mount.name}: ${path} does not exist`);
    return false;
  }
  await saveFrom(abra, mount, path, file);
  return true;
}

/**
 * Restores a snapshot (by default the newest) into the volumes of the running app, between the hooks that the
 * labels of the deployed services name.
 * @throws InputError when there is no bot, no snapshot, or a volume of it that no container of the app mounts
 */
export async function restoreBackup(abra: Abra, app: App, id: string | undefined): Promise<Snapshot> {
  const store = snapshotStore(abra);
  const { services } = await labelledServices(abra, app);
  const snapshot = await findSnapshot(store, app.stack, id);
  const mounts = await findMounts(abra, app.stack);
  const targets = snapshot.archives.map((archive) => ({
    archive,
    mount: requireMount(mounts, `${app.stack}_${archive.volume}`),
  }));
  const hooks = hooksOf(services, 'restore');
  await runHooks(abra, app, hooks.preHooks);
  for (const { archive, mount } of targets) {
    await loadInto(abra, mount, archive.into, archivePath(store, app.stack, snapshot, archive));
  }
  await runHooks(abra, app, hooks.postHooks);
  return snapshot;
}

async function labelledServices(
  abra: Abra,
  app: App,
): Promise<{ services: LabelledService[]; version: string }> {
  const deployed = await requireDeployed(abra, app);
  const services = deployed.services.map(({ Spec }) => ({
    name: Spec.Name.slice(app.stack.length + 1),
    labels: Spec.Labels,
  }));
  return { services, version: deployed.version };
}

function requireMount(mounts: ReadonlyMap<string, Mount>, name: string): Mount {
  const mount = mounts.get(name);
  if (!mount) throw new InputError(`no container of the app mounts volume ${name}`);
  return mount;
}

async function runHooks(abra: Abra, app: App, hooks: readonly Hook[]): Promise<void> {
  for (const { service, command } of hooks) {
    try {
      const container = await containerOf(abra, app, service);
      const shell = await shellIn(abra, container);
      // With bash a pipe fails when any part of it does; a plain sh may not know how to.
      const script = shell === 'bash' ? `set -o pipefail; ${command}` : command;
      abra.log.info(`run command in ${service}: ${command}`);
      await execIn(abra, container, [shell, '-c', script]);
    } catch (error) {
      if (!(error instanceof CcCiError) || abra.signal.aborted) throw error;
      abra.log.error(`Failed to run command ${command} in ${service}: ${describeError(error)}`);
    }
  }
}
