import type { Forge } from './forge.js';
import { ownerById } from './forge.js';
import {
  ACCESS_LEVELS,
  type Access,
  type Org,
  type Owner,
  type Repository,
  type Team,
  type Unit,
  type User,
} from './model.js';

/** Whether one level includes another. */
export function allows(has: Access, needed: Access): boolean {
  return ACCESS_LEVELS.indexOf(has) >= ACCESS_LEVELS.indexOf(needed);
}

function highest(levels: Iterable<Access>): Access {
  let best: Access = 'none';
  for (const level of levels) if (allows(level, best)) best = level;
  return best;
}

/** The teams of an organisation, in the order they were made. */
export function teamsOf(forge: Forge, org: Org): Team[] {
  return [...forge.teams.values()].filter((team) => team.orgId === org.id);
}

function teamsWith(forge: Forge, org: Org, user: User): Team[] {
  return teamsOf(forge, org).filter((team) => team.members.has(user.id));
}

/** Whether a user belongs to an organisation, through any of its teams. */
export function isMember(forge: Forge, org: Org, user: User): boolean {
  return teamsWith(forge, org, user).length > 0;
}

/** Whether a user may change an organisation: its owners and the site's administrators. */
export function ownsOrg(forge: Forge, org: Org, user: User): boolean {
  return user.admin || teamsWith(forge, org, user).some((team) => team.permission === 'owner');
}

/** Whether a user may make repositories in an organisation. */
export function mayCreateIn(forge: Forge, org: Org, user: User): boolean {
  return user.admin || teamsWith(forge, org, user).some((team) => team.canCreateRepositories);
}

/** Whether an owner shows itself: `private` ones to their members only, `limited` ones to whoever signed in. */
export function isVisible(forge: Forge, owner: Owner, viewer: User | undefined): boolean {
  if (viewer?.admin || owner.visibility === 'public') return true;
  if (!viewer) return false;
  if (owner.visibility === 'limited' || owner.id === viewer.id) return true;
  return owner.kind === 'org' && isMember(forge, owner, viewer);
}

/** What somebody may do in one part of a repository. */
export function unitAccess(forge: Forge, user: User | undefined, repository: Repository, unit: Unit): Access {
  const owner = ownerById(forge, repository.ownerId);
  const open: Access = !repository.private && isVisible(forge, owner, user) ? 'read' : 'none';
  if (!user) return open;
  if (user.admin || owner.id === user.id) return 'owner';
  if (owner.kind === 'user') return open;
  const reaching = teamsWith(forge, owner, user).filter((team) => team.allRepositories);
  return highest([open, ...reaching.map((team) => team.units[unit] ?? 'none')]);
}

/** Whether somebody may know that a repository exists. */
export function canSee(forge: Forge, user: User | undefined, repository: Repository): boolean {
  return (
    allows(unitAccess(forge, user, repository, 'repo.code'), 'read') ||
    allows(unitAccess(forge, user, repository, 'repo.pulls'), 'read')
  );
}
