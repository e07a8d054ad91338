// Runs compiled test files in one mocha process; what they come to is its last line.
//   node scripts/mocha.mjs FILE...
import { resolve } from 'node:path';
import Mocha from 'mocha';

const LONGEST = 15;
const OPEN_FOR_MS = 10_000;

// Three times what the slowest without a limit of its own takes while both lanes and a build of the parts share two cores.
const LIMIT_MS = 180_000;

const mocha = new Mocha({ timeout: LIMIT_MS, slow: 2_000, reporter: 'spec' });
for (const file of process.argv.slice(2)) mocha.addFile(resolve(file));
await mocha.loadFilesAsync();
const skipped = [];
const times = new Map();
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
  setTimeout(() => {
    console.error('a test left something open: this process does not end by itself');
    process.exit(1);
  }, OPEN_FOR_MS).unref();
});
runner.on('pending', (test) => skipped.push(test));
runner.on('suite', (suite) => suite.parent?.root && times.set(suite, -performance.now()));
runner.on('suite end', (suite) => times.has(suite) && times.set(suite, times.get(suite) + performance.now()));

/** The suites that took longest, whatever of their time was set-up. */
function tellLongest() {
  const longest = [...times].sort(([, a], [, b]) => b - a).slice(0, LONGEST);
  for (const [suite, ms] of longest) console.log(`${(ms / 1000).toFixed(0).padStart(5)} s  ${suite.title}`);
}
