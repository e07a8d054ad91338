/** A service with its deploy labels. */
export interface LabelledService {
  /** Without the stack's name in front. */
  name: string;
  labels: Readonly<Record<string, string>>;
}

/** Commands around a backup or a restore, each in its own service. */
export interface Hook {
  service: string;
  command: string;
}

/** What the backupbot labels of a stack ask for. */
export interface BackupPlan {
  preHooks: Hook[];
  postHooks: Hook[];
  /** Of each volume that takes part the paths to keep, relative to its root; the whole volume when empty. */
  volumes: { volume: string; paths: string[] }[];
}

/** Whether the stack takes part: any one service says so. */
export function takesPart(services: readonly LabelledService[]): boolean {
  return services.some(({ labels }) => labels['backupbot.backup']?.trim().toLowerCase() === 'true');
}

/**
 * Reads the labels (backup-bot-two's, version 2). Unless they say otherwise, every file of every volume is kept.
 * @param volumes the stack's volumes by their keys in the compose file
 */
export function backupPlan(services: readonly LabelledService[], volumes: readonly string[]): BackupPlan {
  const labelled = services.flatMap(({ labels }) => Object.entries(labels));
  const label = (name: string) => labelled.find(([key]) => key === name)?.[1].trim();
  return {
    ...hooksOf(services, 'backup'),
    volumes: volumes
      .filter((volume) => label(`backupbot.backup.volumes.${volume}`)?.toLowerCase() !== 'false')
      .map((volume) => ({ volume, paths: pathList(label(`backupbot.backup.volumes.${volume}.path`) ?? '') })),
  };
}

/** The commands that labels want around a backup or a restore. */
export function hooksOf(
  services: readonly LabelledService[],
  occasion: 'backup' | 'restore',
): Pick<BackupPlan, 'preHooks' | 'postHooks'> {
  const named = (name: string) =>
    services.flatMap(({ name: service, labels }) => {
      const command = labels[`backupbot.${occasion}.${name}`];
      return command ? [{ service, command: unwrapped(command) }] : [];
    });
  return { preHooks: named('pre-hook'), postHooks: named('post-hook') };
}

/** `a, b/c` as relative paths that stay inside the volume. */
function pathList(text: string): string[] {
  return text
    .split(',')
    .map((path) => path.trim().replace(/^\/+|\/+$/g, ''))
    .filter((path) => path && !path.split('/').includes('..'));
}

/** Hooks are run by a shell anyway: one that the label writes around its command goes, as the bot does it. */
function unwrapped(command: string): string {
  const inner = command.trim().replace(/^(?:\/bin\/)?(?:bash|sh) -c\s+/, '');
  return /^(["']).*\1$/s.test(inner) ? inner.slice(1, -1) : inner;
}
