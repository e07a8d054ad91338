import { resolve } from 'node:path';
import { argv, env } from 'node:process';
import Mocha from 'mocha';
import { RESULTS_VARIABLE, writeResultLine } from '../recipe-tests/result-lines.js';
import { leave } from './leave.js';
import { RecordingReporter } from './mocha-reporter.js';
import { thrownText } from './thrown.js';

// Runs the test files it is given. Mocha's own command would load our reporter through `require`, which cannot take
// packages that are ES modules only. Frames are not shortened: `thrownText` chooses those that matter.
const results = env[RESULTS_VARIABLE] ?? '';
const mocha = new Mocha({ timeout: 60_000, reporter: RecordingReporter, forbidOnly: true, fullTrace: true });
for (const file of argv.slice(2)) mocha.addFile(resolve(file));
try {
  await mocha.loadFilesAsync();
} catch (error) {
  console.error(error);
  writeResultLine(results, { error: whyNotLoaded(error) });
  await leave(1);
}
mocha.run((failures) => void leave(failures > 0 ? 1 : 0));

function whyNotLoaded(error: unknown): string {
  const isOnly = (error as { code?: unknown }).code === 'ERR_MOCHA_FORBIDDEN_EXCLUSIVITY';
  return isOnly ? `.only hides every other test; take it out\n${thrownText(error)}` : thrownText(error);
}
