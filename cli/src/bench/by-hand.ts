import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CcCiError, describeError, envValues, type Phase, readAbraSh, run } from '@cc-ci/core';
import {
  COPY_LINKS,
  type Command,
  type Reference,
  type ReferencePhase,
  TEST_CODE,
  type TestCommand,
} from './reference.js';

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
 * test commands, one after the other, and a loop that waits for what they cause.
 */
export const BY_HAND: Record<Phase['name'], Step> = {
  // What only a CI needs: nobody's script looks for killed runs or reads the recipe before deploying it.
  janitor: async () => undefined,
  lint: async () => undefined,
  fetch,
  secrets,
  // The images are on the node; the commands of this phase only put the recipe at the commit to be deployed.
  pull: checkOut,
  deploy,
  converge,
  tests,
  seed: (hand, phase) => handleData(hand, phase, SEEDED),
  restart,
  mutate: (hand, phase) => handleData(hand, phase, CHANGED),
  verify: (hand, phase) => handleData(hand, phase, SEEDED),
  backup,
  restore,
  clean: removeAll,
  teardown: removeAll,
};

async function fetch(hand: Hand, phase: ReferencePhase): Promise<void> {
  await mkdir(dirname(hand.recipeDir), { recursive: true });
  await replayGit(hand, phase);
}

async function replayGit(hand: Hand, { commands }: ReferencePhase): Promise<void> {
  for (const { program, argv } of commands) {
    const [, ...args] = argv.map(hand.renamed);
    if (program === 'git') await run('git', args);
  }
}

