import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { dirname, join } from 'node:path';
import { CcCiError, describeError, envValues, type Phase, readAbraSh, run } from '@cc-ci/core';
import { backup, CHANGED, handleData, restore, SEEDED } from './by-hand-data.js';
import { eventually, type Hand, isTest, lines, runTest } from './hand.js';
import type { ReferencePhase } from './reference.js';

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

/** Scales to nothing, waits, and scales back: the two commands the runner gave. */
async function restart(hand: Hand, { commands }: ReferencePhase): Promise<void> {
  for (const { argv } of commands.filter(({ program }) => program === 'docker')) {
    const [, ...args] = argv.map(hand.renamed);
    await run('docker', args);
    if (args.every((arg) => !/=[1-9]/.test(arg)))
      await eventually(
        'stopped',
        async () => (await lines('ps', '--quiet', '--filter', `name=${hand.stack}_`)).length === 0,
      );
  }
  await up(hand);
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
