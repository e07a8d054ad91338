import type { StageContext } from '../context.js';
import { findTests, runMocha } from './run-tests.js';

/**
 * Runs the test file of ours for a stage that comes after install, where there is one.
 * @throws StageFailure like `runMocha`
 */
export async function runStageTests(context: StageContext, stage: 'upgrade' | 'backup'): Promise<void> {
  const { mocha } = await findTests(context, stage);
  if (mocha) await context.stage.phase('tests', false, () => runMocha(context, [mocha], { source: 'cc-ci' }));
}

/** Does every step, also after one has failed (its picture often shows why); then throws the first error. */
export async function allFailures(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => void errors.push(error));
  if (errors.length > 0) throw errors[0];
}
