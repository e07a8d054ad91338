import { basename, join } from 'node:path';
import {
  type AppNames,
  type Config,
  createRedactor,
  type Docker,
  InputError,
  type Plan,
  planFile,
  plan as planSchema,
  type Redactor,
  type RunOptions,
  type RunResult,
  readJson,
  run,
  secretsFile,
  writeJson,
} from '@cc-ci/core';
import { z } from 'zod';
import type { StageRecorder } from './recorder.js';

/** The variable that marks every process of a run, so that none can hide from the clean-up. */
export const RUN_MARKER = 'CC_CI_RUN';

/** What every stage works with. All that one stage leaves for the next is in files below `dir`. */
export interface StageContext {
  config: Config<'common' | 'runner'>;
  docker: Docker;
  /** This run's folder. */
  dir: string;
  plan: Plan;
  stage: StageRecorder;
  /** Aborted when the run is cancelled or its deadline has passed; its reason says which. */
  signal: AbortSignal;
  /** Secret values of the app under test, by secret name. Filled by `install`. */
  secrets: Map<string, string>;
  /** Since when all that this stage has deployed, or restarted, last has been up. */
  upSince?: Date;
}

/** Where abra keeps this run's recipes and app files: nothing is shared with another run. */
export const abraFolder = (dir: string) => join(dir, 'abra');
/** The checkout of the recipe under test. */
export const recipeFolder = (context: StageContext) =>
  join(abraFolder(context.dir), 'recipes', context.plan.request.recipe);
/** The app's env file, as abra names it. */
export const appEnvFile = (context: StageContext) =>
  join(
    abraFolder(context.dir),
    'servers',
    context.config.runner.abraServer,
    `${requireApp(context).domain}.env`,
  );

/** Changes the plan and writes it. */
export async function updatePlan(context: StageContext, change: Partial<Plan>): Promise<void> {
  Object.assign(context.plan, change);
  await writeJson(planFile(context.dir), planSchema.parse(context.plan));
}

/** Says that nothing is deployed any more. */
export async function forgetDeployment(context: StageContext): Promise<void> {
  delete context.plan.deployment;
  await updatePlan(context, {});
}

/** The app's names. @throws InputError before `prepare` has chosen them */
export function requireApp(context: StageContext): AppNames {
  if (!context.plan.app) {
    throw new InputError(`run ${context.plan.request.run} has no app yet`, {
      hint: 'run the prepare stage first',
    });
  }
  return context.plan.app;
}

const secretsSchema = z.record(z.string(), z.string());

/** The secrets of a run as an earlier stage wrote them; empty when there are none. */
export async function loadSecrets(dir: string): Promise<Map<string, string>> {
  return new Map(Object.entries((await readJson(secretsFile(dir), secretsSchema)) ?? {}));
}

/** Adds secrets and keeps them for the stages that follow. From now on no output shows them. */
export async function addSecrets(
  context: StageContext,
  values: Iterable<readonly [string, string]>,
): Promise<void> {
  for (const [name, value] of values) context.secrets.set(name, value);
  await writeJson(secretsFile(context.dir), Object.fromEntries(context.secrets), 0o600);
}

/** Hides what is secret now; ask again after secrets were added. */
export function redactorFor(secrets: ReadonlyMap<string, string>): Redactor {
  return createRedactor(secrets.values());
}

/** `redactorFor` for those who ask at every line: made anew only when the secrets have changed. */
export function cachedRedactor(secrets: ReadonlyMap<string, string>): () => Redactor {
  let known = '';
  let redactor = redactorFor(secrets);
  return () => {
    const values = [...secrets.values()].join('\0');
    if (values !== known) redactor = redactorFor(secrets);
    known = values;
    return redactor;
  };
}

/**
 * Runs a program for this run: cancelled with it, marked as its own, its output redacted and in the stage's log.
 * @param options.quiet keeps the output out of the log (it contains secrets that are not known yet)
 */
export function runTool(
  context: StageContext,
  file: string,
  args: readonly string[],
  options: RunOptions & { quiet?: boolean } = {},
): Promise<RunResult> {
  const redactor = redactorFor(context.secrets);
  context.stage.log(`$ ${[basename(file), ...args].join(' ')}`);
  return run(file, args, {
    signal: context.signal,
    redactor,
    ...(options.quiet ? {} : { onLine: (line: string) => context.stage.log(line) }),
    ...options,
    env: { ...(options.env ?? process.env), [RUN_MARKER]: context.plan.request.run },
  });
}
