import type { Finding } from '@cc-ci/core';
import type { Compose, Service } from './compose.js';
import { inViews, type RecipeModel } from './model.js';
import { finding } from './rules.js';

/** The network that every app of a server shares with the proxy. */
const SHARED = 'proxy';

const GENERIC = new Set(
  `admin api app backend cache database db frontend http mail main mariadb memcached mongo mysql nginx php postgres
   proxy redis server service site smtp web worker www`.split(/\s+/),
);

/** Names on the network that all apps share. */
export function checkNetworks(model: RecipeModel): Finding[] {
  return inViews(model, (compose) => {
    const shared = sharedNetworks(compose);
    const onShared = [...compose.services.values()].filter(({ networks }) =>
      [...networks.keys()].some((key) => shared.has(key)),
    );
    return onShared.flatMap((service) => [
      ...genericAliases(service, compose, shared),
      ...onShared
        .filter(({ name }) => name !== service.name && GENERIC.has(name))
        .flatMap(({ name }) => bareReferences(service, name)),
    ]);
  });
}

/** Keys under which the compose files speak of it. */
function sharedNetworks({ networks }: Compose): Set<string> {
  return new Set(
    [...networks]
      .filter(([key, { external, name }]) => external && (name ?? key) === SHARED)
      .map(([key]) => key),
  );
}

function genericAliases({ name, networks }: Service, compose: Compose, shared: Set<string>): Finding[] {
  return [...networks]
    .filter(([key]) => shared.has(key))
    .flatMap(([, { aliases }]) => aliases)
    .filter(({ value }) => GENERIC.has(value) || compose.services.has(value))
    .map(({ value, where }) =>
      finding(
        'network-generic-alias',
        `service ${name} takes the alias ${value} on the network proxy, which other apps take too; use \${STACK_NAME}_${name}, which it has anyway`,
        where,
      ),
    );
}

/** Variables by these names hold a server's name. */
const HOLDS_A_HOST = /(?:^|_)(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS|UPSTREAM|BACKEND|ENDPOINT)S?$/i;

function bareReferences({ name, environment }: Service, other: string): Finding[] {
  // In a URL behind its scheme and user; or with a port; service names are plain words, nothing to escape.
  const url = new RegExp(`://(?:[^/@\\s]*@)?${other}(?![\\w.-])`);
  const withPort = new RegExp(`(?<![\\w.:/@-])${other}:\\d+(?!\\S*://)`);
  return [...environment]
    .filter(
      ([key, { value }]) =>
        url.test(value) || withPort.test(value) || (value === other && HOLDS_A_HOST.test(key)),
    )
    .map(([key, { where }]) =>
      finding(
        'network-generic-name',
        `service ${name} reaches ${other} by that name in ${key}, and both are on the network proxy, where it is every app's; write \${STACK_NAME}_${other}`,
        where,
      ),
    );
}
