import type { DockerService } from '@cc-ci/core';

/** What of a volume a backup must hold: these paths in it, or all of it when there are none. */
export interface BackedUpVolume {
  /** The volume's key in the compose file. */
  volume: string;
  paths: string[];
}

/** Whether the deployed services ask to be backed up; one of them is enough (abra contract 6.1). */
export function takesPart(services: readonly DockerService[]): boolean {
  return services.some(({ Spec }) => Spec.Labels['backupbot.backup']?.trim().toLowerCase() === 'true');
}

/**
 * What the labels of the DEPLOYED services choose: every volume whole, unless they leave one out or name paths in it.
 * Labels of the files in the tree may differ from what runs.
 */
export function backedUpVolumes(
  services: readonly DockerService[],
  volumes: readonly string[],
): BackedUpVolume[] {
  const labels = Object.assign({}, ...services.map(({ Spec }) => Spec.Labels)) as Record<string, string>;
  return volumes
    .filter((volume) => labels[`backupbot.backup.volumes.${volume}`]?.trim().toLowerCase() !== 'false')
    .map((volume) => ({ volume, paths: pathList(labels[`backupbot.backup.volumes.${volume}.path`] ?? '') }));
}

function pathList(text: string): string[] {
  return text
    .split(',')
    .map((path) => path.trim().replace(/^\/+|\/+$/g, ''))
    .filter((path) => path);
}
