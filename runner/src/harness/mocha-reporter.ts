import { basename } from 'node:path';
import Mocha from 'mocha';
import { RESULTS_VARIABLE, writeResultLine } from '../recipe-tests/result-lines.js';
import { thrownText } from './thrown.js';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/** Mocha's own `spec` output for the log, and one JSON line per test for the record. */
export class RecordingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const path = process.env[RESULTS_VARIABLE];
    if (!path) throw new Error(`${RESULTS_VARIABLE} is not set: this reporter is for cc-ci's own runs`);
    const write = (test: Mocha.Test, state: 'passed' | 'failed' | 'skipped', message?: string) =>
      writeResultLine(path, {
        test: {
          suite: test.parent?.titlePath().join(' › ') || basename(test.file ?? 'tests'),
          title: test.title,
          state,
          durationMs: test.duration ?? 0,
          ...(message === undefined ? {} : { message }),
        },
      });
    runner.on(EVENT_TEST_PASS, (test) => write(test, 'passed'));
    runner.on(EVENT_TEST_PENDING, (test) => write(test, 'skipped'));
    runner.on(EVENT_TEST_FAIL, (test, error) => write(test, 'failed', thrownText(error)));
    runner.on(EVENT_RUN_END, () => writeResultLine(path, { end: true }));
  }
}
