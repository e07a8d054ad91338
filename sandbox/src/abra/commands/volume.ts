import { setTimeout as delay } from 'node:timers/promises';
import { HttpStatusError, InputError, removeVolume, STACK_LABEL } from '@cc-ci/core';
import { loadApp } from '../app.js';
import { type Abra, confirm, table } from '../context.js';
import { requireUndeployed } from '../deployed.js';
import { dockerClient } from '../docker-client.js';
import { arg, type Call, type Group } from '../verbs.js';

/** `abra app volume`. */
export const volumeGroup: Group = {
  name: 'volume',
  about: "Manage an app's volumes",
  verbs: [
    { name: 'list', alias: 'ls', about: 'List volumes', args: '<domain>', run: list },
    {
      name: 'remove',
      alias: 'rm',
      about: 'Remove volumes and the data in them',
      args: '<domain> [volume]',
      flags: ['force'],
      run: remove,
    },
  ],
};

/** By label, not by name: `a_b_data` may belong to stack `a` or to stack `a_b`. */
async function volumesOf(abra: Abra, stack: string): Promise<string[]> {
  const args = ['volume', 'ls', '--quiet', '--filter', `label=${STACK_LABEL}=${stack}`];
  return (await dockerClient(abra, args)).stdout.split('\n').filter(Boolean);
}

async function list(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  const names = await volumesOf(abra, app.stack);
  if (names.length === 0) {
    abra.log.warn(`no volumes created for ${app.name}`);
    return;
  }
  const { stdout } = await dockerClient(abra, [
    'volume',
    'inspect',
    '--format',
    '{{.Name}} {{.Mountpoint}}',
    ...names,
  ]);
  for (const line of table([
    ['NAME', 'MOUNTED AT'],
    ...stdout
      .trim()
      .split('\n')
      .map((row) => row.split(' ')),
  ])) {
    abra.print(line);
  }
}

async function remove(call: Call): Promise<void> {
  const { abra } = call;
  const app = await loadApp(abra, arg(call, 0));
  await requireUndeployed(abra, app);
  const wanted = call.args[1];
  const names = await volumesOf(abra, app.stack);
  const chosen = wanted
    ? names.filter((name) => name === wanted || name === `${app.stack}_${wanted}`)
    : names;
  if (chosen.length === 0) {
    if (wanted) throw new InputError(`${app.name} has no volume called "${wanted}"`);
    abra.log.info('no volumes removed');
    return;
  }
  if (!call.has('force')) confirm(abra, `remove ${chosen.join(', ')} and the data in them?`);
  await removeEach(abra, chosen);
}

/** Removes every volume of a stack. */
export async function removeVolumes(abra: Abra, stack: string): Promise<void> {
  await removeEach(abra, await volumesOf(abra, stack));
}

const IN_USE = 409;
const TRY_FOR_MS = 5_000;
const POLL_MS = 250;

/** Docker holds on to volumes for a moment after their last container is gone. */
async function removeEach(abra: Abra, names: readonly string[]): Promise<void> {
  const deadline = performance.now() + TRY_FOR_MS;
  for (const name of names) {
    while (!(await tryRemove(abra, name, performance.now() >= deadline))) {
      await delay(POLL_MS, undefined, { signal: abra.signal });
    }
    abra.log.info(`${name} removed`);
  }
}

async function tryRemove(abra: Abra, name: string, last: boolean): Promise<boolean> {
  try {
    await removeVolume(abra.docker, name);
    return true;
  } catch (error) {
    if (error instanceof HttpStatusError && error.status === IN_USE && !last) return false;
    throw error;
  }
}
