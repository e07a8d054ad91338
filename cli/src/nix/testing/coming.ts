/**
 * What the units use of parts of `cc-ci reconcile` that are not there yet. Each is held to the real thing from the day it is,
 * whether it is still named here or not.
 */
export const COMING = {
  variables: [],
  commands: [],
} as const satisfies Record<string, readonly string[]>;
