import { randomBytes } from 'node:crypto';

/** What a host is for: a whole server, or a machine that only runs builds for one. */
export const HOST_KINDS = ['server', 'runner'] as const;
export type HostKind = (typeof HOST_KINDS)[number];

/**
 * Where a secret of one kind of host comes from:
 * - generated: made here, from random bytes
 * - operator: made by a person at the forge; never invented
 * - server: shared with the server, and so copied from its file
 */
export type SecretSource = 'generated' | 'operator' | 'server';

/** A secret of a host, as the modules name it (modules/units/secrets.nix). */
export interface SecretDefinition {
  name: string;
  /** What it is, for people. */
  what: string;
  /** The kinds of hosts that need it, and where it comes from there. */
  from: Partial<Record<HostKind, SecretSource>>;
  /** What a value must look like. */
  form: RegExp;
  /** The same in words. */
  formWords: string;
  /** How a person comes by it; only where one has to. */
  how?: string;
  /** What else must follow when it is replaced, each a sentence of what to do. */
  followers: readonly string[];
}

/** One line that systemd's EnvironmentFile, HTTP headers and forms take as it is. */
const TOKEN = /^[A-Za-z0-9._~+/=-]{20,}$/;
const SWITCH = 'commit the file, and run nixos-rebuild switch on the host';

/** Every secret of an operator's file. A test holds the names to those of the modules. */
export const SECRETS: readonly SecretDefinition[] = [
  {
    name: 'forge-token',
    what: "the bot's access token at the forge",
    from: { server: 'operator' },
    form: TOKEN,
    formWords: 'at least 20 letters, digits and . _ ~ + / = -',
    how: 'as the bot, at the forge: Settings, Applications, Generate New Token (docs/install.md names the scopes)',
    followers: [
      `${SWITCH}: it restarts the bridge`,
      'then delete the old token at the forge, as the bot: Settings, Applications',
    ],
  },
  {
    name: 'forge-password',
    what: "the bot's password, with which the reconcilers sign in to Drone",
    from: { server: 'operator' },
    form: /^[^\r\n]{8,}$/,
    formWords: 'one line of at least 8 characters',
    how: 'as the bot, at the forge: Settings, Account, Change Password',
    followers: [
      'the forge must know it already: a new password is set there first',
      `${SWITCH}: the reconcilers read it there`,
    ],
  },
  {
    name: 'hook-secret',
    what: 'signs webhook deliveries',
    from: { server: 'generated' },
    form: TOKEN,
    formWords: 'at least 20 letters, digits and . _ ~ + / = -',
    followers: [
      `${SWITCH}: it restarts the bridge`,
      'give the webhook at the forge the new secret (docs/secrets.md); until then deliveries are refused and polling finds the comments',
    ],
  },
  {
    name: 'drone-rpc-secret',
    what: "shared by Drone's server and its runners",
    from: { server: 'generated', runner: 'server' },
    form: TOKEN,
    formWords: 'at least 20 letters, digits and . _ ~ + / = -',
    followers: [
      `${SWITCH}: it restarts Drone's server and runner`,
      'give it to every other host of runners (docs/secrets.md); until then that one gets no builds',
    ],
  },
  {
    name: 'report-token',
    what: "shared by the dashboard and hosts of runners, which hand their runs' reports on with it",
    from: { server: 'generated', runner: 'server' },
    form: TOKEN,
    formWords: 'at least 20 letters, digits and . _ ~ + / = -',
    followers: [
      `${SWITCH}: it restarts the dashboard`,
      'give it to every other host of runners (docs/secrets.md); until then its reports wait there',
    ],
  },
];

/** The secrets that a host of this kind needs. */
export function secretsOf(kind: HostKind): SecretDefinition[] {
  return SECRETS.filter(({ from }) => from[kind] !== undefined);
}

/** Bits of a generated secret: 256. */
const RANDOM_BYTES = 32;

/** A new value for a secret that we make ourselves: 64 hexadecimal digits. */
export function generateSecret(): string {
  return randomBytes(RANDOM_BYTES).toString('hex');
}

/** What people write where a value is to come. */
const PLACEHOLDER =
  /^(?:<.*>|\[.*\]|\$\{.*\}|(?:change|replace|fill|insert|put|your|todo|tbd|fixme|placeholder|example|dummy|sample|xxx)(?:[-_ .].*|me|this|it)?|x+|\.+)$/i;

/** Whether this only stands where a value is to come. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value) || new Set(value).size < 4;
}

/**
 * Why a value cannot be this secret, without quoting it; undefined when it can.
 */
export function valueProblem({ form, formWords }: SecretDefinition, value: string): string | undefined {
  if (value === '') return 'is empty';
  if (isPlaceholder(value)) return 'is a placeholder';
  if (value !== value.trim()) return 'begins or ends with white space';
  return form.test(value) ? undefined : `is not of its form: ${formWords}`;
}
