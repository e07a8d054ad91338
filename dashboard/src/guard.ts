import { existsSync, readFileSync } from 'node:fs';
import { createRedactor, REDACTED, type Redactor, secretsFile } from '@cc-ci/core/reading';

/** The last look before anything becomes public. Runners redact what they know; this one trusts none of them. */
export interface Guard {
  /** Text with everything replaced that is, or by its form must be, a secret. */
  text(input: string): string;
  /** Whether there is still something to replace. */
  finds(input: string): boolean;
  /** The same for a log, line by line: a private key is hidden from its first line to its last. One per log. */
  lines(): LineFilter;
  /** Whether there are values it knows, besides what it knows by form. */
  knowsSecrets: boolean;
  /** Whether bytes that are no text (a picture) hold a known secret as it is. */
  findsIn(bytes: Buffer): boolean;
}

/** Takes the lines of one log in their order. */
export interface LineFilter {
  (line: string): string;
  /** Whether what comes next is inside a private key. */
  isOpen(): boolean;
}

/** What is a secret by its form alone, whoever made it. Each has one group of what may stay, or none. */
const PATTERNS: readonly RegExp[] = [
  /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----|$)/g,
  /AGE-SECRET-KEY-1[0-9A-Z]{20,}/g,
  /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}\b|sk_live_\w{16,})/g,
  /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/g,
  /(:\/\/[^\s/:@"'<>\\]{1,100}:)(?!\[redacted\]@)[^\s/:@"'<>\\${}[\]*]{3,200}(?=@[A-Za-z0-9[])/g,
  /(\bauthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:basic|bearer|token)\s+)[A-Za-z0-9+/_.=~-]{8,}/gi,
  /(\b[A-Z][A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_KEY)=["']?)(?!\[redacted\])[^\s"'$<>{}&;,/\\[\]*][^\s"'$<>{}&;,\\[\]*]{5,}/g,
];
/**
 * Without any of these none of the patterns can match, and looking for them is what most text costs: so it is parts that
 * begin with a character that is rare in logs and pages ("D=" of PASSWORD=), which are found many times as fast.
 */
const HINTS = ['Y-', 'glpat-', 'xox', 'KIA', 'D=', 'T=', 'N=', 'Y='];
/** The same for parts that hold a rare character, with how many characters before and behind it are to be looked at. */
const AROUND: readonly [char: string, before: number, behind: number, hint: RegExp][] = [
  ['_', 2, 4, /h[pousr]_|_pat|_li/],
  ['J', 2, 1, /eyJ/],
  ['z', 7, 6, /authorization/i],
  ['Z', 7, 6, /authorization/i],
];
const ADDRESS_HINT = /:\/\/[^\s/@]{1,200}@/;

function mayHoldSecret(text: string): boolean {
  for (const hint of HINTS) if (text.includes(hint)) return true;
  for (const [char, before, behind, hint] of AROUND)
    for (let at = text.indexOf(char); at !== -1; at = text.indexOf(char, at + 1))
      if (hint.test(text.slice(Math.max(0, at - before), at + behind))) return true;
  return text.includes('@') && ADDRESS_HINT.test(text);
}

const KEY_BEGINS = /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----/;
const KEY_ENDS = /-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----/;
/** Lines a private key may have at most; behind that, whatever began was none. */
const KEY_LINES = 200;

const guards = new Map<string, Guard>();
const GUARDS_KEPT = 32;

/** A guard for these secrets and all forms they can take, and for what is a secret by its form. */
export function createGuard(secrets: readonly string[]): Guard {
  const id = JSON.stringify(secrets);
  const kept = guards.get(id);
  if (kept) return kept;
  const guard = makeGuard(createRedactor(secrets), secrets);
  if (guards.size >= GUARDS_KEPT) guards.clear();
  guards.set(id, guard);
  return guard;
}

function makeGuard(redactor: Redactor, secrets: readonly string[]): Guard {
  const text = (input: string) => {
    const known = redactor.text(input);
    return mayHoldSecret(known) ? PATTERNS.reduce(replaced, known) : known;
  };
  const long = secrets.filter((secret) => secret.length >= 6).map((secret) => Buffer.from(secret));
  return {
    text,
    finds: (input) => text(input) !== input,
    lines() {
      let inKey = 0;
      const filter = (line: string) => {
        if (inKey > 0) {
          inKey = KEY_ENDS.test(line) ? 0 : inKey - 1;
          return timeOf(line) + REDACTED;
        }
        if (KEY_BEGINS.test(line) && !KEY_ENDS.test(line)) inKey = KEY_LINES;
        return text(line);
      };
      return Object.assign(filter, { isOpen: () => inKey > 0 });
    },
    knowsSecrets: long.length > 0,
    findsIn: (bytes) => long.some((secret) => bytes.includes(secret)),
  };
}

function replaced(text: string, pattern: RegExp): string {
  return text.replace(
    pattern,
    (_match, kept: unknown) => `${typeof kept === 'string' ? kept : ''}${REDACTED}`,
  );
}

function timeOf(line: string): string {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z /.exec(line)?.[0] ?? '';
}

/** A value with every string in it redacted. */
export function redactDeep<T>(value: T, guard: Guard): T {
  return mapStrings(value, guard.text) as T;
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), mapStrings(item, change)]),
  );
}

/**
 * The secrets of a run's app while they lie in its folder: from install to teardown. None where there is no such file,
 * or it may not be read by us: then the runner alone knows them.
 */
export function secretsOfRun(dir: string): string[] {
  const path = secretsFile(dir);
  // Asked first, for an error takes longer than the whole rest, and of tens of thousands of runs none has any.
  if (!existsSync(path)) return [];
  try {
    const values: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof values !== 'object' || values === null) return [];
    return Object.values(values).filter((it): it is string => typeof it === 'string');
  } catch {
    return [];
  }
}

/** The guard of a run's folder: for what all must hide, and for the secrets of the run's own app. */
export function createGuardOf(secrets: readonly string[]): (dir: string | undefined) => Guard {
  const general = createGuard(secrets);
  return (dir) => {
    const own = dir === undefined ? [] : secretsOfRun(dir);
    return own.length > 0 ? createGuard([...secrets, ...own]) : general;
  };
}
