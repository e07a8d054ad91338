import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createSecret,
  type Docker,
  type DockerService,
  envValues,
  InputError,
  listSecrets,
  listServices,
  pathKind,
  readFileIfAny,
  removeService,
  type ServiceSpec,
  updateService,
  writeFileAtomic,
} from '@cc-ci/core';
import {
  type AbraHome,
  callAbra,
  OVERLAY_FILE,
  overlayFor,
  pullImages,
  type RenderedApp,
  removeApp,
  renderRecipe,
  waitConverged,
  writeOverlay,
} from '@cc-ci/runner';
import { type Difference, definePart, type Inspection, type Part } from '../part.js';
import { completedEnv, envChanges } from './env-text.js';
import { type AppSecret, type Given, type RecipeApp, stackOf } from './recipe-app.js';
import { faultsOf, versionVariable, wantedServices } from './services.js';
import { type DeployedAs, lookAtTree, makeTree, type TreeOptions } from './tree.js';

/** What apps of the host are deployed with. */
export interface Deployer {
  docker: Docker;
  abra: AbraHome;
  /** The server abra deploys to. */
  server: string;
  /** Recipes are cloned from this, a slash, the name, `.git`. */
  recipesUrl: string;
  /** Whether this kernel has Swarm's load balancer. */
  hasIpvs(): Promise<boolean>;
  /** Milliseconds a deployment may take to become healthy. */
  timeoutMs: number;
}

export type AppAction =
  | { kind: 'make' }
  | { kind: 'tree' }
  /** All that follows from a tree that was not as it is to be. */
  | { kind: 'all' }
  | { kind: 'env' }
  | { kind: 'secret'; name: string; data: Buffer }
  | { kind: 'deploy' }
  | { kind: 'image'; id: string; image: string }
  | { kind: 'scale'; id: string; replicas: number }
  | { kind: 'remove'; id: string }
  | { kind: 'wait' };

/** What an app is wanted to be, when all that takes is there. */
interface Wanted {
  envText: string;
  env: Readonly<Record<string, string>>;
  rendered: RenderedApp;
  overlay: string | undefined;
  secrets: readonly (AppSecret & { name: string })[];
}

/** A part of the host that is a recipe, deployed by abra with what the app says. */
export function recipeAppPart(
  name: string,
  needs: readonly string[],
  deployer: Deployer,
  app: RecipeApp,
): Part {
  return definePart<AppAction>({
    name,
    needs,
    inspect: () => inspectApp(deployer, app),
    act: (action) => act(deployer, app, action),
  });
}

async function inspectApp(deployer: Deployer, app: RecipeApp): Promise<Inspection<AppAction>> {
  const given = await app.given();
  if (given.kind === 'blocked') return { differences: [], obstacles: [given.obstacle], notes: [] };
  const services = await listServices(deployer.docker, stackOf(app.domain));
  const tree = await lookAtTree(treeOf(deployer, app), deployedAs(app, services));
  const first: Difference<AppAction>[] = [
    ...(given.kind === 'unmade'
      ? [{ found: given.found, plan: given.plan, action: { kind: 'make' } as const }]
      : []),
    ...(tree.faults.length > 0
      ? [{ found: tree.faults.join('; '), plan: 'fetch it', action: { kind: 'tree' } as const }]
      : []),
  ];
  if (given.kind === 'unmade' || tree.faults.length > 0) {
    const plan = `deploy ${app.recipe} as ${app.domain}, where it is not`;
    return {
      differences: [
        ...first,
        { found: 'without it nothing can be told of what is deployed', plan, action: { kind: 'all' } },
      ],
      obstacles: [],
      notes: [],
    };
  }
  const wanted = await wantedOf(deployer, app, given);
  const { missing, unmakeable } = await secretsOf(deployer, app, wanted);
  if (unmakeable.length > 0) {
    const todo = 'run this again: what makes it may have found another certificate meanwhile';
    return {
      differences: [],
      obstacles: unmakeable.map((secret) => ({
        missing: `there is no secret ${secret}`,
        whose: 'cc-ci',
        todo,
      })),
      notes: [],
    };
  }
  const differences = [
    ...(await envDifferences(deployer, app, wanted)),
    ...missing.map(({ name: secret, data }) => ({
      found: `there is no secret ${secret}`,
      plan: 'make it',
      action: { kind: 'secret', name: secret, data } as const,
    })),
    ...serviceDifferences(app, wanted, services, tree),
  ];
  const notes = [`${app.recipe} ${tree.version} at ${app.domain}`];
  return { differences, obstacles: [], notes };
}

