import { describeError } from '@cc-ci/core';
import { undeploy } from '../abra.js';
import type { StageContext } from '../context.js';
import { removeWorkFiles } from '../reap.js';
import { removeApp } from '../remove-app.js';

const REMOVE_TIMEOUT_MS = 180_000;

/**
 * Leaves the node as it was: the stack as an operator would remove it, then whatever is still there by Docker's own
 * lists, then what the run's folder must not keep. Runs whatever happened before, also when the run was cancelled.
 */
export async function teardown(context: StageContext): Promise<void> {
  const { stage, docker, plan, dir } = context;
  await stage.phase('teardown', true, async () => {
    if (plan.app) {
      try {
        await undeploy(context, AbortSignal.timeout(REMOVE_TIMEOUT_MS));
      } catch (error) {
        // What abra cannot remove, Docker can; that abra could not is worth knowing.
        stage.log(`abra app undeploy: ${describeError(error)}`);
      }
      const removed = await removeApp(docker, plan.app.stack, REMOVE_TIMEOUT_MS);
      if (removed.length > 0) stage.log(`removed ${removed.join(', ')}`);
    }
    await removeWorkFiles(dir);
  });
}
