import { describeError } from '@cc-ci/core';
import { parseRule, type Rule, type RuleInput } from './rule.js';

/** A swarm service that wants to be routed to. */
export interface Backend {
  /** Its name in the swarm. */
  service: string;
  labels: Record<string, string>;
  /** IPv4 addresses of its tasks that take requests. */
  addresses: string[];
}

/** One task of a service, at the port that the service's labels name. */
export interface Target {
  host: string;
  port: number;
}

/** A router: which requests go to which tasks. */
export interface Route {
  router: string;
  rule: Rule;
  targets: Target[];
}

export interface RoutingTable {
  /** In the order in which they are asked. */
  routes: Route[];
  /** What in the labels cannot be used, for the log. */
  problems: string[];
}

/** The entrypoint name of the Co-op Cloud traefik recipe's port 443. */
const ENTRYPOINT = 'web-secure';

interface Router extends Route {
  priority: number;
  definition: string;
}

/**
 * The routing table that services' labels describe, by the rules of Traefik's Swarm provider.
 * @param allowEmpty Traefik's `allowEmptyServices`: a service without tasks keeps its router (which then answers 503)
 */
export function buildRoutes(backends: readonly Backend[], allowEmpty: boolean): RoutingTable {
  const problems: string[] = [];
  const routers = new Map<string, Router>();
  const conflicting = new Set<string>();
  for (const backend of backends) {
    if (backend.addresses.length === 0 && !allowEmpty) continue;
    for (const name of routerNames(backend.labels)) {
      try {
        const router = readRouter(name, backend);
        const other = router && routers.get(name);
        if (other && other.definition !== router.definition) conflicting.add(name);
        if (other) other.targets.push(...router.targets);
        else if (router) routers.set(name, router);
      } catch (error) {
        problems.push(`router ${name} of ${backend.service}: ${describeError(error)}`);
      }
    }
  }
  for (const name of conflicting) {
    routers.delete(name);
    problems.push(`router ${name} is defined by several services in different ways: none of them is used`);
  }
  const routes = [...routers.values()].sort(
    (a, b) => b.priority - a.priority || a.router.localeCompare(b.router),
  );
  return { routes, problems };
}

/** The first route whose rule holds. */
export function findRoute(table: RoutingTable, input: RuleInput): Route | undefined {
  return table.routes.find((route) => route.rule(input));
}

function routerNames(labels: Record<string, string>): string[] {
  const names = Object.keys(labels).flatMap(
    (key) => /^traefik\.http\.routers\.([^.]+)\./.exec(key)?.[1] ?? [],
  );
  return [...new Set(names)];
}

/** undefined: a router that is not for the HTTPS entrypoint. */
function readRouter(name: string, { labels, addresses }: Backend): Router | undefined {
  const prefix = `traefik.http.routers.${name}.`;
  const entrypoints = labels[`${prefix}entrypoints`]?.split(',').map((entry) => entry.trim());
  if (entrypoints && !entrypoints.includes(ENTRYPOINT)) return undefined;
  // Without any tls label Traefik makes a router for plain HTTP, which port 443 never asks.
  const tls = Object.keys(labels).filter((key) => key === `${prefix}tls` || key.startsWith(`${prefix}tls.`));
  if (tls.length === 0 || labels[`${prefix}tls`] === 'false') return undefined;
  const rule = labels[`${prefix}rule`];
  if (rule === undefined) throw new Error(`the label ${prefix}rule is missing`);
  const port = readPort(name, labels);
  const priority = Number(labels[`${prefix}priority`] || 0) || rule.length;
  return {
    router: name,
    rule: parseRule(rule),
    priority,
    targets: addresses.map((host) => ({ host, port })),
    definition: `${rule} ${priority} ${port}`,
  };
}

function readPort(router: string, labels: Record<string, string>): number {
  const ports = new Map(
    Object.entries(labels).flatMap(([key, value]) => {
      const service = /^traefik\.http\.services\.([^.]+)\.loadbalancer\.server\.port$/.exec(key)?.[1];
      return service === undefined ? [] : [[service, value] as const];
    }),
  );
  const wanted = labels[`traefik.http.routers.${router}.service`]?.replace(/@(docker|swarm)$/, '');
  if (wanted === undefined && ports.size > 1) {
    throw new Error(`several services (${[...ports.keys()].join(', ')}) and no label that chooses one`);
  }
  const text = wanted === undefined ? [...ports.values()][0] : ports.get(wanted);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    const label = `traefik.http.services.${wanted ?? '<service>'}.loadbalancer.server.port`;
    throw new Error(text === undefined ? `the label ${label} is missing` : `${label} is ${text}, not a port`);
  }
  return port;
}
