import type { Healthcheck, Located, Mount, Resource, Service } from './compose.js';
import type { ComposeSource, Path } from './compose-source.js';

/** Reads an entry of the top level. */
export function readResource(source: ComposeSource, path: Path, data: Record<string, unknown>): Resource {
  const external = record(data.external);
  return {
    name: text(data.name) ?? text(external.name),
    external: data.external === true || Object.keys(external).length > 0,
    file: text(data.file),
    where: source.at(path),
  };
}

/** Reads a service of one compose file. */
export function readService(source: ComposeSource, name: string, data: Record<string, unknown>): Service {
  const path = ['services', name];
  const one = (key: string): Located | undefined => {
    const value = text(data[key]);
    return value === undefined ? undefined : { value, where: source.at([...path, key]) };
  };
  const pairs = (keys: string[], value: unknown) => readPairs(source, [...path, ...keys], value);
  const items = (key: string, of: (item: unknown) => string | undefined) =>
    readItems(source, [...path, key], data[key], of);
  const sourceOf = (item: unknown) => text(item) ?? text(record(item).source);
  return {
    name,
    where: source.at(path),
    image: one('image'),
    environment: pairs(['environment'], data.environment),
    labels: pairs(['deploy', 'labels'], record(data.deploy).labels),
    containerLabels: pairs(['labels'], data.labels),
    networks: readNetworks(source, [...path, 'networks'], data.networks),
    mounts: list(data.volumes).map((item, index) => readMount(item, source.at([...path, 'volumes', index]))),
    ports: items('ports', publishedPort),
    secrets: items('secrets', sourceOf),
    configs: items('configs', sourceOf),
    envFiles: items('env_file', text),
    capabilities: items('cap_add', text),
    privileged: data.privileged === true ? source.at([...path, 'privileged']) : undefined,
    networkMode: one('network_mode'),
    healthcheck: data.healthcheck
      ? readHealthcheck(record(data.healthcheck), source.at([...path, 'healthcheck']))
      : undefined,
  };
}

/** A map, or a list of `key=value`. */
function readPairs(source: ComposeSource, path: Path, value: unknown): Map<string, Located> {
  if (!Array.isArray(value)) {
    return new Map(
      Object.entries(record(value)).map(([key, item]) => [
        key,
        { value: text(item) ?? '', where: source.at([...path, key]) },
      ]),
    );
  }
  return new Map(
    value.map((item, index) => {
      const [, key = '', rest = ''] = /^([^=]*)=?(.*)$/s.exec(String(item)) ?? [];
      return [key, { value: rest, where: source.at([...path, index]) }];
    }),
  );
}

function readItems(
  source: ComposeSource,
  path: Path,
  value: unknown,
  of: (item: unknown) => string | undefined,
): Located[] {
  return list(value).flatMap((item, index) => {
    const found = of(item);
    return found === undefined ? [] : [{ value: found, where: source.at([...path, index]) }];
  });
}

function readNetworks(source: ComposeSource, path: Path, value: unknown): Service['networks'] {
  if (Array.isArray(value)) {
    return new Map(
      value.map((name, index) => [String(name), { aliases: [], where: source.at([...path, index]) }]),
    );
  }
  return new Map(
    Object.entries(record(value)).map(([name, item]) => {
      const aliases = readItems(source, [...path, name, 'aliases'], record(item).aliases, text);
      return [name, { aliases, where: source.at([...path, name]) }];
    }),
  );
}

function readMount(item: unknown, where: string): Mount {
  if (typeof item !== 'string') {
    const { type, source, target } = record(item);
    return { type: text(type) ?? 'volume', source: text(source) ?? '', target: text(target) ?? '', where };
  }
  const [first = '', second] = item.split(':');
  if (second === undefined) return { type: 'volume', source: '', target: first, where };
  return { type: /^[./~]/.test(first) ? 'bind' : 'volume', source: first, target: second, where };
}

/** The server's side of `8080:80/tcp`, `127.0.0.1:8080:80` or the long form; undefined where it is not chosen. */
function publishedPort(item: unknown): string | undefined {
  if (typeof item === 'object') return text(record(item).published);
  return /([\d-]+):[\d-]+(?:\/\w+)?$/.exec(String(item))?.[1];
}

function readHealthcheck(data: Record<string, unknown>, where: string): Healthcheck {
  const test = list(data.test).map(String);
  const retries = Number(data.retries ?? Number.NaN);
  return {
    test,
    disabled: data.disable === true || test[0] === 'NONE',
    interval: text(data.interval),
    retries: Number.isFinite(retries) ? retries : undefined,
    startPeriod: text(data.start_period),
    where,
  };
}

/** Whatever is no map is an empty one: the forms are Docker's to judge. */
export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'string' ? [value] : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
