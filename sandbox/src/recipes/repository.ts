import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@cc-ci/core';
import { type RecipeStep, readHistory } from './history.js';

/** A recipe's git repository, as it was made. */
export interface RecipeRepository {
  recipe: string;
  /** The bare repository. */
  dir: string;
  /** Commit id of each branch's head; `main` is the default branch. */
  branches: Record<string, string>;
  /** Commit id of each published version, the oldest first. All tags are annotated. */
  versions: Record<string, string>;
  /** What each branch's last commit says; serves as the title and text of its pull request. */
  messages: Record<string, string>;
}

const PERSON = { name: 'Recipe Maintainer', email: 'maintainer@example.org' };
const GIT_TIMEOUT_MS = 30_000;

/**
 * Makes a bare git repository of a sample recipe: branch `main` with its published versions as annotated tags, and one
 * branch for each proposed change. The same files give the same commit ids everywhere.
 * @param dir where the repository is made; must not exist or be empty
 * @throws InputError when there is no such recipe
 */
export async function createRecipeRepository(recipe: string, dir: string): Promise<RecipeRepository> {
  const { root, steps } = await readHistory(recipe);
  const made: RecipeRepository = { recipe, dir, branches: {}, versions: {}, messages: {} };
  const work = await mkdtemp(join(tmpdir(), 'cc-ci-recipe-'));
  try {
    await git(['init', '--quiet', '--bare', '--template=', '--initial-branch=main', dir]);
    for (const step of steps) await addStep(made, work, root, step);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return made;
}

async function addStep(made: RecipeRepository, work: string, root: string, step: RecipeStep): Promise<void> {
  const parent = made.branches[step.branch] ?? made.branches.main;
  const folder = join(root, step.folder);
  const tree = join(work, 'tree');
  await mkdir(tree, { recursive: true });
  const options = { date: step.date, gitDir: made.dir, workTree: tree, index: join(work, 'index') };
  if (parent !== undefined) await git(['read-tree', '-u', '--reset', parent], options);
  await cp(folder, tree, { recursive: true });
  await git(['add', '--all'], options);
  const id = await git(['write-tree'], options);
  const onto = parent === undefined ? [] : ['-p', parent];
  const commit = await git(['commit-tree', ...onto, '-m', step.message, id], options);
  await git(['update-ref', `refs/heads/${step.branch}`, commit], options);
  made.branches[step.branch] = commit;
  made.messages[step.branch] = step.message;
  if (step.tag === undefined) return;
  const note = await readFile(join(folder, 'release', step.tag), 'utf8').catch(() => 'First release');
  await git(['tag', '--annotate', '--message', note.trim(), step.tag, commit], options);
  made.versions[step.tag] = commit;
}

interface GitOptions {
  date?: string;
  gitDir?: string;
  workTree?: string;
  index?: string;
}

/** Runs git as a person of its own, untouched by this machine's settings, and answers what it printed. */
async function git(args: string[], options: GitOptions = {}): Promise<string> {
  const date = options.date ?? '1970-01-01T00:00:00Z';
  const { stdout } = await run('git', args, {
    timeoutMs: GIT_TIMEOUT_MS,
    env: {
      PATH: process.env.PATH,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: PERSON.name,
      GIT_AUTHOR_EMAIL: PERSON.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: PERSON.name,
      GIT_COMMITTER_EMAIL: PERSON.email,
      GIT_COMMITTER_DATE: date,
      ...(options.gitDir === undefined ? {} : { GIT_DIR: options.gitDir }),
      ...(options.workTree === undefined ? {} : { GIT_WORK_TREE: options.workTree }),
      ...(options.index === undefined ? {} : { GIT_INDEX_FILE: options.index }),
    },
  });
  return stdout.trim();
}
