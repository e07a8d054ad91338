import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ComposeFile } from './compose.js';

/** The one compose file we may add to a recipe's own. It never names an image. */
export const OVERLAY_FILE = 'compose.cc-ci.yml';

/** The kernel's load balancer, which Docker loads when the swarm starts; without it virtual service IPs lead nowhere. */
const IPVS_STATE = '/proc/net/ip_vs';

/** A compose file of ours: its text, and what it changes in words. */
export interface Overlay {
  text: string;
  why: string;
}

/** Whether this host's kernel can do Swarm's virtual IPs. */
export async function hostHasIpvs(path = IPVS_STATE): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The overlay this host needs for these files, or undefined where it needs none. On a kernel without IPVS every
 * service gets DNS round robin instead of a virtual IP, or no service could reach another by name. A service that
 * publishes ports or has chosen its own mode is left alone.
 * @param files the compose files that will be deployed, in order
 */
export function overlayFor(files: readonly ComposeFile[], ipvs: boolean): Overlay | undefined {
  if (ipvs) return undefined;
  const services = new Map<string, NonNullable<ComposeFile['services']>[string]>();
  for (const file of files) {
    for (const [name, service] of Object.entries(file.services ?? {})) {
      services.set(name, { ...services.get(name), ...service });
    }
  }
  const changed = [...services]
    .filter(([, service]) => !service.ports && !service.deploy?.endpoint_mode)
    .map(([name]) => name);
  if (changed.length === 0) return undefined;
  const text = stringify({
    // Docker merges only files of one version.
    version: String(files.find((file) => file.version !== undefined)?.version ?? '3.8'),
    services: Object.fromEntries(changed.map((name) => [name, { deploy: { endpoint_mode: 'dnsrr' } }])),
  });
  return { text, why: `endpoint_mode: dnsrr for ${changed.join(', ')}, because this host has no IPVS` };
}

/** Writes the overlay into the recipe's tree (untracked there: abra's chaos-version gets a `+U`). */
export async function writeOverlay(recipeDir: string, text: string): Promise<void> {
  await writeFile(join(recipeDir, OVERLAY_FILE), text);
}
