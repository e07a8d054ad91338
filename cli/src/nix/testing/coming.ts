/**
 * What the units use of cc-ci and other work brings: members of the settings file, variables, commands. Each is held to
 * the real thing from the day it is there, whether it is still named here or not.
 */
export const COMING = {
  members: [
    'engine.kind',
    'drone.url',
    'drone.repository',
    'drone.branch',
    'bridge.enrolled',
    'bridge.allowUsers',
    'bridge.ignoreUsers',
    'bridge.mention',
  ],
  variables: [
    'CC_CI_HOOK_SECRET_FILE',
    'CC_CI_DRONE_TOKEN_FILE',
    'CC_CI_FORGE_BOT',
    'CC_CI_FORGE_PASSWORD_FILE',
    'CC_CI_HOST_DIR',
    'CC_CI_CERTIFICATE_FILE',
    'CC_CI_CERTIFICATE_KEY_FILE',
    'CC_CI_DASHBOARD_DOMAIN',
    'CC_CI_DRONE_DOMAIN',
    'CC_CI_DRONE_LISTEN',
    'CC_CI_ADVERTISE_ADDRESS',
  ],
  commands: ['reconcile', 'doctor'],
} as const satisfies Record<string, readonly string[]>;
