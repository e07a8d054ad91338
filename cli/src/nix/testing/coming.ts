/**
 * What the units use of `cc-ci reconcile`, which is not there yet. Each is held to the real thing from the day it is,
 * whether it is still named here or not.
 */
export const COMING = {
  variables: [
    'CC_CI_ADVERTISE_ADDRESS',
    'CC_CI_CERTIFICATE_FILE',
    'CC_CI_CERTIFICATE_KEY_FILE',
    'CC_CI_DASHBOARD_DOMAIN',
    'CC_CI_DRONE_DOMAIN',
    'CC_CI_DRONE_LISTEN',
    'CC_CI_FORGE_BOT',
    'CC_CI_FORGE_PASSWORD_FILE',
    'CC_CI_HOST_DIR',
  ],
  commands: ['reconcile'],
} as const satisfies Record<string, readonly string[]>;
