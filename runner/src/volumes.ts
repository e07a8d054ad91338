import { type Docker, type DockerService, listContainers, listServices } from '@cc-ci/core';
import { z } from 'zod';

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
