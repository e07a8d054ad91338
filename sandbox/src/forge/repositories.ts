import type { Forge } from './forge.js';
import { recordActivity, repositoryPath } from './forge.js';
import {
  forkRepository,
  initRepository,
  pushedCommits,
  readRefs,
  removeRepository,
  setDefaultBranch,
} from './git/commands.js';
import type { Activity, Owner, Repository, User } from './model.js';
import { closePullsOf, followBranch } from './pulls.js';

/** What a new repository is like. */
export interface NewRepository {
  name: string;
  description: string;
  private: boolean;
  defaultBranch: string;
}

const HEADS = 'refs/heads/';
const TAGS = 'refs/tags/';

/** Makes an empty repository. Its name must be free and of the form of `repositoryName`. */
export async function createRepository(
  forge: Forge,
  actor: User,
  owner: Owner,
  wanted: NewRepository,
): Promise<Repository> {
  const repository = register(forge, owner, wanted, undefined);
  await orForget(forge, repository, (path) => initRepository(path, wanted.defaultBranch));
  recordActivity(forge, { kind: 'create_repo', actorId: actor.id, repoId: repository.id });
  return repository;
}

/** Copies a repository, its branches and tags, to another owner. The name must be free there. */
export async function createFork(
  forge: Forge,
  actor: User,
  owner: Owner,
  parent: Repository,
  name: string,
): Promise<Repository> {
  const repository = register(forge, owner, { ...parent, name }, parent.id);
  await orForget(forge, repository, (path) =>
    forkRepository(repositoryPath(forge, parent), path, parent.defaultBranch),
  );
  repository.refs = branchesAndTags(await readRefs(repositoryPath(forge, repository)));
  recordActivity(forge, { kind: 'create_repo', actorId: actor.id, repoId: repository.id });
  return repository;
}

// Registered before the folder is made: a second request for the same name meanwhile must find it taken.
function register(
  forge: Forge,
  owner: Owner,
  wanted: NewRepository,
  parentId: number | undefined,
): Repository {
  const now = forge.now();
  const repository: Repository = {
    id: forge.nextId('repository'),
    ownerId: owner.id,
    name: wanted.name,
    description: wanted.description,
    private: wanted.private,
    defaultBranch: wanted.defaultBranch,
    parentId,
    created: now,
    updated: now,
    refs: new Map(),
    nextPull: 1,
  };
  forge.repositories.set(repository.id, repository);
  return repository;
}

async function orForget(forge: Forge, repository: Repository, make: (path: string) => Promise<void>) {
  try {
    await make(repositoryPath(forge, repository));
  } catch (error) {
    forge.repositories.delete(repository.id);
    throw error;
  }
}

/** Deletes a repository with its pull requests; pull requests that came from it are closed. */
export async function deleteRepository(forge: Forge, actor: User, repository: Repository): Promise<void> {
  await forge.exclusively(repository.id, async () => {
    await removeRepository(repositoryPath(forge, repository));
    forget(forge, repository);
  });
  closePullsOf(forge, actor, repository);
}

function forget(forge: Forge, repository: Repository): void {
  forge.repositories.delete(repository.id);
  for (const pull of forge.pulls.values()) {
    if (pull.repoId !== repository.id) continue;
    forge.pulls.delete(pull.id);
    for (const comment of forge.comments.values()) {
      if (comment.pullId === pull.id) forge.comments.delete(comment.id);
    }
  }
  keepOnly(forge.statuses, (status) => status.repoId !== repository.id);
  keepOnly(forge.activities, (activity) => activity.repoId !== repository.id);
}

/** Removes in place what does not pass. */
function keepOnly<T>(list: T[], passes: (item: T) => boolean): void {
  list.splice(0, list.length, ...list.filter(passes));
}

function branchesAndTags(refs: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...refs].filter(([ref]) => ref.startsWith(HEADS) || ref.startsWith(TAGS)));
}

/**
 * Takes in what a push changed: feeds tell of it, pull requests follow their branches, an empty repository takes the
 * pushed branch as its default. Compares with what the last push left, so that pushes at once are each told of once.
 */
export async function takeInPush(forge: Forge, actor: User, repository: Repository): Promise<void> {
  await forge.exclusively(repository.id, async () => {
    if (!forge.repositories.has(repository.id)) return;
    const before = repository.refs;
    const after = branchesAndTags(await readRefs(repositoryPath(forge, repository)));
    repository.refs = after;
    await adoptDefaultBranch(forge, repository, before, after);
    for (const ref of new Set([...before.keys(), ...after.keys()])) {
      if (before.get(ref) === after.get(ref)) continue;
      repository.updated = forge.now();
      recordActivity(forge, await activityOf(forge, actor, repository, before, ref));
      if (!ref.startsWith(HEADS)) continue;
      const branch = ref.slice(HEADS.length);
      if (after.has(ref)) await followBranch(forge, repository, branch);
      else closePullsOf(forge, actor, repository, branch);
    }
  });
}

async function adoptDefaultBranch(
  forge: Forge,
  repository: Repository,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Promise<void> {
  const isBranch = (ref: string) => ref.startsWith(HEADS);
  const [first] = [...after.keys()].filter(isBranch);
  if ([...before.keys()].some(isBranch) || first === undefined) return;
  if (after.has(HEADS + repository.defaultBranch)) return;
  repository.defaultBranch = first.slice(HEADS.length);
  await setDefaultBranch(repositoryPath(forge, repository), repository.defaultBranch);
}

async function activityOf(
  forge: Forge,
  actor: User,
  repository: Repository,
  before: ReadonlyMap<string, string>,
  ref: string,
): Promise<Pick<Activity, 'kind' | 'actorId' | 'repoId' | 'ref' | 'content'>> {
  const what = { actorId: actor.id, repoId: repository.id, ref, content: '' };
  const now = repository.refs.get(ref);
  if (ref.startsWith(TAGS)) return { ...what, kind: now === undefined ? 'delete_tag' : 'push_tag' };
  if (now === undefined) return { ...what, kind: 'delete_branch' };
  const since = before.get(ref) ?? before.get(HEADS + repository.defaultBranch);
  const { commits, total } = await pushedCommits(repositoryPath(forge, repository), since, now);
  const content = { Commits: commits, HeadCommit: commits[0] ?? null, CompareURL: '', Len: total };
  return { ...what, kind: 'commit_repo', content: JSON.stringify(content) };
}

/** The fork of a repository that an owner has, whatever its name. */
export function findFork(forge: Forge, parent: Repository, owner: Owner): Repository | undefined {
  return [...forge.repositories.values()].find((it) => it.parentId === parent.id && it.ownerId === owner.id);
}
