import { isUtf8 } from 'node:buffer';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { CcCiError, InputError, type Redactor } from '@cc-ci/core';
import { unzipSync, zipSync } from 'fflate';

/** Larger traces, packed or unpacked, are not kept: all of one is in memory while it is redacted. In bytes. */
const LARGEST_TRACE = 100 * 1024 * 1024;

/** Little memory for each of many small files. */
const TEXT_PACKING = { level: 6, mem: 4 } as const;

/** Entries of which every line (or the whole) is JSON; all others are what the page loaded, or pictures of it. */
const JSON_ENTRY = /\.(trace|network|stacks)$/;

/** What an entry may be read as to find text in it. */
const ENCODINGS = ['utf8', 'latin1', 'utf16le'] as const;
/** Bytes. */
const PIECE = 64 * 1024;

/**
 * Copies a Playwright trace (a zip) with every secret replaced. Entries keep their names, by which the viewer finds
 * them; one that is not text but contains a secret is emptied. Secrets that can be seen in pictures stay.
 * @throws InputError when it is too large or no trace
 * @throws CcCiError when a secret is left all the same; there is no `target` then
 */
export async function redactTrace(source: string, target: string, redactor: Redactor): Promise<void> {
  const { size } = await stat(source);
  if (size > LARGEST_TRACE) throw tooLarge(size);
  const entries = Object.entries(unpack(await readFile(source))).map(([name, content]) => {
    const redacted = redactEntry(
      name,
      Buffer.from(content.buffer, content.byteOffset, content.length),
      redactor,
    );
    // Pictures are packed already.
    return [name, [redacted, isUtf8(redacted) ? TEXT_PACKING : { level: 0 }]];
  });
  const packed = zipSync(Object.fromEntries(entries));
  assertNoSecrets(packed, redactor);
  await writeFile(target, packed);
}

function unpack(packed: Uint8Array): Record<string, Uint8Array> {
  let total = 0;
  try {
    return unzipSync(packed, {
      filter: ({ originalSize }) => {
        total += originalSize;
        if (total > LARGEST_TRACE) throw tooLarge(total);
        return true;
      },
    });
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError('the trace is not a zip file that can be read', { cause });
  }
}

function tooLarge(size: number): InputError {
  const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
  return new InputError(
    `the trace has ${megabytes(size)} MB or more, and at most ${megabytes(LARGEST_TRACE)} are kept`,
    { hint: 'let the tests do less in one test' },
  );
}

function redactEntry(name: string, content: Buffer, redactor: Redactor): Buffer {
  if (JSON_ENTRY.test(name)) {
    const lines = content
      .toString('utf8')
      .split('\n')
      .map((line) => redactJsonLine(line, redactor));
    return Buffer.from(lines.join('\n'));
  }
  // Bytes that are not UTF-8 do not survive the way there and back: no text, or one we cannot write again.
  const redacted = isUtf8(content) ? Buffer.from(redactor.text(content.toString('utf8'))) : content;
  return mayHoldSecret(redacted, redactor) ? Buffer.alloc(0) : redacted;
}

/** Replaces within strings, so that what is left is JSON whatever the secret looks like. */
function redactJsonLine(line: string, redactor: Redactor): string {
  const redacted = redactor.text(line);
  if (redacted === line) return line;
  try {
    return JSON.stringify(redactValue(JSON.parse(line), redactor));
  } catch {
    return redacted;
  }
}

function redactValue(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.text(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redactor));
  if (typeof value === 'number') return redactor.text(String(value)) === String(value) ? value : 0;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redactor.text(key), redactValue(item, redactor)]),
  );
}

/** Reads a piece at a time: whole files as text, three times each, would be most of the memory a run needs. */
function mayHoldSecret(content: Buffer, redactor: Redactor): boolean {
  return ENCODINGS.some((encoding) => {
    const decoder = new StringDecoder(encoding);
    const stream = redactor.stream();
    let expected = '';
    const isSame = (given: string, text: string) => {
      expected += text;
      const same = expected.startsWith(given);
      expected = expected.slice(given.length);
      return same;
    };
    for (let from = 0; from < content.length; from += PIECE) {
      const text = decoder.write(content.subarray(from, from + PIECE));
      if (!isSame(stream.write(text), text)) return true;
    }
    return !isSame(stream.end(), '');
  });
}

/** The last look, at exactly what is going to be published. */
function assertNoSecrets(packed: Uint8Array, redactor: Redactor): void {
  for (const [name, content] of Object.entries(unzipSync(packed))) {
    if (redactor.text(name) !== name || mayHoldSecret(Buffer.from(content), redactor))
      throw new CcCiError('a secret is still in the redacted trace');
  }
}