async function envDifferences(
  deployer: Deployer,
  app: RecipeApp,
  { envText }: Wanted,
): Promise<Difference<AppAction>[]> {
  const file = envFileOf(deployer, app);
  const there = await readFileIfAny(file);
  const action = { kind: 'env' } as const;
  if (there === undefined) {
    return [{ found: `abra has no app ${app.domain}`, plan: `make its env file ${file}`, action }];
  }
  const changes = envChanges(there, envText);
  if (changes.length === 0) return [];
  return [{ found: `in ${file} ${changes.join(', ')}`, plan: 'put it right', action }];
}

function serviceDifferences(
  app: RecipeApp,
  { env, rendered }: Wanted,
  services: readonly DockerService[],
  tree: { commit: string | undefined; deployed: string | undefined; version: string | undefined },
): Difference<AppAction>[] {
  const stack = stackOf(app.domain);
  // Which files were deployed shows in the services; how the overlay of this host is named is nobody's business.
  const { COMPOSE_FILE: _, ...seen } = env;
  const { deploy, images, scale, dropped, down } = faultsOf(stack, wantedServices(rendered), seen, services);
  if (services.length > 0 && tree.deployed !== tree.commit) {
    deploy.unshift(
      `${tree.deployed?.slice(0, 8) ?? 'something else'} is deployed instead of ${tree.version}`,
    );
  }
  return [
    ...(deploy.length > 0
      ? [
          {
            found: deploy.join('; '),
            plan: `deploy ${app.recipe} as ${app.domain}`,
            action: { kind: 'deploy' } as const,
          },
        ]
      : []),
    ...images.map(({ id, name, from, to }) => ({
      found: `service ${name} has the image ${from} instead of ${to}`,
      plan: 'give it back',
      action: { kind: 'image', id, image: to } as const,
    })),
    ...scale.map(({ id, name, from, to }) => ({
      found: `service ${name} is scaled to ${from} instead of ${to}`,
      plan: 'scale it back',
      action: { kind: 'scale', id, replicas: to } as const,
    })),
    ...dropped.map(({ id, name }) => ({
      found: `the recipe has no service ${name}`,
      plan: 'remove it',
      action: { kind: 'remove', id } as const,
    })),
    ...(down.length > 0 && deploy.length + images.length + scale.length === 0
      ? [{ found: down.join('; '), plan: 'wait until all run', action: { kind: 'wait' } as const }]
      : []),
  ];
}

async function act(deployer: Deployer, app: RecipeApp, action: AppAction): Promise<void> {
  switch (action.kind) {
    case 'make': {
      const given = await app.given();
      if (given.kind === 'unmade') await given.make();
      return;
    }
    case 'tree':
      return makeTree(treeOf(deployer, app), await deployedNow(deployer, app));
    case 'all':
      for (const { found, action: next } of (await inspectApp(deployer, app)).differences) {
        if (next.kind === 'all') throw new Error(`it was put right, and still ${found}`);
        await act(deployer, app, next);
      }
      return;
    case 'env':
      return writeEnv(deployer, app);
    case 'secret':
      return createSecret(deployer.docker, action.name, action.data);
    case 'deploy':
      return deploy(deployer, app);
    case 'image':
      await updateService(deployer.docker, action.id, (spec) => withImage(spec, action.image));
      return wait(deployer, app);
    case 'scale':
      await updateService(deployer.docker, action.id, (spec) => {
        return { ...spec, Mode: { Replicated: { Replicas: action.replicas } } };
      });
      return wait(deployer, app);
    case 'remove':
      return removeService(deployer.docker, action.id);
    case 'wait':
      return wait(deployer, app);
  }
}

function withImage(spec: ServiceSpec, image: string): ServiceSpec {
  const { TaskTemplate } = spec;
  const ContainerSpec = { ...TaskTemplate.ContainerSpec, Image: image };
  return { ...spec, TaskTemplate: { ...TaskTemplate, ContainerSpec } };
}

/** The app's env file as it is to be; abra makes it from the recipe's sample. */
async function writeEnv(deployer: Deployer, app: RecipeApp): Promise<void> {
  const file = envFileOf(deployer, app);
  if ((await readFileIfAny(file)) === undefined) {
    if ((await pathKind(join(deployer.abra.dir, 'servers', deployer.server))) === undefined) {
      await callAbra(deployer.abra, 'addLocalServer');
    }
    await callAbra(deployer.abra, 'newApp', {
      about: [app.recipe],
      values: { domain: app.domain, server: deployer.server },
    });
    // It may have moved the tree (abra contract 3.1).
    await makeTree(treeOf(deployer, app), await deployedNow(deployer, app));
  }
  const { envText } = await wantedOf(deployer, app);
  await writeFileAtomic(file, envText, 0o600);
}

