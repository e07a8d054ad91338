/** How sure the contract is of a row: read in real sources or seen on a host; in the plan; only remembered. */
export type Sureness = 'confirmed' | 'planned' | 'remembered';

/** A flag we give, in both of its forms; a form may be all there is. */
export interface Flag {
  short?: string;
  long: string;
  /** Whether it takes a value, which is given as `--flag=value`. */
  hasValue?: true;
}

/** One thing that is asked of abra, and all that is relied on there. */
export interface Operation {
  /** The words of the command. */
  words: readonly string[];
  flags: readonly Flag[];
  /** Milliseconds until it is given up. */
  timeoutMs: number;
  /** What is read of what it prints. */
  answer: 'nothing' | 'text' | 'json';
  /**
   * What it says when it fails because there was nothing to do. abra's texts are translated, so where they are not
   * understood Docker is asked whether that is so.
   */
  nothingToDo?: RegExp;
  /** Whether it may insist on a terminal. */
  wantsTerminal?: true;
  /** The section of the abra contract it comes from. */
  section: string;
  sure: Sureness;
}

const NO_INPUT: Flag = { short: '-n', long: '--no-input' };
const CHAOS: Flag = { short: '-C', long: '--chaos' };
const OFFLINE: Flag = { short: '-o', long: '--offline' };
const MACHINE: Flag = { short: '-m', long: '--machine' };
const SNAPSHOT: Flag = { short: '-s', long: '--snapshot', hasValue: true };
/** The tree stays as we checked it out, and nothing is fetched. */
const AS_IT_IS = [NO_INPUT, CHAOS, OFFLINE];

const QUICK_MS = 60_000;
/** One round trip to Docker per secret. */
const SECRETS_MS = 120_000;
/** `docker stack deploy` resolves every image at its registry before it returns. */
const DEPLOY_MS = 600_000;
const UNDEPLOY_MS = 180_000;
/** A backup or restore copies whole volumes. */
const BACKUP_MS = 900_000;

/**
 * Everything the runner asks of abra. What is not in this table is not relied on; `cc-ci doctor --abra` holds the abra
 * on PATH against it. Never `--chaos` on `undeploy`: abra has no such flag there.
 */
export const OPERATIONS = {
  version: {
    words: [],
    flags: [{ short: '-v', long: '--version' }],
    timeoutMs: QUICK_MS,
    answer: 'text',
    section: '0.3',
    sure: 'confirmed',
  },
  addLocalServer: {
    words: ['server', 'add'],
    flags: [{ short: '-l', long: '--local' }],
    timeoutMs: QUICK_MS,
    answer: 'nothing',
    section: '3.6',
    sure: 'confirmed',
  },
  newApp: {
    words: ['app', 'new'],
    flags: [
      ...AS_IT_IS,
      { short: '-D', long: '--domain', hasValue: true },
      { short: '-s', long: '--server', hasValue: true },
    ],
    timeoutMs: QUICK_MS,
    answer: 'nothing',
    section: '3.1',
    sure: 'confirmed',
  },
  generateSecrets: {
    words: ['app', 'secret', 'generate'],
    flags: [{ short: '-a', long: '--all' }, NO_INPUT, MACHINE, CHAOS, OFFLINE],
    timeoutMs: SECRETS_MS,
    answer: 'json',
    nothingToDo: /no secrets generated/i,
    section: '3.3',
    sure: 'remembered',
  },
  insertSecret: {
    words: ['app', 'secret', 'insert'],
    flags: [{ short: '-f', long: '--file' }, ...AS_IT_IS],
    timeoutMs: SECRETS_MS,
    answer: 'nothing',
    section: '3.3',
    sure: 'remembered',
  },
  deploy: {
    words: ['app', 'deploy'],
    flags: [
      ...AS_IT_IS,
      { short: '-D', long: '--no-domain-checks' },
      { short: '-c', long: '--no-converge-checks' },
    ],
    timeoutMs: DEPLOY_MS,
    answer: 'nothing',
    section: '3.1',
    sure: 'confirmed',
  },
  undeploy: {
    words: ['app', 'undeploy'],
    flags: [NO_INPUT],
    timeoutMs: UNDEPLOY_MS,
    answer: 'nothing',
    nothingToDo: /not deployed/i,
    section: '3.1',
    sure: 'confirmed',
  },
  createBackup: {
    words: ['app', 'backup', 'create'],
    flags: AS_IT_IS,
    timeoutMs: BACKUP_MS,
    answer: 'text',
    wantsTerminal: true,
    section: '3.5, 6.3',
    sure: 'remembered',
  },
  listSnapshots: {
    words: ['app', 'backup', 'snapshots'],
    flags: [NO_INPUT],
    timeoutMs: BACKUP_MS,
    answer: 'text',
    wantsTerminal: true,
    section: '3.5',
    sure: 'remembered',
  },
  downloadBackup: {
    words: ['app', 'backup', 'download'],
    flags: [NO_INPUT, SNAPSHOT],
    timeoutMs: BACKUP_MS,
    answer: 'nothing',
    section: '3.5',
    sure: 'remembered',
  },
  restoreBackup: {
    words: ['app', 'restore'],
    flags: [...AS_IT_IS, SNAPSHOT],
    timeoutMs: BACKUP_MS,
    answer: 'text',
    wantsTerminal: true,
    section: '3.5, 6.3',
    sure: 'remembered',
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;

/**
 * The arguments of one call: the command's words, what it is about, every flag of its row.
 * @param values of the flags that take one, by their long names without the dashes
 * @throws RangeError when a value is missing, or is there for no flag
 */
export function argvOf(
  name: OperationName,
  about: readonly string[] = [],
  values: Readonly<Record<string, string>> = {},
): string[] {
  const { words, flags }: Operation = OPERATIONS[name];
  const unused = new Set(Object.keys(values));
  const given = flags.map(({ short, long, hasValue }) => {
    if (!hasValue) return short ?? long;
    const key = long.replace(/^--/, '');
    const value = values[key];
    if (value === undefined) throw new RangeError(`abra ${words.join(' ')} needs a value for ${long}`);
    unused.delete(key);
    return `${long}=${value}`;
  });
  if (unused.size > 0) throw new RangeError(`abra ${words.join(' ')} is not given ${[...unused].join(', ')}`);
  return [...words, ...about, ...given];
}
