// Runs the compiled tests of every room: those that need the node's Swarm to themselves in one process, and at the same
// time all others in another one (unit tests first, then those that need servers), for the former wait more than they work.
// Which tests exist is read from the sources, so that a stale compiled file is never run.
//   node scripts/test.mjs [--real] [WORD...]   only files whose path contains one of the words; --real: the real parts
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOMS = ['core', 'engine', 'bridge', 'runner', 'dashboard', 'sandbox', 'reconcile', 'cli'];
const MOCHA = new URL('mocha.mjs', import.meta.url).pathname;
// Tests of the real parts need those built; and the Swarm.
const REAL = '.real.test.js';
const SWARM = '.swarm.test.js';
const SERVERS = '.it.test.js';
const SUM = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;

const real = process.argv.includes('--real');
const words = process.argv.slice(2).filter((word) => word !== '--real');
const files = ROOMS.flatMap(testsOf)
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(1);
}

const lanes = [
  { name: 'swarm', its: files.filter((file) => file.endsWith(SWARM)) },
  { name: 'rooms', its: files.filter((file) => !file.endsWith(SWARM)) },
].filter(({ its }) => its.length > 0);
const sums = await Promise.all(lanes.map(runLane));
const total = (of) => sums.reduce((sum, it) => sum + it[of], 0);
console.log(`${total('passed')} passed, ${total('failed')} failed, ${total('skipped')} skipped`);
process.exitCode = total('failed') > 0 ? 1 : 0;

/** Runs these files in a process; its lines are told apart by the lane's name where there are two. */
async function runLane({ name, its }) {
  const child = spawn(process.execPath, [MOCHA, ...its], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)));
  let found;
  for await (const line of createInterface({ input: child.stdout })) {
    const sum = SUM.exec(line);
    found = sum ?? found;
    if (lanes.length > 1) console.log(`${name} | ${line}`);
    else if (!sum) console.log(line);
  }
  const end = await ended;
  const [passed, failed, skipped] = found ? found.slice(1).map(Number) : [0, 0, 0];
  if (end === 0 || failed > 0) return { passed, failed, skipped };
  console.log(`the tests of ${name} ended with ${end}`);
  return { passed, failed: 1, skipped };
}

function testsOf(room) {
  return readdirSync(join(room, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(room, 'dist', name.replace(/\.ts$/, '.js')))
    .filter((file) => file.endsWith(REAL) === real);
}

function rank(file) {
  return file.endsWith(SERVERS) ? 1 : 0;
}
