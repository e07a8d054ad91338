import { appendFileSync } from 'node:fs';
import type { Redactor } from '@cc-ci/core';
import { type TestResult, testResult } from '@cc-ci/core/record';
import { z } from 'zod';
import { readUntrusted } from './untrusted-file.js';

/** The variable that tells a reporter where its lines go. */
export const RESULTS_VARIABLE = 'CC_CI_RESULTS';

/** A picture or trace a test left behind; an absolute path, or the content itself in base64. */
const attachment = z.strictObject({
  name: z.string(),
  contentType: z.string(),
  path: z.string().optional(),
  body: z.string().optional(),
});
export type Attachment = z.output<typeof attachment>;

/** Whose test it was is not for the test's own process to say. */
const testLine = z.strictObject({
  test: testResult.omit({ source: true }),
  attachments: z.array(attachment).optional(),
});
const line = z.union([
  testLine,
  /** Why tests could not be loaded or run. */
  z.strictObject({ error: z.string() }),
  z.strictObject({ end: z.literal(true) }),
]);
export type ResultLine = z.output<typeof line>;

/** Appends a line; a test process that dies leaves all lines before. */
export function writeResultLine(path: string, value: ResultLine): void {
  appendFileSync(path, `${JSON.stringify(value)}\n`);
}

/** What a test process said of its tests. It is somebody else's code and may have written anything. */
export interface Results {
  tests: { test: TestResult; attachments: Attachment[] }[];
  /** Why tests could not be loaded or run. */
  errors: string[];
  /** It came to its end, nothing is missing. */
  isComplete: boolean;
  /** Why none of this can be relied on. */
  problem?: string;
}

const MAX_BYTES = 32 * 2 ** 20;
/** The record is written anew for every test. */
const MAX_TESTS = 2_000;
const MAX_TITLE = 500;
const MAX_MESSAGE = 8_000;

/**
 * The results a test process wrote; none where there is no file. Never throws for what is in it.
 * @param source whose tests they are
 * @param redactor applied before anything is cut short: half a secret could not be found any more
 */
export async function readResultLines(
  path: string,
  source: TestResult['source'],
  redactor: Redactor,
): Promise<Results> {
  const results: Results = { tests: [], errors: [], isComplete: false };
  const { text, problem } = await readUntrusted(path, MAX_BYTES);
  if (problem) return { ...results, problem: `its results file ${problem}` };
  for (const [index, raw] of text.split('\n').entries()) {
    if (!raw) continue;
    const parsed = parseLine(raw);
    if (!parsed) return { ...results, problem: `line ${index + 1} of its results is not one of a reporter` };
    if ('end' in parsed) results.isComplete = true;
    else if ('error' in parsed) results.errors.push(shorten(redactor.text(parsed.error), MAX_MESSAGE));
    else {
      const { test, attachments = [] } = parsed;
      results.tests.push({ test: { ...bounded(test, redactor), source }, attachments });
    }
  }
  if (results.tests.length > MAX_TESTS)
    return {
      ...results,
      tests: results.tests.slice(0, MAX_TESTS),
      problem: `it has more than ${MAX_TESTS} tests`,
    };
  return results;
}

function parseLine(raw: string): ResultLine | undefined {
  try {
    return line.safeParse(JSON.parse(raw)).data;
  } catch {
    return undefined;
  }
}

function bounded(test: z.output<typeof testLine>['test'], { text }: Redactor): Omit<TestResult, 'source'> {
  return {
    ...test,
    suite: shorten(text(test.suite), MAX_TITLE),
    title: shorten(text(test.title), MAX_TITLE),
    ...(test.message === undefined ? {} : { message: shorten(text(test.message), MAX_MESSAGE) }),
  };
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)} …` : text;
}
