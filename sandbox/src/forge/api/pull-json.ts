import {
  commentsOf,
  type Forge,
  fullName,
  ownerById,
  repositoryById,
  repositoryPath,
  rootUrl,
} from '../forge.js';
import { readRefs } from '../git/commands.js';
import type { Comment, Pull, Repository, User } from '../model.js';
import { pullRef } from '../pulls.js';
import { timestamp, userJson } from './people-json.js';
import { repositoryJson } from './repository-json.js';

/** Reads a repository's refs. */
export type RefReader = (repository: Repository) => Promise<ReadonlyMap<string, string>>;

/** A reader that asks git once for each repository: one for each answer, so that it never tells of the past. */
export function createRefReader(forge: Forge): RefReader {
  const read = new Map<number, Promise<Map<string, string>>>();
  return (repository) => {
    const known = read.get(repository.id) ?? readRefs(repositoryPath(forge, repository));
    read.set(repository.id, known);
    return known;
  };
}

/** Where a pull request's head is now. */
export interface PullHead {
  /** The branch, or the ref in the base repository where that branch or its repository is gone. */
  ref: string;
  sha: string;
  repository: Repository | undefined;
}

/** Finds a pull request's head in git. */
export async function headOf(forge: Forge, pull: Pull, refs: RefReader): Promise<PullHead> {
  const repository = forge.repositories.get(pull.headRepoId);
  const live = repository && (await refs(repository)).get(`refs/heads/${pull.headBranch}`);
  if (live !== undefined) return { ref: pull.headBranch, sha: live, repository };
  const kept = (await refs(repositoryById(forge, pull.repoId))).get(pullRef(pull));
  return { ref: pullRef(pull), sha: kept ?? '', repository };
}

export function pullUrl(forge: Forge, pull: Pull): string {
  return `${rootUrl(forge)}/${fullName(forge, repositoryById(forge, pull.repoId))}/pulls/${pull.number}`;
}

/** Whether a pull request's title says that it is work in progress. */
export function isDraft(pull: Pull): boolean {
  return /^(\[WIP\]|WIP:)/i.test(pull.title);
}

/** A pull request as somebody sees it, its branches read from git now. */
export async function pullJson(
  forge: Forge,
  pull: Pull,
  viewer: User | undefined,
  refs = createRefReader(forge),
) {
  const base = repositoryById(forge, pull.repoId);
  const head = await headOf(forge, pull, refs);
  const url = pullUrl(forge, pull);
  return {
    id: pull.id,
    url,
    number: pull.number,
    user: userJson(forge, ownerById(forge, pull.authorId)),
    title: pull.title,
    body: pull.body,
    labels: [],
    milestone: null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    state: pull.state,
    draft: isDraft(pull),
    is_locked: false,
    comments: commentsOf(forge, pull).length,
    html_url: url,
    // Nothing is merged here: no page or endpoint of this forge does it.
    merged: false,
    merged_at: null,
    merge_commit_sha: null,
    merged_by: null,
    base: {
      label: pull.baseBranch,
      ref: pull.baseBranch,
      sha: (await refs(base)).get(`refs/heads/${pull.baseBranch}`) ?? '',
      repo_id: base.id,
      repo: repositoryJson(forge, base, viewer),
    },
    head: {
      label: pull.headBranch,
      ref: head.ref,
      sha: head.sha,
      repo_id: head.repository?.id ?? -1,
      repo: head.repository ? repositoryJson(forge, head.repository, viewer) : null,
    },
    merge_base: pull.mergeBase,
    due_date: null,
    created_at: timestamp(pull.created),
    updated_at: timestamp(pull.updated),
    closed_at: pull.closed ? timestamp(pull.closed) : null,
  };
}

/** A comment. Feeds leave its author out, as Gitea's do: there `act_user` says who it was. */
export function commentJson(forge: Forge, comment: Comment, where: 'alone' | 'feed' = 'alone') {
  const pull = forge.pulls.get(comment.pullId);
  const url = pull ? pullUrl(forge, pull) : '';
  return {
    id: comment.id,
    html_url: `${url}#issuecomment-${comment.id}`,
    pull_request_url: url,
    issue_url: '',
    user: where === 'feed' ? null : userJson(forge, ownerById(forge, comment.authorId)),
    original_author: '',
    original_author_id: 0,
    body: comment.body,
    assets: [],
    created_at: timestamp(comment.created),
    updated_at: timestamp(comment.updated),
  };
}
