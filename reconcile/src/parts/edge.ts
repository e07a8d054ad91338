import {
  createService,
  type Docker,
  type DockerService,
  findService,
  listServices,
  networksNamed,
  removeService,
  updateService,
} from '@cc-ci/core';
import { z } from 'zod';
import { definePart, type Inspection, type Obstacle, type Part } from '../part.js';
import { PROXY_NETWORK } from './network.js';

/** Where something on this host listens. */
export interface Listen {
  host: string;
  port: number;
}

export interface EdgeOptions {
  /** The stack of Traefik. */
  traefikStack: string;
  dashboardDomain: string;
  droneDomain: string;
  /** Undefined: it is not on this host. */
  dashboard: Listen | undefined;
  bridge: Listen | undefined;
  drone: Listen | undefined;
}

/** A service of the swarm that never runs and is there for its labels. */
export const EDGE_SERVICE = 'cc-ci-edge';
/** A name that no image can have: nothing of it is ever run or looked up. */
const NO_IMAGE = 'scratch:latest';
/** Above the length of any rule, by which Traefik orders those that say nothing. */
const HOOK_PRIORITY = 10_000;
/** Before this one the labels know no `server.url` (Traefik's changelog, v3.4.0-rc1, pull request 11374). */
const FIRST_TRAEFIK = [3, 4] as const;

export type EdgeAction = { kind: 'create' } | { kind: 'remove'; id: string } | { kind: 'update'; id: string };

const edgeService = z.object({
  ID: z.string(),
  Spec: z.object({
    Labels: z.record(z.string(), z.string()).nullish(),
    Mode: z.object({ Replicated: z.object({ Replicas: z.number().optional() }).optional() }),
    EndpointSpec: z.object({ Mode: z.string().optional() }).optional(),
    TaskTemplate: z.object({ Networks: z.array(z.object({ Target: z.string() })).nullish() }),
  }),
});
type EdgeService = z.output<typeof edgeService>;

/**
 * The way from Traefik on the swarm to what listens on the host itself: dashboard, the bridge's webhook, Drone.
 *
 * Traefik reads routes from the labels of services; these are on one of no tasks, so that there is no image, no relay
 * and no file of the recipe's to change, and a change of a route restarts nothing. The recipe's own way, a folder for the
 * file provider, would replace the file that names the certificate.
 */
export function edgePart(docker: Docker, options: EdgeOptions): Part {
  return definePart<EdgeAction>({
    name: 'edge',
    needs: ['network'],
    async inspect() {
      const obstacles = [...unreachable(options), ...(await unfitTraefik(docker, options.traefikStack))];
      if (obstacles.length > 0) return { differences: [], obstacles, notes: [] };
      const service = await findService(docker, EDGE_SERVICE, edgeService);
      return inspectEdge(edgeLabels(options), service, await networkId(docker));
    },
    async act(action) {
      if (action.kind === 'remove') return removeService(docker, action.id);
      const spec = { Labels: edgeLabels(options), Mode: NO_TASKS };
      if (action.kind === 'update') return updateService(docker, action.id, (is) => ({ ...is, ...spec }));
      return createService(docker, {
        Name: EDGE_SERVICE,
        ...spec,
        TaskTemplate: {
          ContainerSpec: { Image: NO_IMAGE },
          Networks: [{ Target: await networkId(docker) }],
        },
        EndpointSpec: { Mode: 'vip' },
      });
    },
  });
}

const NO_TASKS = { Replicated: { Replicas: 0 } };

/** How the service differs from what it is to be. Pure. */
export function inspectEdge(
  labels: Readonly<Record<string, string>>,
  service: EdgeService | undefined,
  network: string,
): Inspection<EdgeAction> {
  const routes = Object.entries(labels).flatMap(([name, value]) => (name.endsWith('.rule') ? [value] : []));
  const notes = routes.length > 0 ? routes.map((rule) => `route ${rule}`) : ['nothing on this host to route'];
  const create = (found: string) => ({ found, plan: 'make it', action: { kind: 'create' } as const });
  if (!service) return { differences: [create(`there is no service ${EDGE_SERVICE}`)], obstacles: [], notes };
  const { ID: id, Spec } = service;
  const targets = (Spec.TaskTemplate.Networks ?? []).map(({ Target }) => Target);
  // Without an address of its own on the network Traefik passes over it.
  const misplaced = targets.join() !== network || (Spec.EndpointSpec?.Mode ?? 'vip') !== 'vip';
  if (misplaced) {
    const found = `the service ${EDGE_SERVICE} has no address on the network ${PROXY_NETWORK}`;
    const remove = { found, plan: 'remove it', action: { kind: 'remove', id } as const };
    return { differences: [remove, create('it is not there then')], obstacles: [], notes };
  }
  const has = Spec.Labels ?? {};
  const wrong = [...new Set([...Object.keys(labels), ...Object.keys(has)])].filter(
    (name) => labels[name] !== has[name],
  );
  const tasks = Spec.Mode.Replicated?.Replicas ?? 1;
  const faults = [
    ...(wrong.length > 0 ? [`has other labels: ${wrong.sort().join(', ')}`] : []),
    ...(tasks === 0 ? [] : [`is to run ${tasks} times`]),
  ];
  if (faults.length === 0) return { differences: [], obstacles: [], notes };
  const found = `the service ${EDGE_SERVICE} ${faults.join(' and ')}`;
  return {
    differences: [{ found, plan: 'put it right', action: { kind: 'update', id } }],
    obstacles: [],
    notes,
  };
}

