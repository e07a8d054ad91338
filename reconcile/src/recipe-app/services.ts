import { type DockerService, InputError, interpolate, variablesOf } from '@cc-ci/core';
import type { ComposeFile, RenderedApp } from '@cc-ci/runner';
import { z } from 'zod';

/** A service as the recipe's files and the app's values want it. */
export interface WantedService {
  image: string;
  labels: ReadonlyMap<string, string>;
  /** Docker's names of its secrets. */
  secrets: ReadonlySet<string>;
  /** Undefined for one on every node. */
  replicas: number | undefined;
}

/** What of a stack is not as it is wanted. */
export interface ServiceFaults {
  /** What a deployment puts right, in words. */
  deploy: string[];
  /** Services that were deployed with the right image and have been given another since. */
  images: { id: string; name: string; from: string; to: string }[];
  /** Services that are right but for how many tasks they should have. */
  scale: { id: string; name: string; from: number; to: number }[];
  /** Services that the recipe does not have. */
  dropped: { id: string; name: string }[];
  /** Services that are right, of which too few tasks run, in words. */
  down: string[];
}

const text = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => String(value ?? ''));
/** A service in a compose file, as far as a deployment of it can be held against it. */
const composeService = z.looseObject({
  secrets: z
    .array(
      z.union([z.string(), z.looseObject({ source: z.string() })]).transform((item) => {
        return typeof item === 'string' ? item : item.source;
      }),
    )
    .nullish(),
  deploy: z
    .looseObject({
      mode: z.string().optional(),
      replicas: text.optional(),
      labels: z.union([z.array(z.string()), z.record(z.string(), text)]).optional(),
    })
    .nullish(),
});

/** The services that a recipe's files want together: later files win, labels and secrets add up. Pure. */
export function wantedServices(rendered: RenderedApp): Map<string, WantedService> {
  const wanted = new Map<string, WantedService>();
  for (const [name, image] of rendered.images) {
    const parts = rendered.files.flatMap((file) => {
      const service = file.services?.[name];
      return service ? [composeService.parse(service)] : [];
    });
    const deploy = parts.flatMap((part) => (part.deploy ? [part.deploy] : []));
    const isGlobal = deploy.findLast((part) => part.mode !== undefined)?.mode === 'global';
    const replicas = deploy.findLast((part) => part.replicas !== undefined)?.replicas ?? '1';
    const keys = parts.flatMap((part) => part.secrets ?? []);
    wanted.set(name, {
      image,
      labels: new Map(deploy.flatMap(({ labels = [] }) => labelPairs(labels, rendered.values))),
      secrets: new Set(keys.map((key) => rendered.secrets.get(key) ?? key)),
      replicas: isGlobal ? undefined : Number(interpolate(replicas, rendered.values)),
    });
  }
  return wanted;
}

function labelPairs(
  labels: readonly string[] | Record<string, string>,
  values: Readonly<Record<string, string>>,
): [string, string][] {
  if (!Array.isArray(labels)) {
    return Object.entries(labels as Record<string, string>).map(([name, value]) => [
      name,
      interpolate(value, values),
    ]);
  }
  return labels.map((label: string) => {
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(interpolate(label, values)) ?? [];
    return [name, value];
  });
}

/**
 * Holds what is deployed against what is wanted. Pure.
 * @param env what the service `app` must have in its environment, where abra puts the app's whole env file
 */
