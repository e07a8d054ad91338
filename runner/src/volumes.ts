import {
  type Docker,
  type DockerService,
  isFolderInContainer,
  listContainers,
  listServices,
} from '@cc-ci/core';
import { z } from 'zod';
import { backedUpVolumes, takesPart } from './backup-labels.js';

/** A volume of the app, and a running container that may write it. */
export interface VolumeMount {
  /** The volume's key in the compose file. */
  volume: string;
  /** Without the stack's name. */
  service: string;
  container: string;
  /** Where the container sees it. */
  target: string;
}

const mount = z.looseObject({
  Type: z.string(),
  Source: z.string().optional(),
  Target: z.string(),
  ReadOnly: z.boolean().optional(),
});
export type Mount = z.output<typeof mount>;

/** The mounts in a service's spec. */
export function mountsOf(service: DockerService): Mount[] {
  return z.array(mount).parse(service.Spec.TaskTemplate.ContainerSpec.Mounts ?? []);
}

/** Every volume of the stack that a running container may write, once each. */
export async function volumeMounts(docker: Docker, stack: string): Promise<VolumeMount[]> {
  const [services, containers] = await Promise.all([
    listServices(docker, stack),
    listContainers(docker, stack),
  ]);
  const found = new Map<string, VolumeMount>();
  for (const service of services) {
    const container = containers.find((it) => it.service === service.Spec.Name && it.state === 'running');
    if (!container) continue;
    for (const { Type, Source = '', Target, ReadOnly } of mountsOf(service)) {
      if (Type !== 'volume' || ReadOnly || !Source.startsWith(`${stack}_`) || found.has(Source)) continue;
      const volume = Source.slice(stack.length + 1);
      const name = service.Spec.Name.slice(stack.length + 1);
      found.set(Source, { volume, service: name, container: container.id, target: Target });
    }
  }
  return [...found.values()];
}

/** A folder in a volume that keeps data. */
export interface DataFolder {
  /** For people: the volume's key, and the path in it where it is not the root. */
  name: string;
  container: string;
  /** Absolute, as the container sees it. */
  path: string;
  /** Whether a backup holds it, by the labels of what is deployed. */
  isBackedUp: boolean;
}

/** The roots of all volumes, and the folders in them that a backup is to hold alone. */
export async function dataFolders(docker: Docker, stack: string): Promise<DataFolder[]> {
  const [mounts, services] = await Promise.all([volumeMounts(docker, stack), listServices(docker, stack)]);
  const volumes = mounts.map(({ volume }) => volume);
  const chosen = takesPart(services) ? backedUpVolumes(services, volumes) : [];
  const found: DataFolder[] = [];
  for (const { volume, container, target } of mounts) {
    const paths = chosen.find((it) => it.volume === volume)?.paths;
    found.push({ name: volume, container, path: target, isBackedUp: paths?.length === 0 });
    for (const path of paths ?? []) {
      const folder = `${target}/${path}`;
      if (await isFolderInContainer(docker, container, folder))
        found.push({ name: `${volume}/${path}`, container, path: folder, isBackedUp: true });
    }
  }
  return found;
}
