import { InputError } from '@cc-ci/core';
import type { Part } from './part.js';

/** Stands for every part on the command line. */
export const ALL = 'all';

/**
 * The named parts and all that they need, each after what it needs, otherwise in the order given.
 * @throws InputError for a part that does not exist
 * @throws Error for parts that need each other, which is a mistake of ours
 */
export function inOrder(parts: readonly Part[], names: readonly string[]): Part[] {
  const ordered = new Set<Part>();
  const add = (name: string, path: readonly string[]) => {
    const part = parts.find((one) => one.name === name);
    if (!part) {
      throw new InputError(`there is no part ${name}`, {
        hint: `the parts are ${parts.map((one) => one.name).join(', ')}, and ${ALL} of them`,
      });
    }
    if (path.includes(name)) throw new Error(`parts need each other: ${[...path, name].join(', ')}`);
    if (ordered.has(part)) return;
    for (const need of part.needs) add(need, [...path, name]);
    ordered.add(part);
  };
  const wanted = names.includes(ALL)
    ? [...names.filter((name) => name !== ALL), ...parts.map((part) => part.name)]
    : names;
  for (const name of wanted) add(name, []);
  return [...ordered];
}
