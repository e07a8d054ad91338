import { access } from 'node:fs/promises';
import { run } from '@cc-ci/core';
import { z } from 'zod';
import { type Measure, measured } from './measure.js';

const QUESTION = {
  name: 'redaction with 100 secrets',
  unit: 'MB/s',
  bound: 'at-least',
  limit: 100,
} as const;

const answer = z.looseObject({
  secrets: z.literal(100),
  megabytesPerSecond: z.strictObject({ text: z.number(), stream: z.number() }),
});

/** Asks the redaction's own benchmark, a process of its own; the slower of its two ways counts. */
export async function measureRedaction(script: string): Promise<Measure> {
  try {
    await access(script);
  } catch {
    return measured(QUESTION, undefined, { problem: `${script} is not there` });
  }
  // It ends with 1 where it finds its own limit broken; that is judged here.
  const { stdout } = await run(process.execPath, [script], { okCodes: [0, 1], timeoutMs: 300_000 });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const { megabytesPerSecond } = answer.parse(JSON.parse(last));
  return measured(QUESTION, Math.min(megabytesPerSecond.text, megabytesPerSecond.stream), {
    megabytesPerSecond,
  });
}
