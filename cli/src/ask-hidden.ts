import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CancelledError } from '@cc-ci/core';

/**
 * Asks at the terminal for something that is not shown while it is typed.
 * @returns '' for an empty line, and at the end of the input
 * @throws CancelledError on Ctrl-C
 */
export async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const stop = new AbortController();
  let cancelled = false;
  reader.on('SIGINT', () => {
    cancelled = true;
    stop.abort();
  });
  reader.on('close', () => stop.abort());
  process.stderr.write(question);
  try {
    return (await reader.question('', { signal: stop.signal })).trim();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    if (cancelled) throw new CancelledError('stopped; nothing was written');
    return '';
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
