import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Redactor } from './redact.js';

/**
 * Copies a text file (UTF-8) of any size with every secret replaced.
 * @throws the file system's error; `target` is then incomplete, but never shows a secret
 */
export async function redactFile(source: string, target: string, redactor: Redactor): Promise<void> {
  await pipeline(
    createReadStream(source, 'utf8'),
    async function* (chunks: AsyncIterable<string>) {
      const stream = redactor.stream();
      for await (const chunk of chunks) yield stream.write(chunk);
      yield stream.end();
    },
    createWriteStream(target),
  );
}
