import { type DockerService, InputError, listServices } from '@cc-ci/core';
import type { App } from './app.js';
import type { Abra } from './context.js';

/** What abra says where a label is missing. */
export const UNKNOWN = 'unknown';

/** What Docker runs of an app. */
export interface Deployed {
  services: DockerService[];
  version: string;
  /** "true", "false" or "unknown", as the label says it. */
  chaos: string;
  chaosVersion: string;
}

/** The name of a label that abra puts on an app's main service. */
export const appLabel = (stack: string, name: string) => `coop-cloud.${stack}.${name}`;

/** What is deployed of an app, or undefined where it has no service. */
export async function findDeployed(abra: Abra, stack: string): Promise<Deployed | undefined> {
  const services = await listServices(abra.docker, stack);
  return services.length > 0 ? describeDeployed(services, stack) : undefined;
}

/** What the labels of an app's services say. */
export function describeDeployed(services: DockerService[], stack: string): Deployed {
  const labels = services.find(({ Spec }) => Spec.Name === `${stack}_app`)?.Spec.Labels ?? {};
  const label = (name: string) => labels[appLabel(stack, name)] ?? UNKNOWN;
  return {
    services,
    version: label('version'),
    chaos: label('chaos'),
    chaosVersion: label('chaos-version'),
  };
}

/** @throws InputError when nothing of the app is deployed */
export async function requireDeployed(abra: Abra, app: App): Promise<Deployed> {
  const deployed = await findDeployed(abra, app.stack);
  if (!deployed) throw new InputError(`${app.name} is not deployed?`);
  return deployed;
}

/** @throws InputError while anything of the app is deployed */
export async function requireUndeployed(abra: Abra, app: App): Promise<void> {
  if (await findDeployed(abra, app.stack)) {
    throw new InputError(`${app.name} is still deployed. Run "abra app undeploy ${app.name}"`);
  }
}
