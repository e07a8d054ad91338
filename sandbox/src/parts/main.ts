// `npm run parts [name…]`: builds what is not installed, all of it or the parts named.
import { describeError, InputError } from '@cc-ci/core';
import { ensurePart } from './build.js';
import { PART_NAMES, type PartName } from './definitions.js';

const started = performance.now();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

try {
  for (const name of wanted(process.argv.slice(2))) await ensurePart(name, { say, signal: stop.signal });
} catch (error) {
  process.stderr.write(`parts: ${describeError(error)}\n`);
  process.exitCode = 1;
}

function wanted(words: readonly string[]): PartName[] {
  const unknown = words.filter((word) => !PART_NAMES.some((name) => name === word));
  if (unknown.length > 0)
    throw new InputError(`no such part: ${unknown.join(', ')} (there are ${PART_NAMES.join(', ')})`);
  return PART_NAMES.filter((name) => words.length === 0 || words.includes(name));
}

function say(text: string): void {
  const seconds = `${Math.round((performance.now() - started) / 1000)}`.padStart(5);
  process.stderr.write(`${seconds}s  ${text}\n`);
}