async function checkOut(hand: Hand, phase: ReferencePhase): Promise<void> {
  await replayGit(hand, phase);
  await cp(join(hand.reference.files, 'overlays'), hand.recipeDir, { recursive: true }).catch(ifAny);
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

async function deploy(hand: Hand): Promise<void> {
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
async function up(hand: Hand): Promise<void> {
  await eventually('up', async () => {
    const counts = await lines('stack', 'services', '--format', '{{.Replicas}}', hand.stack);
    return counts.length > 0 && counts.every((text) => /^(\d+)\/\1\b/.test(text));
  });
  const { edge } = JSON.parse(await readFile(join(hand.dir, 'app.json'), 'utf8'));
  await eventually('served', () => answers(hand.domain, edge));
}

/** Nothing for a service that was not there before; else how far Docker is with replacing its tasks. */
const UPDATE =
  '{{if .PreviousSpec}}{{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}not begun{{end}}{{end}}';

/** N of N also is so before an update has begun: after one, Docker has to say that it is through. */
async function converge(hand: Hand): Promise<void> {
  await eventually('updated', async () => {
    const services = await lines('stack', 'services', '--quiet', hand.stack);
    const states = await lines('service', 'inspect', '--format', UPDATE, ...services);
    return states.every((state) => state === 'completed');
  });
  await up(hand);
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
async function tests(hand: Hand, { commands }: ReferencePhase): Promise<void> {
  for (const command of commands) if (isTest(command)) await runTest(hand, command);
}

const isTest = (command: Command): command is TestCommand => command.program === 'test';

/** @returns what the process wrote into its results file */
async function runTest(hand: Hand, { argv, env, cwd }: TestCommand): Promise<string> {
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

const SEEDED = 'seeded by hand\n';
const CHANGED = 'changed by hand\n';

/** The recipe's hook and the marker file copied into or out of its volumes, in the runner's order. */
async function handleData(hand: Hand, { name, commands }: ReferencePhase, marker: string): Promise<void> {
  const file = join(hand.dir, 'marker-to-copy');
  await writeFile(file, marker);
  for (const command of commands) {
    if (isTest(command)) {
      const results = await runTest(hand, command);
      // After `mutate`, `verify` has to throw once.
      if (name !== 'mutate' && !results.includes('"done"'))
        throw new CcCiError(`by hand: ${name}: ${results}`);
    } else if (command.program === 'docker') {
      const [, ...args] = command.argv.map(hand.renamed);
      const now = await appContainer(hand);
      const { stdout } = await run(
        'docker',
        args.map((arg) => arg.replace(CONTAINER, `${now}:`)),
      );
      // `docker cp` gives a tar stream: the text is in it as it is.
      if (args.at(-1) === '-' && !stdout.includes(marker))
        throw new CcCiError(`by hand: ${args.join(' ')}: the marker is gone`);
    }
  }
}

/** How an argument of `docker cp` begins; the container of now has another id. */
const CONTAINER = /^[0-9a-f]{64}:/;

async function appContainer(hand: Hand): Promise<string> {
  const [id, more] = await lines('ps', '--quiet', '--filter', `name=${hand.stack}_app`);
  if (!id || more) throw new CcCiError(`by hand: not one container of ${hand.stack}_app`);
  return id;
}

/** Scales to nothing, waits, and scales back: the two commands the runner gave. */
async function restart(hand: Hand, { commands }: ReferencePhase): Promise<void> {
  for (const { argv } of commands.filter(({ program }) => program === 'docker')) {
    const [, ...args] = argv.map(hand.renamed);
    await run('docker', args);
    if (args.every((arg) => !/=[1-9]/.test(arg)))
      await eventually('stopped', async () => (await lines(...containersOf(hand))).length === 0);
  }
  await up(hand);
}

const containersOf = ({ stack }: Hand) => ['ps', '--quiet', '--filter', `name=${stack}_`];

/** One tar file for each folder that has a marker. */
async function backup(hand: Hand): Promise<void> {
  const id = await appContainer(hand);
  for (const [index, folder] of dataFolders(hand.reference).entries()) {
    await dockerWith(['cp', `${id}:${folder}`, '-'], {
      stdout: await open(join(hand.dir, `backup-${index}.tar`), 'w'),
    });
  }
}

async function restore(hand: Hand): Promise<void> {
  const id = await appContainer(hand);
  for (const [index, folder] of dataFolders(hand.reference).entries()) {
    await dockerWith(['cp', '-', `${id}:${dirname(folder)}`], {
      stdin: await open(join(hand.dir, `backup-${index}.tar`)),
    });
  }
}

/** The folders with data, as their container sees them: those into which the runner copied a marker. */
export function dataFolders({ phases }: Pick<Reference, 'phases'>): string[] {
  const seeds = phases.filter(({ name }) => name === 'seed').flatMap(({ commands }) => commands);
  const targets = seeds.map(({ argv }) => argv.at(-1) ?? '').filter((target) => CONTAINER.test(target));
  return [...new Set(targets.map((target) => dirname(target.replace(CONTAINER, ''))))];
}

/** As a shell does with `<` and `>`. */
async function dockerWith(
  args: string[],
  { stdin, stdout }: { stdin?: FileHandle; stdout?: FileHandle },
): Promise<void> {
  try {
    const child = spawn('docker', args, {
      stdio: [stdin?.fd ?? 'ignore', stdout?.fd ?? 'ignore', 'inherit'],
    });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new CcCiError(`by hand: docker ${args.join(' ')} ended with ${code}`);
  } finally {
    await stdin?.close();
    await stdout?.close();
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

/** What lies ready before the clock starts: the tests where their arguments say, and the folders they write into. */
export async function prepareHand({ dir, reference }: Hand): Promise<void> {
  for (const folder of ['home', 'tmp', 'results']) await mkdir(join(dir, folder), { recursive: true });
  await cp(join(reference.files, TEST_CODE), join(dir, TEST_CODE), COPY_LINKS);
}

/**
 * Does by hand what the reference run did.
 * @returns milliseconds of each phase
 */
export async function doByHand(hand: Hand): Promise<Record<string, number>> {
  const phases: Record<string, number> = {};
  for (const phase of [...hand.reference.phases, TEARDOWN]) {
    const key = phaseKey(phase);
    const started = performance.now();
    try {
      await BY_HAND[phase.name](hand, phase);
    } catch (error) {
      throw new CcCiError(`by hand, ${key}: ${describeError(error)}`, { cause: error });
    }
    phases[key] = (phases[key] ?? 0) + performance.now() - started;
  }
  return phases;
}

/** The reference run was kept, so its record has no such phase. */
const TEARDOWN: ReferencePhase = { stage: 'teardown', name: 'teardown', commands: [] };

export const phaseKey = ({ stage, name }: { stage: string; name: string }) => `${stage}/${name}`;
