import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';

/** A service whose tasks are rejected for want of it is a service all the same. */
export const NO_SUCH_IMAGE = 'cc-ci/no-such-image:0';

/** Puts one of everything a stack can have on the node. */
export async function deploySomething(stack: string): Promise<void> {
  await run('docker', ['secret', 'create', `${stack}_token_v1`, '-'], { input: 'not-secret' });
  await run('docker', ['volume', 'create', `${stack}_data`]);
  const compose = `version: "3.8"
services:
  app: { image: "${NO_SUCH_IMAGE}", networks: [internal], configs: [conf] }
networks: { internal: {} }
configs: { conf: { name: "${stack}_conf_v1", file: ./conf } }
`;
  const dir = await mkdtemp(join(tmpdir(), 'cc-ci-stack-'));
  const file = join(dir, 'compose.yml');
  await writeFile(join(dir, 'conf'), 'x');
  await writeFile(file, compose);
  await run('docker', ['stack', 'deploy', '--resolve-image', 'never', '--compose-file', file, stack]);
  await rm(dir, { recursive: true });
}

/** A service of somebody else that uses a secret of the stack, which therefore cannot be removed. */
export async function holdSecret(stack: string): Promise<{ release(): Promise<void> }> {
  const name = `${stack.replaceAll('_', '-')}-user`;
  const secret = `${stack}_token_v1`;
  const flags = ['--detach', '--quiet', '--no-resolve-image', '--name', name, '--secret', secret];
  await run('docker', ['service', 'create', ...flags, NO_SUCH_IMAGE]);
  return { release: async () => void (await run('docker', ['service', 'rm', name])) };
}
