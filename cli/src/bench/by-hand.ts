import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, envValues, type Phase, readAbraSh, run } from '@cc-ci/core';
import type { Command, Reference, ReferencePhase } from './reference.js';

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

type Step = (hand: Hand, phase: ReferencePhase) => Promise<void>;

/**
 * What somebody who writes a script for this one recipe would write for each phase of a run: the same docker, git and
 * test commands, one after the other, and a loop that waits for what they cause. A phase that is missing here is left
 * out of the comparison on both sides, and named in the result.
 */
export const BY_HAND: Partial<Record<Phase['name'], Step>> = {
  // What only a CI needs: nobody's script looks for killed runs or reads the recipe before deploying it.
  janitor: async () => undefined,
  lint: async () => undefined,
  fetch,
  secrets,
  deploy,
  converge,
  tests,
  teardown: removeAll,
};

async function fetch(hand: Hand, { git }: ReferencePhase): Promise<void> {
  await mkdir(dirname(hand.recipeDir), { recursive: true });
  for (const command of git) await replay(hand, command);
}

async function replay(hand: Hand, { argv }: Command): Promise<void> {
  const [file = '', ...args] = argv.map(hand.renamed);
  await run(file, args);
}

/** The env file as an operator has it; secrets the sample recipe has none. */
async function secrets(hand: Hand): Promise<void> {
  const facts = hand.renamed(await readFile(join(hand.reference.files, 'app.json'), 'utf8'));
  if (Object.keys(JSON.parse(facts).secrets).length > 0)
    throw new CcCiError('by hand no secrets are made yet');
  const env = hand.renamed(await readFile(join(hand.reference.files, 'app.env'), 'utf8'));
  await writeFile(join(hand.dir, 'app.json'), facts);
  await writeFile(join(hand.dir, 'app.env'), env);
}

async function deploy(hand: Hand, { git }: ReferencePhase): Promise<void> {
  for (const command of git) await replay(hand, command);
  await cp(join(hand.reference.files, 'overlays'), hand.recipeDir, { recursive: true }).catch(ifAny);
  const values = envValues(await readFile(join(hand.dir, 'app.env'), 'utf8'));
  const { exports } = await readAbraSh(hand.recipeDir);
  const files = (values.COMPOSE_FILE || 'compose.yml').split(':').flatMap((file) => ['--compose-file', file]);
  await run(
    'docker',
    ['stack', 'deploy', '--resolve-image', 'never', '--detach=true', ...files, hand.stack],
    {
      cwd: hand.recipeDir,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...values, ...exports, STACK_NAME: hand.stack },
    },
  );
}

function ifAny(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

const LOOK_MS = 200;
const WAIT_MS = 120_000;

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new CcCiError(`by hand: not ${what} after ${WAIT_MS / 1000} s`);
    await delay(LOOK_MS);
  }
}

const lines = async (...args: string[]) =>
  (await run('docker', args)).stdout.split('\n').filter((line) => line);

/** N of N (which with a health check means healthy), and the page is served. */
async function converge(hand: Hand): Promise<void> {
  await eventually('up', async () => {
    const counts = await lines('stack', 'services', '--format', '{{.Replicas}}', hand.stack);
    return counts.length > 0 && counts.every((text) => /^(\d+)\/\1\b/.test(text));
  });
  const { edge } = JSON.parse(await readFile(join(hand.dir, 'app.json'), 'utf8'));
  await eventually('served', () => answers(hand.domain, edge));
}

function answers(
  domain: string,
  edge: { address: { host: string; port: number }; ca: string },
): Promise<boolean> {
  const { host, port } = edge.address;
  return new Promise((resolve) => {
    const request = get(
      { host, port, ca: edge.ca, servername: domain, headers: { host: domain }, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('error', () => resolve(false));
  });
}

/** The same test processes with the same arguments and environment, each on this app. */
async function tests(hand: Hand, { tests: commands }: ReferencePhase): Promise<void> {
  for (const { argv, env = {} } of commands) {
    const [file = '', ...args] = argv.map(hand.renamed);
    const { CC_CI_RUN: _, ...own } = env;
    const renamed = Object.entries(own).map(([name, value]) => [name, hand.renamed(value ?? '')] as const);
    const environment = Object.fromEntries(renamed);
    if (environment.CC_CI_RESULTS) await mkdir(dirname(environment.CC_CI_RESULTS), { recursive: true });
    // A script looks at the exit code; nobody reads its output here.
    const child = spawn(file, args, { env: environment, stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new CcCiError(`by hand: ${argv.slice(0, 4).join(' ')} ended with ${code}`);
  }
}

/** Removes the app as an operator would, and waits until nothing of it is left. */
export async function removeAll(hand: Hand): Promise<void> {
  const named = `name=${hand.stack}_`;
  await run('docker', ['stack', 'rm', hand.stack]);
  const gone =
    (...list: string[]) =>
    async () =>
      (await lines(...list)).length === 0;
  await eventually('stopped', gone('ps', '--all', '--quiet', '--filter', named));
  const volumes = await lines('volume', 'ls', '--quiet', '--filter', named);
  if (volumes.length > 0) await run('docker', ['volume', 'rm', ...volumes]);
  await eventually('without networks', gone('network', 'ls', '--quiet', '--filter', named));
}

/**
 * Does by hand what the reference run did.
 * @returns milliseconds of each phase, and the phases that nobody has written by hand yet
 */
export async function doByHand(hand: Hand): Promise<{ phases: Record<string, number>; leftOut: string[] }> {
  const phases: Record<string, number> = {};
  const leftOut: string[] = [];
  await mkdir(hand.dir, { recursive: true });
  for (const phase of [...hand.reference.phases, TEARDOWN]) {
    const step = BY_HAND[phase.name];
    const key = phaseKey(phase);
    if (!step) {
      leftOut.push(key);
      continue;
    }
    const started = performance.now();
    await step(hand, phase);
    phases[key] = (phases[key] ?? 0) + performance.now() - started;
  }
  return { phases, leftOut };
}

/** The reference run was kept, so its record has no such phase. */
const TEARDOWN: ReferencePhase = { stage: 'teardown', name: 'teardown', durationMs: 0, git: [], tests: [] };

export const phaseKey = ({ stage, name }: { stage: string; name: string }) => `${stage}/${name}`;
