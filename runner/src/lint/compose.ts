import type { ComposeSource } from './compose-source.js';
import { readResource, readService, record } from './read-compose.js';

/** A text and where it stands, as `file:line`. */
export interface Located {
  value: string;
  where: string;
}

export interface Mount {
  type: string;
  /** A volume's key or a path; empty for an anonymous volume. */
  source: string;
  target: string;
  where: string;
}

export interface Healthcheck {
  test: string[];
  disabled: boolean;
  interval: string | undefined;
  retries: number | undefined;
  startPeriod: string | undefined;
  where: string;
}

/** A service as several compose files together say it is. */
export interface Service {
  name: string;
  where: string;
  image: Located | undefined;
  environment: Map<string, Located>;
  /** Of `deploy.labels`: the service's own. */
  labels: Map<string, Located>;
  /** Of `labels`: those of its containers. */
  containerLabels: Map<string, Located>;
  /** Its aliases on each network, by the network's key. */
  networks: Map<string, { aliases: Located[]; where: string }>;
  mounts: Mount[];
  /** Published ports; `value` is the port of the server. */
  ports: Located[];
  secrets: Located[];
  configs: Located[];
  envFiles: Located[];
  capabilities: Located[];
  privileged: string | undefined;
  networkMode: Located | undefined;
  healthcheck: Healthcheck | undefined;
}

/** A volume, network, secret or config at the top level. */
export interface Resource {
  name: string | undefined;
  external: boolean;
  file: string | undefined;
  where: string;
}

export type ResourceKind = 'volumes' | 'networks' | 'secrets' | 'configs';

/** What several compose files say together, as far as the rules look. */
export interface Compose extends Record<ResourceKind, Map<string, Resource>> {
  services: Map<string, Service>;
}

/** Puts compose files together as Docker does: maps key by key, lists added up, of single values the last. */
export function mergeSources(
  sources: readonly ComposeSource[],
  env: Readonly<Record<string, string>>,
): Compose {
  const compose: Compose = {
    services: new Map(),
    volumes: new Map(),
    networks: new Map(),
    secrets: new Map(),
    configs: new Map(),
  };
  for (const source of sources) {
    const data = record(source.read(env));
    for (const [name, value] of Object.entries(record(data.services))) {
      const service = readService(source, name, record(value));
      compose.services.set(name, mergeService(compose.services.get(name), service));
    }
    for (const kind of ['volumes', 'networks', 'secrets', 'configs'] as const) {
      for (const [key, value] of Object.entries(record(data[kind]))) {
        const known = compose[kind].get(key);
        compose[kind].set(key, mergeResource(known, readResource(source, [kind, key], record(value))));
      }
    }
  }
  return compose;
}

function mergeService(known: Service | undefined, added: Service): Service {
  if (!known) return added;
  const targets = new Set(added.mounts.map(({ target }) => target));
  const { healthcheck } = added;
  return {
    name: known.name,
    where: known.where,
    image: added.image ?? known.image,
    environment: new Map([...known.environment, ...added.environment]),
    labels: new Map([...known.labels, ...added.labels]),
    containerLabels: new Map([...known.containerLabels, ...added.containerLabels]),
    networks: new Map([...known.networks, ...added.networks]),
    mounts: [...known.mounts.filter(({ target }) => !targets.has(target)), ...added.mounts],
    ports: [...known.ports, ...added.ports],
    secrets: [...known.secrets, ...added.secrets],
    configs: [...known.configs, ...added.configs],
    envFiles: [...known.envFiles, ...added.envFiles],
    capabilities: [...known.capabilities, ...added.capabilities],
    privileged: added.privileged ?? known.privileged,
    networkMode: added.networkMode ?? known.networkMode,
    healthcheck:
      healthcheck && known.healthcheck
        ? mergeHealth(known.healthcheck, healthcheck)
        : (healthcheck ?? known.healthcheck),
  };
}

const mergeHealth = (known: Healthcheck, added: Healthcheck): Healthcheck => ({
  test: added.test.length > 0 ? added.test : known.test,
  disabled: added.disabled,
  interval: added.interval ?? known.interval,
  retries: added.retries ?? known.retries,
  startPeriod: added.startPeriod ?? known.startPeriod,
  where: added.where,
});

const mergeResource = (known: Resource | undefined, added: Resource): Resource => ({
  name: added.name ?? known?.name,
  external: added.external || (known?.external ?? false),
  file: added.file ?? known?.file,
  where: added.where,
});
