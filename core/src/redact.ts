import { patternsOf } from './redact-forms.js';
import { createSearch, type Search } from './redact-search.js';

/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Hides secret values in text, whole or in pieces. */
export interface Redactor {
  /** Text with every known secret replaced. */
  text(input: string): string;
  /** A filter for a stream of chunks: finds secrets that are split across chunks. One per stream. */
  stream(): RedactorStream;
}

/**
 * The state of one stream: `write` returns what is safe to pass on now, `end` the rest. All pieces together are the
 * same as `text` of the whole; what is held back is never longer than the longest form of a secret.
 */
export interface RedactorStream {
  write(chunk: string): string;
  end(): string;
}

/**
 * A redactor for these values, also in base64 (by themselves or within something longer), escaped for URLs, forms,
 * JSON or HTML, or twice; the lines of multi-line values count by themselves, since logs are split into lines. Values
 * under 6 characters are left alone.
 */
export function createRedactor(secrets: Iterable<string>): Redactor {
  const patterns = patternsOf(secrets);
  if (patterns.length === 0)
    return { text: (input) => input, stream: () => ({ write: (chunk) => chunk, end: () => '' }) };
  const search = createSearch(patterns);
  return {
    text: (input) => replaced(search, input, true).done,
    stream: () => createStream(search),
  };
}

function createStream(search: Search): RedactorStream {
  let held = '';
  return {
    write(chunk) {
      const { done, rest } = replaced(search, held + chunk, false);
      held = rest;
      return done;
    },
    end() {
      const { done } = replaced(search, held, true);
      held = '';
      return done;
    },
  };
}

/** @returns `done` with every secret replaced, and the `rest` that cannot be decided before more text comes */
function replaced(search: Search, text: string, complete: boolean): { done: string; rest: string } {
  const pieces: string[] = [];
  let from = 0;
  for (;;) {
    const result = search(text, from, complete);
    if (!result) return { done: pieces.join('') + text.slice(from), rest: '' };
    if ('undecided' in result) {
      const { undecided } = result;
      return { done: pieces.join('') + text.slice(from, undecided), rest: text.slice(undecided) };
    }
    pieces.push(text.slice(from, result.start), REDACTED);
    from = result.end;
  }
}
