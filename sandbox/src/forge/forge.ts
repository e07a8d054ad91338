import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '@cc-ci/core';
import { createFaults, type Faults } from './faults.js';
import type { Activity, Comment, Org, Owner, Pull, Repository, Status, Team, Token, User } from './model.js';
import { createKeyedQueue, type KeyedQueue } from './queue.js';

/** Where a forge keeps its repositories, and how it is seen from outside. */
export interface ForgeOptions {
  /** Bare repositories are made in `<dataDir>/repositories/<owner>/<name>.git`. */
  dataDir: string;
  /** What URLs in answers begin with, without a slash at the end. Default: the address the server listens on. */
  rootUrl?: string;
  /** The clock; answers carry whole seconds, like Gitea's. */
  now?: () => Date;
}

/**
 * A forge's whole state. Only the git repositories are on disk: a forge lives as long as its process, while servers
 * over it (`startForge`) may come and go.
 */
export interface Forge {
  readonly repositoriesDir: string;
  /** undefined until a server listens, where no `rootUrl` was given. */
  rootUrl: string | undefined;
  /** Whether `rootUrl` was given, so that a server leaves it alone. */
  readonly rootUrlIsFixed: boolean;
  /** Faults for tests: what the next requests answer instead of the truth. */
  readonly faults: Faults;
  now(): Date;
  /** Work on one repository (by id) that must not overlap: pushes, opening pull requests. */
  readonly exclusively: KeyedQueue;
  /** The next id of a sequence, from 1. */
  nextId(sequence: string): number;
  readonly owners: Map<number, Owner>;
  readonly teams: Map<number, Team>;
  /** By hash. */
  readonly tokens: Map<string, Token>;
  readonly repositories: Map<number, Repository>;
  readonly pulls: Map<number, Pull>;
  readonly comments: Map<number, Comment>;
  /** Oldest first. */
  readonly statuses: Status[];
  /** Oldest first. */
  readonly activities: Activity[];
}

/**
 * A forge without users, organisations or repositories.
 * @throws InputError when the data folder already holds repositories: their owners and pull requests would be unknown
 */
export function createForge(options: ForgeOptions): Forge {
  const repositoriesDir = join(options.dataDir, 'repositories');
  mkdirSync(repositoriesDir, { recursive: true });
  if (readdirSync(repositoriesDir).length > 0) {
    throw new InputError(`${repositoriesDir} holds the repositories of an earlier forge`, {
      hint: 'give each forge an empty data folder, or remove that one',
    });
  }
  const clock = options.now ?? (() => new Date());
  const sequences = new Map<string, number>();
  return {
    repositoriesDir,
    rootUrl: options.rootUrl?.replace(/\/+$/, ''),
    rootUrlIsFixed: options.rootUrl !== undefined,
    faults: createFaults(),
    now: () => new Date(Math.floor(clock().getTime() / 1000) * 1000),
    exclusively: createKeyedQueue(),
    nextId(sequence) {
      const id = (sequences.get(sequence) ?? 0) + 1;
      sequences.set(sequence, id);
      return id;
    },
    owners: new Map(),
    teams: new Map(),
    tokens: new Map(),
    repositories: new Map(),
    pulls: new Map(),
    comments: new Map(),
    statuses: [],
    activities: [],
  };
}

/** What URLs in answers begin with; before any server listens, a name that leads nowhere else. */
export function rootUrl(forge: Forge): string {
  return forge.rootUrl ?? 'http://localhost';
}

const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** A user or organisation by name, upper and lower case being the same. */
export function findOwner(forge: Forge, name: string): Owner | undefined {
  return [...forge.owners.values()].find((owner) => sameName(owner.login, name));
}

export function findUser(forge: Forge, name: string): User | undefined {
  const owner = findOwner(forge, name);
  return owner?.kind === 'user' ? owner : undefined;
}

export function findOrg(forge: Forge, name: string): Org | undefined {
  const owner = findOwner(forge, name);
  return owner?.kind === 'org' ? owner : undefined;
}

export function findRepository(forge: Forge, owner: string, name: string): Repository | undefined {
  const ownerId = findOwner(forge, owner)?.id;
  return [...forge.repositories.values()].find((it) => it.ownerId === ownerId && sameName(it.name, name));
}

export function findPull(forge: Forge, repository: Repository, number: number): Pull | undefined {
  return [...forge.pulls.values()].find((it) => it.repoId === repository.id && it.number === number);
}

/** Comments of a pull request, oldest first. */
export function commentsOf(forge: Forge, pull: Pull): Comment[] {
  return [...forge.comments.values()].filter((it) => it.pullId === pull.id && it.kind === 'comment');
}

/** Who is behind an id that the forge gave itself. */
export function ownerById(forge: Forge, id: number): Owner {
  const owner = forge.owners.get(id);
  if (!owner) throw new Error(`there is no owner ${id}`);
  return owner;
}

export function userById(forge: Forge, id: number): User {
  const owner = ownerById(forge, id);
  if (owner.kind !== 'user') throw new Error(`owner ${id} is not a user`);
  return owner;
}

export function repositoryById(forge: Forge, id: number): Repository {
  const repository = forge.repositories.get(id);
  if (!repository) throw new Error(`there is no repository ${id}`);
  return repository;
}

export function fullName(forge: Forge, repository: Repository): string {
  return `${ownerById(forge, repository.ownerId).login}/${repository.name}`;
}

/** The folder of a repository. Names were checked when it was made. */
export function repositoryPath(forge: Forge, repository: Repository): string {
  return join(forge.repositoriesDir, `${fullName(forge, repository)}.git`);
}

/** Keeps what happened, for the feeds. */
export function recordActivity(
  forge: Forge,
  activity: Pick<Activity, 'kind' | 'actorId' | 'repoId'> & Partial<Activity>,
): void {
  forge.activities.push({
    commentId: undefined,
    ref: '',
    content: '',
    ...activity,
    id: forge.nextId('activity'),
    created: forge.now(),
  });
}
