// Runs the compiled tests of every room in one mocha process: unit tests first, then those that need servers.
// Which tests exist is read from the sources, so that a stale compiled file is never run.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Mocha from 'mocha';

const ROOMS = ['core', 'engine', 'bridge', 'runner', 'dashboard', 'sandbox', 'reconcile', 'cli'];
// The tests of the real parts (`x.real.test.ts`) need those built: they are run by `npm run test:real` alone.
const REAL_TEST = '.real.test.ts';
const LONGEST = 15;
const real = process.argv.includes('--real');
const words = process.argv.slice(2).filter((word) => word !== '--real');

const files = ROOMS.flatMap((room) => testsOf(room))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
if (files.length === 0) fail(`no test file matches ${words.join(' ')}`);

const mocha = new Mocha({ timeout: 60_000, slow: 2_000, reporter: 'spec' });
for (const file of files) mocha.addFile(resolve(file));
await mocha.loadFilesAsync();
const skipped = [];
const runner = mocha.run((failures) => {
  const { passes = 0 } = runner.stats ?? {};
  tellLongest();
  for (const test of skipped) console.log(`not run: ${test.fullTitle()}`);
  const bad = failures > 0 || passes === 0 || (process.env.CI && skipped.length > 0);
  if (process.env.CI && skipped.length > 0) console.log('in CI a test that cannot run is a failure');
  console.log(
    `${passes} passed, ${failures + (failures === 0 && bad ? 1 : 0)} failed, ${skipped.length} skipped`,
  );
  process.exitCode = bad ? 1 : 0;
  // A test that leaves a server or a child behind is a fault of its own.
  setTimeout(() => fail('a test left something open: this process does not end by itself'), 10_000).unref();
});
runner.on('pending', (test) => skipped.push(test));
const times = new Map();
runner.on('suite', (suite) => suite.parent?.root && times.set(suite, -performance.now()));
runner.on('suite end', (suite) => times.has(suite) && times.set(suite, times.get(suite) + performance.now()));

/** The suites that took longest, whatever of their time was set-up. */
function tellLongest() {
  const longest = [...times].sort(([, a], [, b]) => b - a).slice(0, LONGEST);
  for (const [suite, ms] of longest) console.log(`${(ms / 1000).toFixed(0).padStart(5)} s  ${suite.title}`);
}

function testsOf(room) {
  return readdirSync(join(room, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && name.endsWith(REAL_TEST) === real)
    .map((name) => join(room, 'dist', name.replace(/\.ts$/, '.js')));
}

function rank(file) {
  return file.endsWith('.it.test.js') ? 1 : 0;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
