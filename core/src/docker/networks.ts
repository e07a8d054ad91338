import { z } from 'zod';
import { type Docker, filters, get, post } from './connection.js';

const network = z.object({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Scope: z.string(),
  Internal: z.boolean(),
  Attachable: z.boolean(),
  Ingress: z.boolean(),
  ConfigOnly: z.boolean(),
});
/** A network, as Docker describes it. */
export type DockerNetwork = z.output<typeof network>;

/**
 * The networks of exactly this name; of local ones there can be several. One of a swarm has neither driver nor addresses
 * until the swarm has found some for it, a moment after it was made: then `Driver` is empty.
 */
export async function networksNamed(docker: Docker, name: string): Promise<DockerNetwork[]> {
  const found = await get(docker, '/networks', z.array(network), { filters: filters({ name: [name] }) });
  return found.filter(({ Name }) => Name === name);
}

const attached = z.object({ Target: z.string() });
const user = z.object({
  Spec: z.object({
    Name: z.string(),
    TaskTemplate: z.object({ Networks: z.array(attached).nullish() }),
    Networks: z.array(attached).nullish(),
  }),
});

/**
 * Names of what uses a network: swarm services (`service …`), containers, stopped ones too (`container …`), and the
 * ports that services publish.
 */
export async function networkUsers(
  docker: Docker,
  { Id, Name, Scope, Ingress }: DockerNetwork,
): Promise<string[]> {
  const containers = await get(
    docker,
    '/containers/json',
    z.array(z.object({ Names: z.array(z.string()) })),
    {
      all: true,
      // A container that was never started knows its networks by name only.
      filters: filters({ network: [Id, Name] }),
    },
  );
  const services = Scope === 'swarm' ? await get(docker, '/services', z.array(user)) : [];
  return [
    ...(Ingress ? ['published ports'] : []),
    ...services
      .filter(({ Spec }) =>
        [...(Spec.TaskTemplate.Networks ?? []), ...(Spec.Networks ?? [])].some(
          ({ Target }) => Target === Id || Target === Name,
        ),
      )
      .map(({ Spec }) => `service ${Spec.Name}`),
    ...containers.map(({ Names }) => `container ${(Names[0] ?? 'without a name').replace(/^\//, '')}`),
  ].sort();
}

/** Makes an overlay network for the services of a swarm. @throws HttpStatusError 409 when the name is taken */
export function createOverlayNetwork(docker: Docker, name: string): Promise<void> {
  return post(docker, '/networks/create', { Name: name, CheckDuplicate: true, Driver: 'overlay' });
}
