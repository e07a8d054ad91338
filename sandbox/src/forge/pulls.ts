import type { Forge } from './forge.js';
import { recordActivity, repositoryById, repositoryPath } from './forge.js';
import { copyBranch, mergeBase, readRefs } from './git/commands.js';
import type { Comment, Pull, Repository, User } from './model.js';

/** What a new pull request is about. Both branches exist. */
export interface NewPull {
  head: Repository;
  headBranch: string;
  baseBranch: string;
  title: string;
  body: string;
}

/** The ref of a pull request's head in the repository it asks to be merged into. */
export function pullRef(pull: Pick<Pull, 'number'>): string {
  return `refs/pull/${pull.number}/head`;
}

/** The open pull request between two branches, if there is one already. */
export function openPullBetween(forge: Forge, base: Repository, wanted: NewPull): Pull | undefined {
  return [...forge.pulls.values()].find(
    (it) =>
      it.state === 'open' &&
      it.repoId === base.id &&
      it.headRepoId === wanted.head.id &&
      it.headBranch === wanted.headBranch &&
      it.baseBranch === wanted.baseBranch,
  );
}

/** Opens a pull request and copies its head into the base repository. */
export async function openPull(forge: Forge, author: User, base: Repository, wanted: NewPull): Promise<Pull> {
  const now = forge.now();
  const pull: Pull = {
    id: forge.nextId('pull'),
    number: base.nextPull++,
    repoId: base.id,
    headRepoId: wanted.head.id,
    headBranch: wanted.headBranch,
    baseBranch: wanted.baseBranch,
    mergeBase: '',
    title: wanted.title,
    body: wanted.body,
    authorId: author.id,
    state: 'open',
    created: now,
    updated: now,
    closed: undefined,
  };
  await bringHead(forge, wanted.head, base, pull);
  forge.pulls.set(pull.id, pull);
  const content = `${pull.number}|${pull.title}`;
  recordActivity(forge, { kind: 'create_pull_request', actorId: author.id, repoId: base.id, content });
  return pull;
}

async function bringHead(forge: Forge, head: Repository, base: Repository, pull: Pull): Promise<void> {
  const path = repositoryPath(forge, base);
  await copyBranch(repositoryPath(forge, head), pull.headBranch, path, pullRef(pull));
  await findMergeBase(forge, base, pull);
}

async function findMergeBase(forge: Forge, base: Repository, pull: Pull): Promise<void> {
  const path = repositoryPath(forge, base);
  const refs = await readRefs(path);
  const [from, to] = [refs.get(`refs/heads/${pull.baseBranch}`), refs.get(pullRef(pull))];
  if (from && to) pull.mergeBase = (await mergeBase(path, from, to)) ?? from;
}

function comesFrom(pull: Pull, repository: Repository, branch: string): boolean {
  return pull.headRepoId === repository.id && pull.headBranch === branch;
}

function leadsTo(pull: Pull, repository: Repository, branch: string): boolean {
  return pull.repoId === repository.id && pull.baseBranch === branch;
}

/** Brings a branch's new commits into the open pull requests that come from it or lead to it. */
export async function followBranch(forge: Forge, repository: Repository, branch: string): Promise<void> {
  for (const pull of forge.pulls.values()) {
    if (pull.state !== 'open') continue;
    const base = repositoryById(forge, pull.repoId);
    if (comesFrom(pull, repository, branch)) {
      await bringHead(forge, repository, base, pull);
      pull.updated = forge.now();
    } else if (leadsTo(pull, repository, branch)) await findMergeBase(forge, base, pull);
  }
}

/** Closes the pull requests of a branch that was deleted, or of all branches of a deleted repository. */
export function closePullsOf(forge: Forge, actor: User, repository: Repository, branch?: string): void {
  for (const pull of forge.pulls.values()) {
    const isConcerned =
      branch === undefined
        ? pull.headRepoId === repository.id
        : comesFrom(pull, repository, branch) || leadsTo(pull, repository, branch);
    if (isConcerned) setPullState(forge, actor, pull, 'closed');
  }
}

/** Closes or reopens a pull request; one that is so already stays as it is. */
export function setPullState(forge: Forge, actor: User, pull: Pull, state: Pull['state']): void {
  if (pull.state === state) return;
  pull.state = state;
  pull.updated = forge.now();
  pull.closed = state === 'closed' ? forge.now() : undefined;
  const event = addComment(forge, actor, pull, 'event', '');
  recordActivity(forge, {
    kind: state === 'closed' ? 'close_pull_request' : 'reopen_pull_request',
    actorId: actor.id,
    repoId: pull.repoId,
    commentId: event.id,
    content: `${pull.number}|`,
  });
}

/** Gitea shows this many bytes of a comment in a feed's `content`. */
const EXCERPT_BYTES = 200;

/** Says something in a pull request. */
export function comment(forge: Forge, author: User, pull: Pull, body: string): Comment {
  const said = addComment(forge, author, pull, 'comment', body);
  pull.updated = said.created;
  recordActivity(forge, {
    kind: 'comment_pull',
    actorId: author.id,
    repoId: pull.repoId,
    commentId: said.id,
    content: `${pull.number}|${excerpt(body)}`,
  });
  return said;
}

function addComment(forge: Forge, author: User, pull: Pull, kind: Comment['kind'], body: string): Comment {
  const now = forge.now();
  const id = forge.nextId('comment');
  const added = { kind, id, pullId: pull.id, authorId: author.id, body, created: now, updated: now };
  forge.comments.set(id, added);
  return added;
}

function excerpt(body: string): string {
  if (Buffer.byteLength(body) <= EXCERPT_BYTES) return body;
  // A character cut in two comes out as U+FFFD.
  const cut = Buffer.from(body)
    .subarray(0, EXCERPT_BYTES)
    .toString()
    .replace(/\uFFFD+$/, '');
  const lastSpace = cut.lastIndexOf(' ');
  return lastSpace > cut.length - 15 ? `${cut.slice(0, lastSpace)}…` : cut;
}

/** Takes a comment away, and out of the feeds. */
export function deleteComment(forge: Forge, gone: Comment): void {
  forge.comments.delete(gone.id);
  const index = forge.activities.findIndex((activity) => activity.commentId === gone.id);
  if (index >= 0) forge.activities.splice(index, 1);
}
