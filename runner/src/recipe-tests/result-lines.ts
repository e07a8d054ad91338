import { appendFileSync } from 'node:fs';
import { readFileIfAny, testResult } from '@cc-ci/core';
import { z } from 'zod';

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

const line = z.union([
  z.strictObject({ test: testResult, attachments: z.array(attachment).optional() }),
  z.strictObject({ end: z.literal(true) }),
]);
export type ResultLine = z.output<typeof line>;

/** Appends a line; a test process that dies leaves all lines before. */
export function writeResultLine(path: string, value: ResultLine): void {
  appendFileSync(path, `${JSON.stringify(value)}\n`);
}

/**
 * The results a test process wrote.
 * @returns `complete`: it came to its end, nothing is missing
 */
export async function readResultLines(
  path: string,
): Promise<{ results: Exclude<ResultLine, { end: true }>[]; complete: boolean }> {
  const text = (await readFileIfAny(path)) ?? '';
  const lines = text
    .split('\n')
    .filter((raw) => raw)
    .map((raw) => line.parse(JSON.parse(raw)));
  const results = lines.filter((it): it is Exclude<ResultLine, { end: true }> => 'test' in it);
  return { results, complete: lines.some((it) => 'end' in it) };
}
