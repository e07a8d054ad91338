import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { createLogger, testRequest } from '@cc-ci/core';
import { type LocalEngineOptions, openLocalEngine } from '../local.js';
import { OBEDIENT_RUNNER } from './engine-contract.js';

/** Options of an engine whose runner is a shell script called with the run id and the state folder. */
export function optionsFor(stateDir: string, script = OBEDIENT_RUNNER): LocalEngineOptions {
  return {
    stateDir,
    maxTests: 2,
    buildTimeoutMs: 60_000,
    graceMs: 5_000,
    logger: createLogger('test', 'fatal'),
    command: (request) => ({
      file: 'sh',
      args: ['-c', script, 'sh', request.run, stateDir],
      // The mark by which a test finds runners whose engine it has killed.
      env: { ...process.env, CC_CI_RUN: request.run },
      cwd: stateDir,
    }),
  };
}

// As a program: an engine of its own, for tests that kill it. Arguments: state folder, requests as JSON.
const [, program, stateDir, ...requests] = argv;
if (program === fileURLToPath(import.meta.url) && stateDir) {
  const engine = openLocalEngine(optionsFor(stateDir));
  for (const request of requests) await engine.start(testRequest.parse(JSON.parse(request)));
  process.stdout.write('asked\n');
}
