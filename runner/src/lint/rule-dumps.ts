import type { Finding } from '@cc-ci/core';
import { type BackupLabels, commaList, type Hook } from './backup-labels.js';
import type { Compose, Mount, Service } from './compose.js';
import { effectsOf, makesDump } from './hook.js';
import { isDatabase } from './image.js';
import { finding } from './rules.js';
import { isBelowOrSame, mountOf, volumeMounts } from './volumes.js';

/**
 * Pre-hooks: where their dump goes. The backup bot runs them, reads the files, then runs the post-hooks (abra contract
 * 6.2): a post-hook may remove the dump, a pre-hook may not.
 */
export function checkHooks(labels: BackupLabels): Finding[] {
  return labels.preHooks.flatMap((hook) => checkHook(hook, labels));
}

function checkHook({ service, value, where }: Hook, labels: BackupLabels): Finding[] {
  const { writes, removes } = effectsOf(value);
  const [first] = writes;
  // What it writes may pass through a place in the container, as long as it ends in a volume.
  const kept = writes.filter(({ path }) => isVolume(mountOf(service, fixedPart(path))));
  if (!first) return [];
  if (kept.length === 0) {
    const message = `the dump of service ${service.name}, ${first.path}, is written into the container, not into a volume; write it below ${targets(service)}`;
    return [finding('backup-dump-outside', message, where)];
  }
  const removed = kept.find(({ path, order }) =>
    removes.some((gone) => gone.order > order && isBelowOrSame(gone.path, path)),
  );
  if (removed) {
    const message = `the pre-hook of service ${service.name} removes its dump, ${removed.path}, before it is read; remove it in backupbot.backup.post-hook, which comes after`;
    return [finding('backup-dump-removed', message, where)];
  }
  if (kept.some(({ path }) => isKept(service, path, labels))) return [];
  const [dump] = kept;
  const volume = dump && mountOf(service, dump.path)?.source;
  const message = `the dump of service ${service.name}, ${dump?.path}, is not among the paths of volume ${volume} that are backed up; add it there (backupbot.backup.volumes.${volume}.path)`;
  return [finding('backup-dump-left-out', message, where)];
}

const isVolume = (mount: Mount | undefined) => mount?.type === 'volume' && mount.source !== '';

/** A path up to where a variable, command or pattern begins. */
const fixedPart = (path: string) => path.replace(/[$*?[].*$/s, '');

const targets = (service: Service) =>
  volumeMounts(service)
    .map(({ target }) => target)
    .join(' or ') || 'a volume that it mounts';

/** Whether a file on a volume is among what is backed up; where its name is not known in full, it is taken to be. */
function isKept(
  service: Service,
  path: string,
  { excluded, pathsOf, paths: version1 }: BackupLabels,
): boolean {
  const mount = mountOf(service, path);
  if (!mount || excluded.has(mount.source)) return false;
  const old = version1.filter((label) => label.service.name === service.name);
  if (old.length > 0) {
    return old.flatMap(({ value }) => commaList(value)).some((kept) => isBelowOrSame(`/${kept}`, path));
  }
  const paths = pathsOf.get(mount.source) ?? [];
  if (paths.length === 0 || fixedPart(path) !== path) return true;
  return paths.some((kept) => fixedPart(kept) !== kept || isBelowOrSame(`${mount.target}/${kept}`, path));
}

/** Databases on volumes that are backed up: each needs a dump, and a hook that loads it at a restore. */
export function checkDatabases({ services }: Compose, labels: BackupLabels): Finding[] {
  return [...services.values()]
    .filter(({ image }) => image && isDatabase(image.value))
    .flatMap((service) => checkDatabase(service, labels));
}

/** Where a database's image is used for something else than its data. */
const NO_DATA = /backup|dump|initdb|script/i;

function checkDatabase(service: Service, labels: BackupLabels): Finding[] {
  const volume = volumeMounts(service).find(
    ({ source, target }) => !labels.excluded.has(source) && !NO_DATA.test(target),
  );
  if (!volume) return [];
  const own = labels.preHooks.find((hook) => hook.service.name === service.name);
  // Some dump over the network, from the service that knows the password.
  const dump = own ?? labels.preHooks.find(({ value }) => makesDump(value));
  if (!dump) {
    const message = `the files of database ${service.name} (volume ${volume.source}) are backed up while it writes to them; add backupbot.backup.pre-hook to it, which dumps it into a file, and back up only that file`;
    return [finding('backup-no-dump', message, service.where)];
  }
  const dumpers = [service.name, dump.service.name];
  if (labels.restoreHooks.some((hook) => dumpers.includes(hook.service.name))) return [];
  const message = `database ${service.name} is dumped, and nothing loads the dump at a restore; add backupbot.restore.post-hook to service ${dump.service.name}`;
  return [finding('backup-no-restore', message, dump.where)];
}
