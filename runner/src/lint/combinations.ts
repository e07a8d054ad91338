import { type Choice, choose, type EnvSample, type Option } from './env-sample.js';

/** How many combinations are tried where options are many. */
const MOST = 32;

/** A way to use `.env.sample`: which of its options are switched on, none being the default. */
export interface Selection extends Choice {
  options: Option[];
}

/** The combinations that are tried, the fewest options first, and how many there would be. */
export interface Selections {
  selections: Selection[];
  offered: number;
}

/**
 * Combinations of the sample's options: all of them where there are at most 32; else the default, each option, pairs of
 * options, and all options at once.
 */
export function selectionsOf(sample: EnvSample): Selections {
  const { options } = sample;
  const offered = 2 ** options.length;
  const sets = offered <= MOST ? subsets(options) : someSubsets(options);
  sets.sort((a, b) => a.length - b.length);
  return { offered, selections: sets.map((set) => select(sample, set)) };
}

/** These options switched on. @param off lines that add to `COMPOSE_FILE` by default and are switched off */
export function select(sample: EnvSample, options: Option[], off: readonly number[] = []): Selection {
  const on = options.map(({ line }) => line);
  return { options, ...choose(sample, on, off) };
}

function subsets<T>(items: readonly T[]): T[][] {
  const sets: T[][] = [[]];
  for (const item of items) sets.push(...sets.map((set) => [...set, item]));
  return sets;
}

function someSubsets<T>(items: readonly T[]): T[][] {
  const singles = items.map((item) => [item]);
  const pairs = items.flatMap((first, index) => items.slice(index + 1).map((second) => [first, second]));
  return [[], ...singles, ...pairs.slice(0, Math.max(0, MOST - 2 - singles.length)), [...items]];
}
