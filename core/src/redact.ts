/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Shorter values would hit ordinary text ("v1", "true"), and protect nothing worth protecting. */
const SHORTEST_SECRET = 6;

/** Hides secret values in text, whole or in pieces. */
export interface Redactor {
  /** Text with every known secret replaced. */
  text(input: string): string;
  /** A filter for a stream of chunks: finds secrets that are split across chunks. One per stream. */
  stream(): RedactorStream;
}

/** The state of one stream: `write` returns what is safe to pass on now, `end` the rest. */
export interface RedactorStream {
  write(chunk: string): string;
  end(): string;
}

/**
 * A redactor for these values, also in base64, URL-encoded and JSON-escaped form; the lines of multi-line values
 * count by themselves, since logs are split into lines. Values under 6 characters are left alone.
 */
export function createRedactor(secrets: Iterable<string>): Redactor {
  const forms = [...new Set([...secrets].flatMap(formsOf))].sort((a, b) => b.length - a.length);
  if (forms.length === 0)
    return { text: (input) => input, stream: () => ({ write: (chunk) => chunk, end: () => '' }) };
  const pattern = new RegExp(forms.map(escapeRegExp).join('|'), 'g');
  const text = (input: string) => input.replace(pattern, REDACTED);
  return { text, stream: () => createStream(forms, pattern) };
}

function formsOf(secret: string): string[] {
  const parts = [secret.trim(), ...secret.split(/\r?\n/).map((line) => line.trim())];
  return parts
    .flatMap((value) => [
      value,
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
      Buffer.from(value).toString('base64url'),
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
    ])
    .filter((form) => form.length >= SHORTEST_SECRET);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function createStream(forms: readonly string[], pattern: RegExp): RedactorStream {
  let held = '';
  return {
    write(chunk) {
      const text = held + chunk;
      const keep = heldBack(text, forms);
      // A match that reaches into the held-back tail is complete already: cut behind the last one.
      let cut = text.length - keep;
      for (const match of text.matchAll(pattern)) {
        const end = match.index + match[0].length;
        if (match.index < cut && end > cut) cut = end;
      }
      held = text.slice(cut);
      return text.slice(0, cut).replace(pattern, REDACTED);
    },
    end() {
      const rest = held.replace(pattern, REDACTED);
      held = '';
      return rest;
    },
  };
}

/** How many characters at the end of `text` could be the beginning of a secret. */
function heldBack(text: string, forms: readonly string[]): number {
  let longest = 0;
  for (const form of forms) {
    const most = Math.min(form.length - 1, text.length);
    for (let size = most; size > longest; size--) {
      if (form.startsWith(text.slice(text.length - size))) {
        longest = size;
        break;
      }
    }
  }
  return longest;
}
