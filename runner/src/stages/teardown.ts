import { describeError } from '@cc-ci/core';
import { undeploy } from '../abra.js';
import { cleanUp } from '../clean-up.js';
import type { StageContext } from '../context.js';
import { leftBehind } from '../reap.js';

const UNDEPLOY_TIMEOUT_MS = 180_000;

/**
 * Leaves the node as it was: the stack as an operator would remove it, then whatever is still there by Docker's own
 * lists, its backups, and what the run's folder must not keep. Runs whatever happened before, also when the run was cancelled.
 */
export async function teardown(context: StageContext): Promise<void> {
  const { stage, docker, plan, dir, config } = context;
  await stage.phase('teardown', true, async () => {
    if (plan.app) {
      try {
        await undeploy(context, AbortSignal.timeout(UNDEPLOY_TIMEOUT_MS));
      } catch (error) {
        // What abra cannot remove, Docker can; that abra could not is worth knowing.
        stage.log(`abra app undeploy: ${describeError(error)}`);
      }
    }
    const { forgetSnapshots } = config.runner;
    const { removed, problems } = await cleanUp(docker, { dir, plan }, { forgetSnapshots });
    if (removed.length > 0) stage.log(`removed ${removed.join(', ')}`);
    if (problems.length > 0) throw leftBehind(problems);
  });
}
