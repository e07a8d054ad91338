import type { Finding } from '@cc-ci/core';
import type { Mount, Service } from './compose.js';
import { inViews, type RecipeModel } from './model.js';
import { finding } from './rules.js';

/** What a recipe wants of the server itself: named, so that nobody finds it out late. */
export function checkHostAccess(model: RecipeModel): Finding[] {
  return inViews(model, (compose) =>
    [...compose.services.values()].flatMap((service) => [
      ...service.mounts.flatMap((mount) => hostMount(service.name, mount)),
      ...rights(service),
      ...network(service, (key) => compose.networks.get(key)?.name ?? key),
    ]),
  );
}

function hostMount(service: string, { type, source, where }: Mount): Finding[] {
  if (type !== 'bind') return [];
  if (/docker\.sock$/.test(source)) {
    const message = `service ${service} mounts Docker's socket, ${source}, and so has all rights on the server; put a proxy that lets few requests through before it`;
    return [finding('host-docker-socket', message, where)];
  }
  const message = `service ${service} mounts ${source} of the server; see that it is there on every server, or use a volume or config`;
  return [finding('host-bind', message, where)];
}

function rights({ name, privileged, capabilities }: Service): Finding[] {
  const added = capabilities.map(({ value, where }) =>
    finding(
      'host-capability',
      `service ${name} adds the capability ${value}; say in the README what for`,
      where,
    ),
  );
  if (!privileged) return added;
  const message = `service ${name} asks for privileged mode; name the capabilities it needs instead (cap_add)`;
  return [finding('host-privileged', message, privileged), ...added];
}

function network(
  { name, networkMode, networks, ports }: Service,
  nameOf: (key: string) => string,
): Finding[] {
  const mode = networkMode?.value === 'host' ? [networkMode] : [];
  const joined = [...networks].filter(([key]) => nameOf(key) === 'host').map(([, { where }]) => ({ where }));
  return [
    ...[...mode, ...joined].map(({ where }) =>
      finding(
        'host-network',
        `service ${name} uses the server's network; use one of its own and publish ports`,
        where,
      ),
    ),
    ...ports.map(({ value, where }) =>
      finding(
        'host-port',
        `service ${name} publishes port ${value} on the server; no second app there can have it`,
        where,
      ),
    ),
  ];
}
