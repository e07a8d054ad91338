import { z } from 'zod';
import { type Docker, get, labels, post, remove } from './connection.js';

const named = z.object({ ID: z.string(), Spec: z.object({ Name: z.string(), Labels: labels }) });
const volume = z.object({ Name: z.string(), Labels: labels });
const network = z.object({ Id: z.string(), Name: z.string(), Labels: labels });

/** Secrets whose name begins with `prefix`, as id and name (abra puts no stack label on the ones it makes). */
export async function listSecrets(docker: Docker, prefix: string): Promise<{ id: string; name: string }[]> {
  return byPrefix(await get(docker, '/secrets', z.array(named)), prefix);
}

/** Configs whose name begins with `prefix`, as id and name. */
export async function listConfigs(docker: Docker, prefix: string): Promise<{ id: string; name: string }[]> {
  return byPrefix(await get(docker, '/configs', z.array(named)), prefix);
}

function byPrefix(found: z.output<typeof named>[], prefix: string) {
  return found
    .filter((item) => item.Spec.Name.startsWith(prefix))
    .map((item) => ({ id: item.ID, name: item.Spec.Name }));
}

/** Names of the volumes whose name begins with `prefix`. */
export async function listVolumes(docker: Docker, prefix: string): Promise<string[]> {
  const answer = await get(docker, '/volumes', z.object({ Volumes: z.array(volume).nullish() }));
  return (answer.Volumes ?? []).map((item) => item.Name).filter((name) => name.startsWith(prefix));
}

/** Networks whose name begins with `prefix`, as id and name. */
export async function listNetworks(docker: Docker, prefix: string): Promise<{ id: string; name: string }[]> {
  const found = await get(docker, '/networks', z.array(network));
  return found
    .filter((item) => item.Name.startsWith(prefix))
    .map((item) => ({ id: item.Id, name: item.Name }));
}

/** Makes a secret of the swarm. @throws HttpStatusError 409 when the name is taken */
export function createSecret(docker: Docker, name: string, data: Uint8Array): Promise<void> {
  return post(docker, '/secrets/create', { Name: name, Data: Buffer.from(data).toString('base64') });
}

export const removeSecret = (docker: Docker, id: string) => remove(docker, `/secrets/${id}`);
export const removeConfig = (docker: Docker, id: string) => remove(docker, `/configs/${id}`);
export const removeNetwork = (docker: Docker, id: string) => remove(docker, `/networks/${id}`);
export const removeVolume = (docker: Docker, name: string) =>
  remove(docker, `/volumes/${encodeURIComponent(name)}`);
