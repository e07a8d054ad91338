import type { Run } from './parser.js';

/** A tag of the recipe's repository. */
export interface Tag {
  name: string;
  annotated: boolean;
  commit: string;
}

/** What git knows of a recipe. */
export interface History {
  head: string;
  tags: Tag[];
  /** Tags whose compose files differ from those of the commit, among those that were asked about. */
  changedSince: Set<string>;
}

const TIMEOUT_MS = 20_000;

/**
 * Reads the tags of the clone in `dir`.
 * @param label the version the commit says it is; if there is such a tag, its compose files are compared
 */
export async function readHistory(
  dir: string,
  label: string | undefined,
  { run, signal }: { run: Run; signal: AbortSignal },
): Promise<History> {
  const git = async (...args: string[]) => {
    const { stdout } = await run('git', ['-C', dir, ...args], {
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
      timeoutMs: TIMEOUT_MS,
      signal,
      onLine: () => {},
    });
    return stdout.trim();
  };
  const [head, list] = await Promise.all([
    git('rev-parse', 'HEAD'),
    git(
      'for-each-ref',
      '--format=%(objecttype) %(objectname) %(*objectname) %(refname:strip=2)',
      'refs/tags',
    ),
  ]);
  const tags = list
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [type = '', object = '', peeled = '', ...name] = line.split(' ');
      return { name: name.join(' '), annotated: type === 'tag', commit: peeled || object };
    });
  const published = tags.find(({ name, commit }) => name === label && commit !== head);
  const changed =
    published && (await git('diff-tree', '--name-only', published.commit, head, '--', 'compose*'));
  return { head, tags, changedSince: new Set(changed ? [published.name] : []) };
}
