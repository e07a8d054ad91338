import type { Pattern } from './redact-forms.js';

/** What a search came to: a place in the text, or from where on more text is needed to tell. */
export type SearchResult = { start: number; end: number } | { undecided: number } | undefined;

/**
 * Finds the first place at or after `from` where a pattern stands, the longest one there.
 * @param complete no more text follows; otherwise a pattern that could go on behind the end is left undecided
 */
export type Search = (text: string, from: number, complete: boolean) => SearchResult;

/** Characters that are looked at together. */
const BLOCK = 3;
/** Longer windows make longer steps, but put more blocks in the table. */
const LONGEST_WINDOW = 16;
const TABLE_SIZE = 1 << 18;

/**
 * A search for many patterns at once, by Wu and Manber: a window as long as the shortest pattern moves over the text,
 * and the block of characters at its end says how far it may move without passing over a pattern. Only where it may
 * not move at all, the patterns with that block there are compared.
 */
export function createSearch(patterns: readonly Pattern[]): Search {
  const window = Math.min(LONGEST_WINDOW, ...patterns.map(shortestForm));
  const moves = new Uint8Array(TABLE_SIZE).fill(window - BLOCK + 1);
  const byBlock = new Map<number, Set<Pattern>>();
  const byFirst = new Map<string, Set<Pattern>>();
  for (const pattern of patterns) {
    forEachBlock(pattern, window, (block, end) => {
      const slot = slotOf(block.charCodeAt(0), block.charCodeAt(1), block.charCodeAt(2));
      moves[slot] = Math.min(moves[slot] ?? 0, window - end);
      if (end === window) addTo(byBlock, slot, pattern);
    });
    for (const spelling of pattern[0] ?? []) addTo(byFirst, spelling.charAt(0), pattern);
  }

  return (text, from, complete) => {
    let at = from + window - 1;
    while (at < text.length) {
      const slot = slotOf(text.charCodeAt(at - 2), text.charCodeAt(at - 1), text.charCodeAt(at));
      const move = moves[slot] ?? 0;
      if (move > 0) {
        at += move;
        continue;
      }
      const result = longestAt(text, at - window + 1, byBlock.get(slot), complete);
      if (result) return result;
      at++;
    }
    if (complete) return undefined;
    // No whole window is left: what begins here can only be the beginning of a pattern.
    for (let start = at - window + 1; start < text.length; start++) {
      const result = longestAt(text, start, byFirst.get(text.charAt(start)), complete);
      if (result) return result;
    }
    return undefined;
  };
}

function slotOf(first: number, second: number, third: number): number {
  return ((first << 10) ^ (second << 5) ^ third) & (TABLE_SIZE - 1);
}

function addTo<K>(sets: Map<K, Set<Pattern>>, key: K, pattern: Pattern): void {
  const set = sets.get(key);
  if (set) set.add(pattern);
  else sets.set(key, new Set([pattern]));
}

function shortestForm(pattern: Pattern): number {
  return pattern.reduce((sum, part) => sum + Math.min(...part.map((spelling) => spelling.length)), 0);
}

/**
 * Names every block that can stand in the first `window` characters of a pattern, and how many characters have gone by
 * at its end. Not form by form, of which there are too many: forms of the same length that end alike go on alike.
 */
function forEachBlock(pattern: Pattern, window: number, use: (block: string, end: number) => void): void {
  /** By length, the last characters of all forms so far, as many as a block that ends later can contain. */
  let forms = new Map([[0, new Set([''])]]);
  for (const part of pattern) {
    // A long part is taken in steps, so that forms that differ before it become alike within it.
    for (const step of part.length === 1 ? [...(part[0] ?? '')].map((char) => [char]) : [part]) {
      forms = longerForms(forms, step, window, use);
      if (forms.size === 0) return;
    }
  }
}

function longerForms(
  forms: ReadonlyMap<number, ReadonlySet<string>>,
  spellings: readonly string[],
  window: number,
  use: (block: string, end: number) => void,
): Map<number, Set<string>> {
  const longer = new Map<number, Set<string>>();
  for (const [length, tails] of forms) {
    for (const tail of tails) {
      for (const spelling of spellings) {
        const text = tail + spelling.slice(0, window - length);
        for (let at = BLOCK; at <= text.length; at++)
          use(text.slice(at - BLOCK, at), length - tail.length + at);
        const end = length + spelling.length;
        if (end < window) longer.set(end, (longer.get(end) ?? new Set()).add(text.slice(1 - BLOCK)));
      }
    }
  }
  return longer;
}

/** No pattern is there. */
const NONE = -1;
/** The text ends before one can tell. */
const UNDECIDED = -2;

function longestAt(
  text: string,
  start: number,
  patterns: Iterable<Pattern> | undefined,
  complete: boolean,
): SearchResult {
  let longest = NONE;
  for (const pattern of patterns ?? []) {
    const end = endOfPattern(text, start, pattern, complete);
    if (end === UNDECIDED) return { undecided: start };
    if (end > longest) longest = end;
  }
  return longest === NONE ? undefined : { start, end: longest };
}

/** Where the longest form of a pattern that begins at `start` ends, or NONE, or UNDECIDED. */
function endOfPattern(text: string, start: number, pattern: Pattern, complete: boolean): number {
  let ends: readonly number[] | undefined;
  for (const part of pattern) {
    const further: number[] = [];
    for (const at of ends ?? [start]) {
      for (const spelling of part) {
        const end = endOfSpelling(text, at, spelling, complete);
        if (end === UNDECIDED) return UNDECIDED;
        if (end !== NONE && !further.includes(end)) further.push(end);
      }
    }
    if (further.length === 0) return NONE;
    ends = further;
  }
  return Math.max(...(ends ?? [NONE]));
}

function endOfSpelling(text: string, at: number, spelling: string, complete: boolean): number {
  const end = at + spelling.length;
  if (end <= text.length) return text.startsWith(spelling, at) ? end : NONE;
  return !complete && spelling.startsWith(text.slice(at)) ? UNDECIDED : NONE;
}
