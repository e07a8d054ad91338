import { argv } from 'node:process';
import Mocha from 'mocha';
import { RecordingReporter } from './mocha-reporter.js';

// Runs the test files it is given. Mocha's own command would load our reporter through `require`, which cannot take
// packages that are ES modules only.
const mocha = new Mocha({ timeout: 60_000, reporter: RecordingReporter });
for (const file of argv.slice(2)) mocha.addFile(file);
await mocha.loadFilesAsync();
mocha.run((failures) => {
  // A test's open connection must not keep the run waiting.
  process.exit(failures > 0 ? 1 : 0);
});
