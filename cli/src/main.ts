import { describeError } from '@cc-ci/core';
import { CommanderError } from 'commander';
import { buildProgram } from './program.js';

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`cc-ci: ${describeError(error)}\n`);
    process.exitCode = 2;
  }
}
