/** How much somebody may do, in Gitea's words; each level includes those before it. */
export const ACCESS_LEVELS = ['none', 'read', 'write', 'admin', 'owner'] as const;
export type Access = (typeof ACCESS_LEVELS)[number];

/** The parts of a repository a team is given access to; only `repo.code` and `repo.pulls` matter here. */
export const UNITS = [
  'repo.code',
  'repo.issues',
  'repo.pulls',
  'repo.releases',
  'repo.wiki',
  'repo.ext_wiki',
  'repo.ext_issues',
  'repo.projects',
  'repo.packages',
  'repo.actions',
] as const;
export type Unit = (typeof UNITS)[number];

export type Visibility = 'public' | 'limited' | 'private';

/** A person or bot. Users and organisations are both owners and share one sequence of ids. */
export interface User {
  kind: 'user';
  id: number;
  login: string;
  fullName: string;
  email: string;
  admin: boolean;
  /** scrypt, see credentials.ts. */
  passwordHash: string;
  /** Until the password is changed on a page that only Gitea has, the API refuses everything. */
  mustChangePassword: boolean;
  visibility: Visibility;
  /** Keeps what this user does out of feeds, for everybody but administrators and the user. */
  hideActivity: boolean;
  created: Date;
}

export interface Org {
  kind: 'org';
  id: number;
  login: string;
  fullName: string;
  description: string;
  visibility: Visibility;
  created: Date;
  /** Ids of the members who show their membership to everybody. */
  publicMembers: Set<number>;
}

export type Owner = User | Org;

/**
 * Who belongs to any team of an organisation is its member. A team reaches all repositories of its organisation or
 * none: naming single ones is not part of this forge.
 */
export interface Team {
  id: number;
  orgId: number;
  name: string;
  description: string;
  permission: Access;
  units: Partial<Record<Unit, Access>>;
  allRepositories: boolean;
  canCreateRepositories: boolean;
  members: Set<number>;
}

/** An access token; its text is shown once, at creation, and kept only as a hash. */
export interface Token {
  id: number;
  userId: number;
  name: string;
  hash: string;
  lastEight: string;
  scopes: readonly string[];
}

export interface Repository {
  id: number;
  ownerId: number;
  name: string;
  description: string;
  private: boolean;
  defaultBranch: string;
  /** The repository this one was forked from. */
  parentId: number | undefined;
  created: Date;
  updated: Date;
  /** Branches and tags by full ref name, as they were after the last push we looked at. */
  refs: ReadonlyMap<string, string>;
  nextPull: number;
}

export interface Pull {
  id: number;
  number: number;
  repoId: number;
  /** Stays when that repository is deleted. */
  headRepoId: number;
  headBranch: string;
  baseBranch: string;
  mergeBase: string;
  title: string;
  body: string;
  authorId: number;
  state: 'open' | 'closed';
  created: Date;
  updated: Date;
  closed: Date | undefined;
}

/** Gitea numbers what is said and what happened in one sequence; an `event` (closed, reopened) has no text. */
export interface Comment {
  kind: 'comment' | 'event';
  id: number;
  pullId: number;
  authorId: number;
  body: string;
  created: Date;
  updated: Date;
}

/** The worst first: a commit is as bad as the worst of its contexts. */
export const STATUS_STATES = ['error', 'failure', 'warning', 'pending', 'success'] as const;
export type StatusState = (typeof STATUS_STATES)[number];

export interface Status {
  /** Counts from 1 within one commit. */
  id: number;
  repoId: number;
  sha: string;
  state: StatusState;
  targetUrl: string;
  description: string;
  context: string;
  creatorId: number;
  created: Date;
}

export type ActivityKind =
  | 'create_repo'
  | 'commit_repo'
  | 'delete_branch'
  | 'push_tag'
  | 'delete_tag'
  | 'create_pull_request'
  | 'close_pull_request'
  | 'reopen_pull_request'
  | 'comment_pull';

/** Something that happened in an owner's repositories, as feeds list it. */
export interface Activity {
  id: number;
  kind: ActivityKind;
  actorId: number;
  repoId: number;
  commentId: number | undefined;
  ref: string;
  /** `<number>|<text>` for what happened in a pull request, JSON for pushes. */
  content: string;
  created: Date;
}
