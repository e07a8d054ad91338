import { InputError } from './errors.js';

/** One assignment of an env file: its expanded value and the comment behind it, where abra's modifiers stand. */
export interface EnvEntry {
  value: string;
  comment: string;
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;

/**
 * Reads an app's env file as abra does: lines in order, `$NAME` and `${NAME}` from keys already read (also inside
 * double quotes), the last assignment wins, ` # text` behind a value is a comment (abra contract 2 and 5.3).
 * Lines that are no assignment are passed over.
 */
export function parseEnvFile(text: string): Map<string, EnvEntry> {
  const entries = new Map<string, EnvEntry>();
  const lookup = (name: string) => entries.get(name)?.value ?? '';
  for (const line of text.split(/\r?\n/)) {
    const match = ASSIGNMENT.exec(line);
    if (!match || line.trimStart().startsWith('#')) continue;
    const [, name = '', rest = ''] = match;
    entries.set(name, readValue(rest, lookup));
  }
  return entries;
}

/** Only the values of an env file. */
export function envValues(text: string): Record<string, string> {
  return Object.fromEntries([...parseEnvFile(text)].map(([name, { value }]) => [name, value]));
}

function readValue(rest: string, lookup: (name: string) => string): EnvEntry {
  const quoted = /^(["'])((?:\\.|(?!\1).)*)\1\s*(?:#\s*(.*))?$/.exec(rest);
  if (quoted) {
    const [, quote, body = '', comment = ''] = quoted;
    const value = quote === "'" ? body : expand(body.replace(/\\(["\\])/g, '$1'), lookup);
    return { value, comment: comment.trim() };
  }
  const at = rest.search(/(?:^|\s)#/);
  const bare = at < 0 ? rest : rest.slice(0, at);
  const comment = at < 0 ? '' : rest.slice(at).trim().replace(/^#\s*/, '');
  return { value: expand(bare.trim(), lookup), comment };
}

function expand(text: string, lookup: (name: string) => string): string {
  return text.replace(/\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (_, braced, plain) =>
    lookup(braced ?? plain),
  );
}

/**
 * One assignment that `parseEnvFile` (and abra) reads back as exactly this value.
 * @throws InputError for a value with a line break, or with both a single quote and a `$`, which no quoting can hold
 */
export function envLine(name: string, value: string): string {
  if (/^[\w./:@,+-]*$/.test(value)) return `${name}=${value}`;
  if (/[\r\n]/.test(value)) throw new InputError(`${name}: an env file cannot hold a value of several lines`);
  if (!value.includes("'")) return `${name}='${value}'`;
  if (value.includes('$')) throw new InputError(`${name}: an env file cannot hold both ' and $ in one value`);
  return `${name}="${value.replace(/(["\\])/g, '\\$1')}"`;
}
