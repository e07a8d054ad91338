import { AROUND, MORE_SPACES, NASTY, NO_SPACES, SPACES, WORDS } from './fuzz-words.js';

/** Text and payloads that mean no good, the same for the same seed. */

/** A source of chance. */
export interface Chance {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  /** Whether something that happens once in `times` happens. */
  oneIn(times: number): boolean;
  /** @throws Error when there is nothing to choose from */
  one<T>(choices: readonly T[]): T;
  /** Up to `most` of what `make` makes. */
  some<T>(most: number, make: () => T): T[];
}

/** Chance by the generator mulberry32 (public domain). */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    oneIn: (times) => below(times) === 0,
    one(choices) {
      if (choices.length === 0) throw new Error('there is nothing to choose from');
      return choices[below(choices.length)] as (typeof choices)[number];
    },
    some: (most, make) => Array.from({ length: below(most + 1) }, make),
  };
}

/**
 * Runs a check with many chances.
 * @throws Error that names the seed of the chance the check failed with
 */
export function fuzz(seed: number, times: number, check: (chance: Chance) => void): void {
  for (let current = seed; current < seed + times; current++) {
    try {
      check(chanceFrom(current));
    } catch (error) {
      throw new Error(`with seed ${current}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/**
 * The same for a check that takes its time; one chance after another.
 * @throws Error that names the seed of the chance the check failed with
 */
export async function fuzzInTurn(
  seed: number,
  times: number,
  check: (chance: Chance) => Promise<void>,
): Promise<void> {
  for (let current = seed; current < seed + times; current++) {
    try {
      await check(chanceFrom(current));
    } catch (error) {
      throw new Error(`with seed ${current}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** The body of a comment: a command, or what nearly is one. */
export function commentBody(chance: Chance): string {
  const space = () => chance.one(chance.oneIn(2) ? SPACES : MORE_SPACES);
  const inside = () => (chance.oneIn(3) ? chance.one(WORDS) : chance.one(AROUND));
  const parts = [...chance.some(3, space), chance.one(WORDS), ...chance.some(3, space)];
  if (chance.oneIn(2)) return parts.join('');
  for (const part of chance.some(3, () => (chance.oneIn(4) ? chance.one(NO_SPACES) : inside()))) {
    parts.splice(chance.below(parts.length + 1), 0, part);
  }
  const body = parts.join('');
  if (!chance.oneIn(4)) return body;
  const at = chance.below(body.length + 1);
  return body.slice(0, at) + (chance.oneIn(2) ? codePoint(chance) : '') + body.slice(at + chance.below(2));
}

/** Text as a test, a commit message or a program's output can have it. */
export function nastyText(chance: Chance): string {
  const text = chance
    .some(8, () => (chance.oneIn(6) ? codePoint(chance) : chance.one(NASTY)))
    .join(chance.oneIn(3) ? ' ' : '');
  return chance.oneIn(40) ? text.repeat(1 + chance.below(400)) : text;
}

/** Any code point, half a surrogate pair too. */
function codePoint(chance: Chance): string {
  return String.fromCodePoint(chance.below(chance.one([0x80, 0x3000, 0x10000, 0x110000])));
}

/** What a field of a JSON text may hold although nobody expects it. */
function oddValue(chance: Chance): unknown {
  return chance.one<() => unknown>([
    () => null,
    () => chance.oneIn(2),
    () => chance.one([0, -1, 0.5, 1e308, 2 ** 53, -(2 ** 31)]),
    () => '',
    () => nastyText(chance),
    () => commentBody(chance),
    () => 'x'.repeat(100_000),
    () =>
      chance.one([
        '2026-13-45T99:00:00Z',
        '0001-01-01T00:00:00Z',
        '../../etc',
        'created',
        'org/x/y',
        '-1',
        '1e9',
      ]),
    () => [],
    () => ({}),
    () => [[[[[[[[]]]]]]]],
    () => JSON.parse('{"__proto__": {"body": "!testme"}, "constructor": 1}'),
  ])();
}

/** A copy of a JSON value in which a few fields are missing, odd, or belong elsewhere; sometimes it is as it was. */
export function brokenJson(chance: Chance, value: unknown): unknown {
  let broken = structuredClone(value);
  for (const _ of chance.some(3, () => 0)) broken = breakOnce(chance, broken);
  return broken;
}

function breakOnce(chance: Chance, value: unknown): unknown {
  const isContainer = typeof value === 'object' && value !== null;
  const keys = isContainer ? Object.keys(value) : [];
  const key = keys[chance.below(keys.length)];
  if (!isContainer || key === undefined || chance.oneIn(12)) return oddValue(chance);
  const fields = value as Record<string, unknown>;
  if (typeof fields[key] === 'object' && fields[key] !== null && !chance.oneIn(3)) {
    fields[key] = breakOnce(chance, fields[key]);
    return fields;
  }
  if (chance.oneIn(3)) delete fields[key];
  else fields[key] = chance.oneIn(3) ? fields[keys[chance.below(keys.length)] ?? key] : oddValue(chance);
  return fields;
}

/** A JSON value as bytes on the wire: mostly whole, else cut short, changed in a few places, or something else. */
export function brokenBytes(chance: Chance, value: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(value) ?? '');
  if (!chance.oneIn(4) || bytes.length === 0) return bytes;
  if (chance.oneIn(3)) return bytes.subarray(0, chance.below(bytes.length));
  if (chance.oneIn(6))
    return Buffer.from(chance.one(['', '\ufeff{}', 'null', '[]', '"', 'payload=%7B%7D', '{}{}']));
  for (const _ of chance.some(8, () => 0)) bytes[chance.below(bytes.length)] = chance.below(256);
  return bytes;
}