/**
 * The routes as Traefik reads them from labels (its routing reference, provider Swarm). The dashboard's name has the
 * webhook beside the pages and no metrics. Pure.
 */
export function edgeLabels(options: EdgeOptions): Record<string, string> {
  const { dashboardDomain, droneDomain, dashboard, bridge, drone } = options;
  const routes = [
    { name: 'dashboard', to: dashboard, rule: `Host(\`${dashboardDomain}\`) && !PathPrefix(\`/metrics\`)` },
    {
      name: 'hook',
      to: bridge,
      rule: `Host(\`${dashboardDomain}\`) && Path(\`/hook\`)`,
      // Otherwise the longest rule comes first.
      priority: HOOK_PRIORITY,
    },
    { name: 'drone', to: drone, rule: `Host(\`${droneDomain}\`)` },
  ];
  const labels = routes.flatMap(({ name, to, rule, priority }) => {
    if (!to) return [];
    const router = `traefik.http.routers.cc-ci-${name}`;
    return [
      [`${router}.rule`, rule],
      ...(priority === undefined ? [] : [[`${router}.priority`, String(priority)]]),
      [`${router}.entrypoints`, 'web-secure'],
      [`${router}.tls`, 'true'],
      [`${router}.service`, `cc-ci-${name}`],
      [`traefik.http.services.cc-ci-${name}.loadbalancer.server.url`, urlOf(to)],
    ];
  });
  return {
    'traefik.enable': String(labels.length > 0),
    // For the service's own address, although it has no tasks.
    'traefik.swarm.lbswarm': 'true',
    ...Object.fromEntries(labels),
  };
}

function urlOf({ host, port }: Listen): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Addresses that mean something else in Traefik's container than here. */
function unreachable({ dashboard, bridge, drone }: EdgeOptions): Obstacle[] {
  const listens = { 'the dashboard': dashboard, 'the bridge': bridge, Drone: drone };
  return Object.entries(listens).flatMap(([who, to]): Obstacle[] => {
    if (!to || !/^(?:127\.|localhost$|\[?::1?\]?$|0\.0\.0\.0$)/.test(to.host)) return [];
    return [
      {
        missing: `${who} listens at ${to.host}:${to.port}, which Traefik's container cannot reach`,
        whose: 'operator',
        todo: "let it listen at an address of this host on one of Docker's bridges, as services.cc-ci.hostAddress is",
      },
    ];
  });
}

/** Traefik, where it is deployed and too old for these labels. One whose version nobody can tell is taken for new. */
async function unfitTraefik(docker: Docker, stack: string): Promise<Obstacle[]> {
  const app = (await listServices(docker, stack)).find(({ Spec }) => Spec.Name === `${stack}_app`);
  const version = app && traefikVersion(app);
  if (!version || !isBefore(version, FIRST_TRAEFIK)) return [];
  return [
    {
      missing: `Traefik ${version.join('.')} is deployed, which cannot route to an address`,
      whose: 'operator',
      todo: `let CC_CI_TRAEFIK_VERSION name a version of the recipe with Traefik ${FIRST_TRAEFIK.join('.')} or newer, or leave it out`,
    },
  ];
}

function traefikVersion({ Spec }: DockerService): readonly [number, number] | undefined {
  const match = /:v?(\d+)\.(\d+)/.exec(Spec.TaskTemplate.ContainerSpec.Image.replace(/@.*$/, ''));
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function isBefore([major, minor]: readonly [number, number], [first, second]: readonly [number, number]) {
  return major < first || (major === first && minor < second);
}

async function networkId(docker: Docker): Promise<string> {
  const [network] = await networksNamed(docker, PROXY_NETWORK);
  if (!network) throw new Error(`there is no network ${PROXY_NETWORK} any more`);
  return network.Id;
}
