import { basename } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestCase, TestError, TestResult } from '@playwright/test/reporter';
import { RESULTS_VARIABLE, writeResultLine } from '../recipe-tests/result-lines.js';

/** One JSON line per browser test, with what it left behind. */
export default class RecordingReporter implements Reporter {
  private readonly path: string;

  constructor() {
    const path = process.env[RESULTS_VARIABLE];
    if (!path) throw new Error(`${RESULTS_VARIABLE} is not set: this reporter is for cc-ci's own runs`);
    this.path = path;
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const [, , file = '', ...titles] = test.titlePath();
    const message = messageOf(result);
    writeResultLine(this.path, {
      test: {
        suite: ['browser', basename(file), ...titles.slice(0, -1)].join(' › '),
        title: test.title,
        state: result.status === 'passed' ? 'passed' : result.status === 'skipped' ? 'skipped' : 'failed',
        durationMs: Math.max(0, result.duration),
        ...(message === undefined ? {} : { message }),
      },
      attachments: result.attachments.map(({ name, contentType, path, body }) => ({
        name,
        contentType,
        ...(path === undefined ? {} : { path }),
        ...(body === undefined ? {} : { body: body.toString('base64') }),
      })),
    });
  }

  /** What went wrong outside any test: files that cannot be loaded, `.only`, no test at all. */
  onError(error: TestError): void {
    writeResultLine(this.path, { error: textOf(error) });
  }

  onEnd(): void {
    writeResultLine(this.path, { end: true });
  }
}

function messageOf({ error, status }: TestResult): string | undefined {
  return error ? textOf(error) : status === 'timedOut' ? 'timed out' : undefined;
}

function textOf({ message, value, location }: TestError): string {
  const text = stripVTControlCharacters(message ?? value ?? 'unknown error');
  return location ? `${text}\n    at ${location.file}:${location.line}:${location.column}` : text;
}
