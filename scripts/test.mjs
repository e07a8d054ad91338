// Runs the compiled tests of every room in two lanes at the same time, for those on a Swarm wait more than they work: one
// has most of these, the other one all else. Which tests exist is read from the sources, so that a stale compiled file is
// never run.
//   node scripts/test.mjs [--real | --all] [WORD...]
//     only files whose path contains one of the words; --real: those of the real parts; --all: these after the others
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureImages, readDefinitions } from '@cc-ci/sandbox';

const ROOMS = ['core', 'engine', 'bridge', 'runner', 'dashboard', 'sandbox', 'reconcile', 'cli'];
const path = (name) => new URL(name, import.meta.url).pathname;
const MOCHA = path('mocha.mjs');
const APART = path('apart');
const PARTS = path('../sandbox/dist/parts/main.js');
const REAL = /\.real\.(swarm\.)?test\.js$/;
const SWARM = '.swarm.test.js';
const SERVERS = '.it.test.js';
const SUM = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;

// When all that needs no Swarm is done, these go to a second one, where root can have it: both lanes then end at about the
// same time. There is no network to build images with: what they need comes from the machine's engine.
const APART_FILES = /^cli\/dist\/(abra|defects|kills|local)\.swarm/;
const APART_IMAGES = ['nginx'];

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const files = ROOMS.flatMap(testsOf)
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(1);
}

// A lane's steps, one after another. The parts that tests on a Swarm need are all; Traefik is built last.
const isReal = (file) => REAL.test(file);
const onSwarm = (file) => file.endsWith(SWARM);
const apart = (file) => APART_FILES.test(file) && process.getuid() === 0;
const step = (wanted, how = {}) => ({ its: files.filter(wanted), ...how });
const lanes = [
  {
    name: 'swarm',
    steps: [
      step((file) => !isReal(file) && onSwarm(file) && !apart(file)),
      step((file) => isReal(file) && onSwarm(file), { parts: [] }),
    ],
  },
  {
    name: 'rooms',
    steps: [
      step((file) => !isReal(file) && !onSwarm(file)),
      step(apart, { isApart: true }),
      step((file) => isReal(file) && !onSwarm(file), { parts: ['gitea', 'drone', 'sops'] }),
    ],
  },
]
  .map(({ name, steps }) => ({ name, steps: steps.filter(({ its }) => its.length > 0) }))
  .filter(({ steps }) => steps.length > 0);
const sums = await Promise.all(lanes.map(runLane));
const total = (of) => sums.flat().reduce((sum, it) => sum + it[of], 0);
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exitCode = total('failed') > 0 ? 1 : 0;

/** Runs a lane's steps, each in a process; one with parts when these are built. */
async function runLane({ name, steps }) {
  const sums = [];
  for (const { its, parts, isApart } of steps) {
    const built = parts ? await ended(spawn(process.execPath, [PARTS, ...parts], { stdio: 'inherit' })) : 0;
    if (built === 0) sums.push(await runTests(name, its, isApart ? spawnApart : spawnHere));
    else sums.push(failure(`tests of ${name} were not run: their parts could not be built`));
  }
  return sums;
}

/** Its lines are told apart by the lane's name where there are two. */
async function runTests(name, its, start) {
  const child = await start([process.execPath, MOCHA, ...its]);
  const end = ended(child);
  let found;
  for await (const line of createInterface({ input: child.stdout })) {
    const sum = SUM.exec(line);
    found = sum ?? found;
    if (lanes.length > 1) console.log(`${name} | ${line}`);
    else if (!sum) console.log(line);
  }
  const [passed, failed, skipped] = found ? found.slice(1).map(Number) : [0, 0, 0];
  const how = await end;
  if (how === 0 || failed > 0) return { passed, failed, skipped };
  return failure(`the tests of ${name} ended with ${how}`, { passed, skipped });
}

function spawnHere([file, ...args]) {
  return spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function spawnApart(command) {
  await ensureImages(APART_IMAGES);
  const definitions = await readDefinitions();
  const tags = APART_IMAGES.flatMap((name) => definitions.get(name).tags);
  return spawnHere([APART, tags.join(' '), ...command]);
}

function ended(child) {
  return new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
}

function failure(why, { passed = 0, skipped = 0 } = {}) {
  console.log(why);
  return { passed, failed: 1, skipped };
}

function testsOf(room) {
  return readdirSync(join(room, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(room, 'dist', name.replace(/\.ts$/, '.js')))
    .filter((file) => options.includes('--all') || REAL.test(file) === options.includes('--real'));
}

function rank(file) {
  return file.endsWith(SERVERS) ? 1 : 0;
}
