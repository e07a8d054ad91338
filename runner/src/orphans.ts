import {
  type Docker,
  listConfigs,
  listNetworks,
  listSecrets,
  listServices,
  listVolumes,
  STACK_LABEL,
} from '@cc-ci/core';

/**
 * Apps on the node that are named as those of runs are, by run id: in our zone, with a run's id in their first label.
 * Only the name tells, so this is for telling people, never for removing.
 */
export async function findApps(docker: Docker, zone: string): Promise<Map<string, string>> {
  const [services, secrets, configs, volumes, networks] = await Promise.all([
    listServices(docker),
    listSecrets(docker, ''),
    listConfigs(docker, ''),
    listVolumes(docker, ''),
    listNetworks(docker, ''),
  ]);
  const names = [
    ...services.map(({ Spec }) => `${Spec.Labels[STACK_LABEL]}_`),
    ...[...secrets, ...configs, ...networks].map(({ name }) => name),
    ...volumes,
  ];
  const apps = new Map<string, string>();
  for (const name of names) {
    const { stack, run } = ownerOf(name, zone) ?? {};
    if (stack && run) apps.set(run, stack);
  }
  return apps;
}

/**
 * The stack, and the run, that something named `<stack>_…` belongs to; undefined when it is not named as ours are
 * (`appNames` in core).
 */
export function ownerOf(name: string, zone: string): { stack: string; run: string } | undefined {
  // A zone is a DNS name: nothing in it means anything in a pattern once the dots are gone.
  const pattern = new RegExp(
    `^(?<stack>(?:[a-z0-9-]*-)?(?<run>[0-9a-hjkmnp-tv-z]{8})_${zone.replaceAll('.', '_')})_`,
  );
  const { stack, run } = pattern.exec(name)?.groups ?? {};
  return stack !== undefined && run !== undefined ? { stack, run } : undefined;
}