/** Deploys what the clone is to be at, whatever was done to it, and waits until all of it runs. */
async function deploy(deployer: Deployer, app: RecipeApp): Promise<void> {
  await makeTree(treeOf(deployer, app), await deployedNow(deployer, app));
  const { docker } = deployer;
  const stack = stackOf(app.domain);
  const { rendered, overlay } = await wantedOf(deployer, app);
  if (overlay !== undefined) await writeOverlay(recipeDir(deployer, app), overlay);
  await pullImages(docker, [...rendered.images.values()], {
    signal: new AbortController().signal,
    timeoutMs: deployer.timeoutMs,
    log: () => undefined,
  });
  // What a stack that was removed has left must be gone: its networks' names are still taken for a while.
  if ((await listServices(docker, stack)).length === 0)
    await removeApp(docker, stack, deployer.timeoutMs, { keep: ['secret', 'volume'] });
  await callAbra(deployer.abra, 'deploy', { about: [app.domain] });
  await wait(deployer, app);
}

async function wait({ docker, timeoutMs }: Deployer, { domain }: RecipeApp): Promise<void> {
  const { signal } = new AbortController();
  await waitConverged(docker, stackOf(domain), { timeoutMs, signal, onChange: () => undefined });
}

/** What the app is wanted to be by the tree as it is. @throws InputError when the recipe is not what is expected */
async function wantedOf(deployer: Deployer, app: RecipeApp, known?: Given): Promise<Wanted> {
  const given = known ?? (await app.given());
  if (given.kind !== 'known') throw new InputError(`what ${app.domain} is deployed with has gone meanwhile`);
  const dir = recipeDir(deployer, app);
  const stack = stackOf(app.domain);
  const ipvs = await deployer.hasIpvs();
  const hostPorts = app.hostPortsFile !== undefined && !ipvs ? [app.hostPortsFile] : [];
  const names = [...app.composeFiles, ...hostPorts];
  const sample = await readFile(join(dir, '.env.sample'), 'utf8');
  const text = (await readFileIfAny(envFileOf(deployer, app))) ?? '';
  const withoutVersions = completedEnv(text, sample, { ...given.env, COMPOSE_FILE: names.join(':') });
  const { files } = await renderRecipe(dir, envValues(withoutVersions), stack);
  const overlay = overlayFor(files, ipvs)?.text;
  const versions = given.secrets.map(({ key, version }) => [versionVariable(files, key), version]);
  const env = {
    ...given.env,
    ...Object.fromEntries(versions),
    COMPOSE_FILE: [...names, ...(overlay === undefined ? [] : [OVERLAY_FILE])].join(':'),
  };
  const envText = completedEnv(text, sample, env);
  const rendered = await renderRecipe(dir, envValues(envText), stack);
  const secrets = given.secrets.map((secret) => ({
    ...secret,
    name: rendered.secrets.get(secret.key) ?? `${stack}_${secret.key}_${secret.version}`,
  }));
  return { envText, env, rendered, overlay, secrets };
}

/** Which of an app's secrets the swarm does not have: with their values, and those that something else must make. */
async function secretsOf({ docker }: Deployer, { domain }: RecipeApp, { secrets }: Wanted) {
  const there = new Set((await listSecrets(docker, `${stackOf(domain)}_`)).map(({ name }) => name));
  const missing = secrets.filter(({ name }) => !there.has(name));
  return {
    missing: missing.flatMap(({ name, data }) => (data ? [{ name, data }] : [])),
    unmakeable: missing.filter(({ data }) => data === undefined).map(({ name }) => name),
  };
}

async function deployedNow({ docker }: Deployer, app: RecipeApp): Promise<DeployedAs> {
  return deployedAs(app, await listServices(docker, stackOf(app.domain)));
}

/** How abra has labelled what is deployed; a tree with an overlay of ours in it ends in `+U`. */
function deployedAs({ domain }: RecipeApp, services: readonly DockerService[]): DeployedAs {
  const stack = stackOf(domain);
  const labels = services.find(({ Spec }) => Spec.Name === `${stack}_app`)?.Spec.Labels ?? {};
  const isChaos = labels[`coop-cloud.${stack}.chaos`] === 'true';
  const commit = labels[`coop-cloud.${stack}.chaos-version`]?.replace(/\+U$/, '');
  return {
    commit: isChaos ? (commit ?? 'nothing') : undefined,
    version: labels[`coop-cloud.${stack}.version`],
  };
}

const recipeDir = ({ abra }: Deployer, { recipe }: RecipeApp) => join(abra.dir, 'recipes', recipe);
const envFileOf = ({ abra, server }: Deployer, { domain }: RecipeApp) =>
  join(abra.dir, 'servers', server, `${domain}.env`);

function treeOf(deployer: Deployer, app: RecipeApp): TreeOptions {
  return {
    recipe: app.recipe,
    dir: recipeDir(deployer, app),
    url: `${deployer.recipesUrl}/${app.recipe}.git`,
    version: app.version,
  };
}
