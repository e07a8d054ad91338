import type { Finding } from '@cc-ci/core';
import { type BackupLabels, commaList, readBackupLabels } from './backup-labels.js';
import type { Compose } from './compose.js';
import { type RecipeModel, views } from './model.js';
import { checkDatabases, checkHooks } from './rule-dumps.js';
import { finding, once } from './rules.js';
import { isBelowOrSame, volumeMounts } from './volumes.js';

/** Whether what the backup labels promise can be kept. */
export function checkBackup(model: RecipeModel): Finding[] {
  const seen = views(model).map(({ compose }) => ({ compose, labels: readBackupLabels(compose) }));
  const found = once(
    seen.flatMap(({ compose, labels }) => [
      ...misplaced(compose),
      ...mixed(labels),
      ...unknownVolumes(model, labels),
      ...outsidePaths(labels),
      ...(labels.takesPart ? [...checkHooks(labels), ...checkDatabases(compose, labels)] : []),
    ]),
  );
  return seen.some(({ labels }) => labels.takesPart) ? found : [...found, ...none(model)];
}

function misplaced({ services }: Compose): Finding[] {
  return [...services.values()].flatMap(({ name, labels, containerLabels }) => {
    const [first] = [...containerLabels].filter(([key]) => key.startsWith('backupbot.') && !labels.has(key));
    if (!first) return [];
    const message = `service ${name} has its label ${first[0]} under labels, where the backup bot does not look; move its backup labels to deploy.labels`;
    return [finding('backup-label-misplaced', message, first[1].where)];
  });
}

function mixed({ paths, volumes }: BackupLabels): Finding[] {
  const [[old], [current]] = [paths, volumes];
  if (!old || !current) return [];
  const message = `backupbot.backup.path is of version 1, backupbot.backup.volumes (at ${current.where}) of version 2; keep the second and say the path as backupbot.backup.volumes.<volume>.path`;
  return [finding('backup-labels-mixed', message, old.where)];
}

/** A label may be about a volume that only some option brings: it must be there in one combination. */
function unknownVolumes(model: RecipeModel, { volumes }: BackupLabels): Finding[] {
  const all = views(model).map(({ compose }) => compose);
  const declared = new Set(all.flatMap((compose) => [...compose.volumes.keys()]));
  const mounted = new Set(
    all.flatMap(({ services }) => [...services.values()].flatMap(volumeMounts).map(({ source }) => source)),
  );
  return volumes.flatMap(({ volume, where }) => {
    if (!declared.has(volume)) {
      const message = `the label is about a volume ${volume}, and the recipe has none of that name; correct the name or take the label out`;
      return [finding('backup-volume-unknown', message, where)];
    }
    if (mounted.has(volume)) return [];
    const message = `the label is about the volume ${volume}, which no service mounts; mount it or take the label out`;
    return [finding('backup-volume-unknown', message, where)];
  });
}

function outsidePaths({ paths }: BackupLabels): Finding[] {
  return paths.flatMap(({ service, value, where }) => {
    const outside = commaList(value)
      .map((path) => `/${path}`)
      .find((path) => !volumeMounts(service).some(({ target }) => isBelowOrSame(target, path)));
    if (outside === undefined) return [];
    const message = `backupbot.backup.path says ${outside}, where service ${service.name} mounts no volume; back up a path on one of its volumes`;
    return [finding('backup-path-outside', message, where)];
  });
}

function none(model: RecipeModel): Finding[] {
  const [usual] = views(model);
  const volumes = [...(usual?.compose.volumes.keys() ?? [])];
  if (volumes.length === 0) return [];
  const message = `the recipe has volumes (${volumes.join(', ')}) and no service with backupbot.backup=true; add the label if they hold data`;
  return [finding('backup-none', message, usual?.compose.services.get('app')?.where)];
}
