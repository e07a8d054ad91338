import type { Compose, Located, Service } from './compose.js';

/** A hook of a service. */
export interface Hook extends Located {
  service: Service;
}

/** What the `backupbot.*` labels of a stack say, both forms (abra contract 6.1). */
export interface BackupLabels {
  /** Any one service says that the stack takes part: every volume does, unless a label excludes it. */
  takesPart: boolean;
  /** Version 1: one path in a service's container. */
  paths: Hook[];
  /** Version 2: labels about a volume, by its key; `paths` are relative to its root, the whole volume when empty. */
  volumes: { volume: string; service: Service; where: string }[];
  excluded: Set<string>;
  pathsOf: Map<string, string[]>;
  preHooks: Hook[];
  restoreHooks: Hook[];
}

const ABOUT_VOLUME = /^backupbot\.backup\.volumes\.([^.]+)(\.path)?$/;

/** Reads the labels of every service. */
export function readBackupLabels({ services }: Compose): BackupLabels {
  const found: BackupLabels = {
    takesPart: false,
    paths: [],
    volumes: [],
    excluded: new Set(),
    pathsOf: new Map(),
    preHooks: [],
    restoreHooks: [],
  };
  for (const service of services.values()) {
    for (const [key, label] of service.labels) {
      const hook = { ...label, service };
      const value = label.value.trim();
      if (key === 'backupbot.backup' && value.toLowerCase() === 'true') found.takesPart = true;
      if (key === 'backupbot.backup.path') found.paths.push(hook);
      if (key === 'backupbot.backup.pre-hook') found.preHooks.push(hook);
      if (/^backupbot\.restore\.(?:pre|post)-hook$/.test(key)) found.restoreHooks.push(hook);
      const [, volume, path] = ABOUT_VOLUME.exec(key) ?? [];
      if (volume === undefined) continue;
      found.volumes.push({ volume, service, where: label.where });
      if (path) found.pathsOf.set(volume, commaList(value));
      else if (value.toLowerCase() === 'false') found.excluded.add(volume);
    }
  }
  return found;
}

/** `a, /b/c` as paths relative to a volume's root. */
export const commaList = (text: string) =>
  text
    .split(',')
    .map((path) => path.trim().replace(/^\/+|\/+$/g, ''))
    .filter(Boolean);
