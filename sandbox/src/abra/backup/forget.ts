import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError, InputError } from '@cc-ci/core';

/** How abra writes a stack's name: a domain with underscores for its dots. */
const STACK_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/**
 * Removes all snapshots of one stack; none there is fine.
 * @param store the folder that ABRA_STANDIN_BACKUPS names
 * @throws InputError for what cannot be a stack's name
 */
export async function forgetSnapshots(store: string, stack: string): Promise<void> {
  if (!STACK_NAME.test(stack)) {
    throw new InputError(`${JSON.stringify(stack)} is no stack's name`, {
      hint: 'it is the domain of the app with _ for every dot',
    });
  }
  await rm(join(store, stack), { recursive: true, force: true });
}

/** `forget-snapshots <stack>`. @returns the exit code: 0, or 1 when it was asked for something else or failed */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  try {
    const [stack, ...more] = argv;
    if (stack === undefined || more.length > 0) throw new InputError('usage: forget-snapshots <stack>');
    const store = env.ABRA_STANDIN_BACKUPS;
    if (!store) {
      throw new InputError('there are no snapshots', {
        hint: "set ABRA_STANDIN_BACKUPS to abra's stand-in's folder for snapshots",
      });
    }
    await forgetSnapshots(store, stack);
    return 0;
  } catch (error) {
    process.stderr.write(`forget-snapshots: ${describeError(error)}\n`);
    return 1;
  }
}
