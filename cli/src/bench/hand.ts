import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, run } from '@cc-ci/core';
import { COPY_LINKS, type Command, type Reference, TEST_CODE, type TestCommand } from './reference.js';

/** An app deployed by hand: names of its own in place of the reference run's. */
export interface Hand {
  reference: Reference;
  dir: string;
  recipeDir: string;
  domain: string;
  stack: string;
  /** A text of the reference run with this app's names and folders in it. */
  renamed(text: string): string;
}

/** @param id in place of the reference run's id, and of the same length */
export function handFor(reference: Reference, recipe: string, id: string, dir: string): Hand {
  const renamed = (text: string) => text.replaceAll(reference.dir, dir).replaceAll(reference.run, id);
  return {
    reference,
    dir,
    recipeDir: join(dir, 'abra/recipes', recipe),
    domain: renamed(reference.domain),
    stack: renamed(reference.stack),
    renamed,
  };
}

/** What lies ready before the clock starts: the tests where their arguments say, and the folders they write into. */
export async function prepareHand({ dir, reference }: Hand): Promise<void> {
  for (const folder of ['home', 'tmp', 'results']) await mkdir(join(dir, folder), { recursive: true });
  await cp(join(reference.files, TEST_CODE), join(dir, TEST_CODE), COPY_LINKS);
}

const LOOK_MS = 200;
const WAIT_MS = 120_000;

/** Looks again and again. @throws CcCiError when it does not come to be within two minutes */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new CcCiError(`by hand: not ${what} after ${WAIT_MS / 1000} s`);
    await delay(LOOK_MS);
  }
}

/** What a Docker command prints. */
export const lines = async (...args: string[]) =>
  (await run('docker', args)).stdout.split('\n').filter((line) => line);

export const isTest = (command: Command): command is TestCommand => command.program === 'test';

/** Runs a test process of the reference run on this app. @returns what the process wrote into its results file */
export async function runTest(hand: Hand, { argv, env, cwd }: TestCommand): Promise<string> {
  const [file = '', ...args] = argv.map(hand.renamed);
  const renamed = Object.entries(env).map(([name, value]) => [name, hand.renamed(value ?? '')] as const);
  // The runner's marks are for killing what is left of a run.
  const { CC_CI_RUN: _, CC_CI_PROCESS: __, ...environment } = Object.fromEntries(renamed);
  // A script looks at the exit code; nobody reads its output here.
  const child = spawn(file, args, { cwd: hand.renamed(cwd), env: environment, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new CcCiError(`by hand: ${argv.slice(0, 6).join(' ')} ended with ${code}`);
  return readFile(environment.CC_CI_RESULTS ?? '', 'utf8');
}
