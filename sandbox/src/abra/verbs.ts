import type { Abra } from './context.js';

/** Every flag of every command: how it is written, what it means. */
export const FLAGS = {
  noInput: ['-n, --no-input', 'ask nothing, take every question as answered yes'],
  offline: ['-o, --offline', 'do not fetch recipes'],
  debug: ['-d, --debug', 'say more'],
  all: ['-a, --all', 'all of them'],
  allServices: ['-a, --all-services', 'every service of the app'],
  chaos: ['-C, --chaos', "use the recipe's files as they are, do not touch the checkout"],
  domain: ['-D, --domain <domain>', 'domain of the new app'],
  error: ['-e, --error', 'show only rules of level error'],
  file: ['-f, --file', 'the data argument is the path of a file'],
  force: ['-f, --force', 'do it all the same'],
  latest: ['-l, --latest', 'deploy the latest version, whatever the env file pins'],
  local: ['-l, --local', 'on this machine'],
  machine: ['-m, --machine', 'print JSON'],
  noConvergeChecks: ['-c, --no-converge-checks', 'do not wait until the app is up'],
  noDomainChecks: ['-D, --no-domain-checks', 'accepted; domains are never checked here'],
  noTty: ['-t, --no-tty', 'without a terminal'],
  pass: ['-p, --pass', 'not supported here'],
  path: ['-p, --path <path>', 'only this path'],
  pattern: ['-p, --pattern <text>', 'only recipes whose name contains this'],
  prune: ['-p, --prune', 'not supported here'],
  recipe: ['-r, --recipe <recipe>', 'only apps of this recipe'],
  releasenotes: ['-r, --releasenotes', 'only show release notes'],
  retries: ['-r, --retries <count>', 'how often to try'],
  secrets: ['-S, --secrets', "generate the app's secrets too"],
  server: ['-s, --server <server>', 'server of the app'],
  showUnchanged: ['-U, --show-unchanged', 'accepted; there is no overview here'],
  since: ['-S, --since <time>', 'only lines since this time'],
  snapshot: ['-s, --snapshot <id>', 'this snapshot instead of the newest'],
  ssh: ['-s, --ssh', 'not supported here'],
  status: ['-S, --status', 'ask the server what is deployed'],
  stdErr: ['-s, --stdErr', 'only stderr'],
  target: ['-t, --target <path>', 'not supported here'],
  timestamps: ['-t, --timestamps', 'with times'],
  trim: ['-t, --trim', 'without white space around the data'],
  user: ['-u, --user <user>', 'run as this user'],
  onlySecrets: ['--secrets', 'not supported here'],
  volumes: ['--volumes', 'the volumes'],
} as const satisfies Record<string, readonly [string, string]>;

export type FlagName = keyof typeof FLAGS;

/** What one call of a verb was given. */
export interface Call {
  abra: Abra;
  args: readonly string[];
  /** Whether a flag was given. */
  has(flag: FlagName): boolean;
  /** The value a flag was given. */
  text(flag: FlagName): string | undefined;
}

/** One command with its arguments (`<needed>`, `[optional]`) and the flags it takes; any other is refused. */
export interface Verb {
  name: string;
  alias?: string;
  about: string;
  args?: string;
  flags?: readonly FlagName[];
  /** Runs where no verb of its group is named. */
  isDefault?: boolean;
  run(call: Call): Promise<void>;
}

/** Commands under one word. */
export interface Group {
  name: string;
  alias?: string;
  about: string;
  verbs: readonly (Verb | Group)[];
}

/** The argument at `index`, which the verb's own form makes sure is there. */
export function arg(call: Call, index: number): string {
  const value = call.args[index];
  if (value === undefined) throw new RangeError(`argument ${index} is not in the form of this command`);
  return value;
}
