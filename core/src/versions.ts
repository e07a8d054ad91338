/** A version of a recipe, `<recipe semver>+<app version>`: `2.0.1+1.0.6-social-amd64`. */
export interface Version {
  text: string;
  /** Major, minor, patch of the recipe. */
  recipe: readonly [number, number, number];
  /** What follows the recipe's numbers before the plus, as `rc1` in `1.0.0-rc1+2.0`; empty for a release. */
  prerelease: string;
  /** The app's own version; empty where the tag has none. */
  app: string;
}

const VERSION = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+(.+))?$/;

/** Reads a tag's name, or undefined where it is no version. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (!match) return undefined;
  const [, major, minor, patch, prerelease = '', app = ''] = match;
  return { text, recipe: [Number(major), Number(minor), Number(patch)], prerelease, app };
}

/**
 * Orders versions, older first: by the recipe's numbers, a prerelease before its release, then by the app's version
 * (numbers in it as numbers: `1.9` is older than `1.27.2`).
 */
export function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    const difference = a.recipe[index] - b.recipe[index];
    if (difference !== 0) return difference;
  }
  if (a.prerelease !== b.prerelease) {
    if (a.prerelease === '') return 1;
    if (b.prerelease === '') return -1;
    return natural(a.prerelease, b.prerelease);
  }
  return natural(a.app, b.app);
}

/** The names among these that are versions, the oldest first. */
export function sortVersions(names: Iterable<string>): string[] {
  const versions = [...names].map(parseVersion).filter((version) => version !== undefined);
  return versions.sort(compareVersions).map(({ text }) => text);
}

/** Versions newer than `current`, the oldest first; all of them when `current` is no version. */
export function newerThan(names: Iterable<string>, current: string): string[] {
  return comparedTo(names, current, (order) => order > 0);
}

/** Versions older than `current`, the oldest first; all of them when `current` is no version. */
export function olderThan(names: Iterable<string>, current: string): string[] {
  return comparedTo(names, current, (order) => order < 0);
}

function comparedTo(names: Iterable<string>, current: string, wanted: (order: number) => boolean): string[] {
  const reference = parseVersion(current);
  return sortVersions(names).filter((name) => {
    const version = parseVersion(name);
    return !reference || (version !== undefined && wanted(compareVersions(version, reference)));
  });
}

function natural(a: string, b: string): number {
  const left = chunks(a);
  const right = chunks(b);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareChunk(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

const chunks = (text: string) => text.match(/\d+|\D+/g) ?? [];

function compareChunk(a: string, b: string): number {
  const numbers = [a, b].every((chunk) => /^\d+$/.test(chunk));
  if (numbers) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
