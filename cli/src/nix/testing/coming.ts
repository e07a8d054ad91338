/**
 * What the units use of parts of `cc-ci reconcile` that are not there yet. Each is held to the real thing from the day it is,
 * whether it is still named here or not.
 */
export const COMING = {
  variables: ['CC_CI_DASHBOARD_DOMAIN', 'CC_CI_DRONE_DOMAIN', 'CC_CI_DRONE_LISTEN'],
  commands: [],
} as const satisfies Record<string, readonly string[]>;
