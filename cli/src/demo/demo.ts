import {
  CancelledError,
  CcCiError,
  connectDocker,
  disconnectDocker,
  InputError,
  judge,
  type RunRecord,
  readRun,
  runFolder,
  tryLock,
} from '@cc-ci/core';
import { leftoversOf } from '@cc-ci/runner';
import { comment, ensureImages, openPull } from '@cc-ci/sandbox';
import { followBuild, waitForBuild, waitForFinalComment } from './follow.js';
import { startWorld, type World } from './world.js';

const RECIPE = 'custom-html';

export interface DemoOptions {
  /** Folder of everything the demo writes; emptied at the start, the pages and records stay after it. */
  dir: string;
  /** Folder of recipe tests. */
  testsDir: string;
  /** Opens a pull request that must come out red. */
  broken: boolean;
  /** Leaves everything running until interrupted. */
  keep: boolean;
  signal: AbortSignal;
  print: (line: string) => void;
}

/**
 * The main job, whole, on this machine: sandbox forge and edge, bridge, engine and dashboard; a pull request; `!testme`;
 * the comment it comes to. Whatever way it ends, everything it started is gone after.
 * @returns whether the run came out as it must
 * @throws CancelledError when it was interrupted before the run had ended
 */
export async function demo(options: DemoOptions): Promise<boolean> {
  const { dir, testsDir, signal } = options;
  const lock = tryLock(`${dir}.lock`);
  if (!lock) throw new InputError(`a demo is running in ${dir}`, { hint: 'end it first (Ctrl-C)' });
  const started = performance.now();
  const step = (text: string) =>
    options.print(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  try {
    step('images: building what is missing');
    await ensureImages(['nginx'], { onProgress: (line) => step(`images: ${line}`), signal });
    const world = await startWorld({ dir, testsDir, recipes: [RECIPE], signal, step });
    try {
      return await play(world, options, step);
    } finally {
      step('stopping everything this demo started');
      await world.stop();
    }
  } finally {
    lock.release();
  }
}

async function play(world: World, options: DemoOptions, step: (text: string) => void): Promise<boolean> {
  const { org, engine, stateDir, dashboardUrl } = world;
  const { broken, keep, signal, print } = options;
  const local = world.recipes.get(RECIPE);
  if (!local) throw new CcCiError(`${RECIPE} was not published`);
  const branch = broken ? 'broken-change' : 'good-change';
  const [title = branch] = (local.messages[branch] ?? '').split('\n');
  const pull = await openPull(org, RECIPE, local.dir, branch, title);
  step(`pull request: ${pull.url}`);
  await comment(org.url, org.member, pull, '!testme');
  step(`${org.member.login} comments: !testme`);

  const run = await waitForBuild(engine, pull, signal);
  step(`build ${run} started`);
  const state = await followBuild(engine, run, (line) => step(`  ${line}`), signal);
  step(`build ${run}: ${state}`);
  const body = await waitForFinalComment(org, pull, run, signal);
  const record = await readRun(runFolder(stateDir, run));
  if (!record) throw new CcCiError(`run ${run} left no record`);
  await mustBeClean(record);
  step('nothing of the run is left on the node');

  print(`\nThe comment on ${pull.url}:\n\n${body}\n`);
  print(`Dashboard: ${dashboardUrl}/runs/${run}/`);
  if (keep) {
    step('everything is left running to be browsed; Ctrl-C ends it');
    print(
      `To ask again from another terminal: npx cc-ci demo-comment '!testme' (--as mallory: not a member)`,
    );
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } else print('(served until this command ends; ./demo --keep leaves it running)');
  const { verdict } = record.summary?.outcome ?? judge(record.stages);
  return verdict === (broken ? 'red' : 'green');
}

/** The promise of every run. */
async function mustBeClean({ run, plan }: RunRecord): Promise<void> {
  if (!plan.app) return;
  const docker = connectDocker();
  const left = await leftoversOf(docker, plan.app.stack);
  await disconnectDocker(docker);
  const names = left.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  if (names) throw new CcCiError(`run ${run} left on the node: ${names}`);
}

/** Whether a demo ended because somebody interrupted it. */
export function isInterruption(error: unknown): boolean {
  return error instanceof CancelledError;
}