export function faultsOf(
  stack: string,
  wanted: ReadonlyMap<string, WantedService>,
  env: Readonly<Record<string, string>>,
  services: readonly DockerService[],
): ServiceFaults {
  const faults: ServiceFaults = { deploy: [], images: [], scale: [], dropped: [], down: [] };
  if (services.length === 0) return { ...faults, deploy: ['it is not deployed'] };
  const found = new Map(services.map((service) => [service.Spec.Name.slice(stack.length + 1), service]));
  for (const [name, want] of wanted) {
    const service = found.get(name);
    if (!service) {
      faults.deploy.push(`there is no service ${name}`);
      continue;
    }
    const wrong = specFaults(stack, want, name === 'app' ? env : {}, service);
    faults.deploy.push(...wrong.map((fault) => `service ${name} ${fault}`));
    const image = imageOf(service, want);
    const isOther = image !== want.image;
    // A deployment takes an image for unchanged that is the one it was given last (docker/cli, stack deploy).
    if (isOther && service.Spec.Labels['com.docker.stack.image'] === want.image) {
      faults.images.push({ id: service.ID, name, from: image, to: want.image });
    } else if (isOther) {
      faults.deploy.push(`service ${name} has the image ${image} instead of ${want.image}`);
    }
    const has = service.Spec.Mode.Replicated?.Replicas ?? 1;
    if (want.replicas !== undefined && has !== want.replicas) {
      faults.scale.push({ id: service.ID, name, from: has, to: want.replicas });
    } else if (wrong.length === 0 && !isOther && !runs(service)) {
      const { RunningTasks = 0, DesiredTasks = 0 } = service.ServiceStatus ?? {};
      faults.down.push(`service ${name} runs ${RunningTasks} of ${DesiredTasks}`);
    }
  }
  for (const [name, { ID }] of found) if (!wanted.has(name)) faults.dropped.push({ id: ID, name });
  return faults;
}

function specFaults(
  stack: string,
  want: WantedService,
  env: Readonly<Record<string, string>>,
  { Spec }: DockerService,
): string[] {
  const { Env, Secrets } = Spec.TaskTemplate.ContainerSpec;
  const has = new Map((Env ?? []).map((line) => [line.replace(/=.*$/s, ''), line.replace(/^[^=]*=?/, '')]));
  const secrets = new Set((Secrets ?? []).map(({ SecretName }) => SecretName));
  // Those of abra are written over whatever the recipe says of them.
  const labels = [...want.labels].filter(([name]) => !name.startsWith(`coop-cloud.${stack}.`));
  return [
    ...labels.flatMap(([name, value]) =>
      differs(`the label ${name}`, Spec.Labels[name], value, Spec.Labels[name] === value),
    ),
    ...Object.entries(env).flatMap(([name, value]) =>
      differs(name, has.get(name), value, (has.get(name) ?? '') === value),
    ),
    ...[...want.secrets]
      .filter((name) => !secrets.has(name))
      .map((name) => `does not use the secret ${name}`),
    ...[...secrets].filter((name) => !want.secrets.has(name)).map((name) => `uses the secret ${name}`),
  ];
}

/** A service's image, without the digest that a deployment adds. */
function imageOf({ Spec }: DockerService, want: WantedService): string {
  const { Image } = Spec.TaskTemplate.ContainerSpec;
  return want.image.includes('@') ? Image : Image.replace(/@sha256:.*$/, '');
}

function differs(what: string, is: string | undefined, value: string, isRight: boolean): string[] {
  if (isRight) return [];
  return [is === undefined ? `lacks ${what}` : `has ${what} as "${is}" instead of "${value}"`];
}

function runs({ ServiceStatus, Spec }: DockerService): boolean {
  const { RunningTasks = 0, DesiredTasks = 0 } = ServiceStatus ?? {};
  return RunningTasks >= DesiredTasks && (DesiredTasks > 0 || Spec.Mode.Replicated?.Replicas === 0);
}

/**
 * The variable of the env file that holds the version of a secret: the one that its name in the compose files ends in
 * (abra contract 5.3). Its name follows from no other: `SECRET_WILDCARD_CERT_VERSION` is that of `ssl_cert`. Pure.
 * @throws InputError when the files have no such secret, or its name no such variable
 */
export function versionVariable(files: readonly ComposeFile[], key: string): string {
  const name = files.map((file) => file.secrets?.[key]?.name).findLast((it) => it !== undefined);
  const variable = variablesOf(name ?? '').findLast(({ name: it }) => /^SECRET_\w+_VERSION$/.test(it));
  if (!variable) {
    throw new InputError(
      `the recipe's compose files name no secret ${key} with a version: ${name ?? 'none'}`,
      {
        hint: 'this version of the recipe is another than this was made for',
      },
    );
  }
  return variable.name;
}
