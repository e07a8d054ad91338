import { InputError } from '@cc-ci/core';
import { hashPassword, hashToken, newTokenText } from './credentials.js';
import { type Forge, findOwner } from './forge.js';
import {
  type Access,
  type Org,
  type Team,
  type Token,
  UNITS,
  type Unit,
  type User,
  type Visibility,
} from './model.js';
import { ownerName } from './names.js';

/** A user to be made. */
export interface NewUser {
  login: string;
  password: string;
  email?: string;
  fullName?: string;
  admin?: boolean;
  mustChangePassword?: boolean;
  visibility?: Visibility;
}

/**
 * Makes a user. The first administrator is made by this, as Gitea's command line does it; whoever comes after, through
 * the API.
 * @throws InputError when the login is taken or not of an allowed form
 */
export async function addUser(forge: Forge, wanted: NewUser): Promise<User> {
  const problem = ownerName.safeParse(wanted.login).error?.issues[0]?.message;
  if (problem) throw new InputError(`login ${JSON.stringify(wanted.login)} ${problem}`);
  const passwordHash = await hashPassword(wanted.password);
  if (findOwner(forge, wanted.login))
    throw new InputError(`there is a user or organisation ${wanted.login} already`);
  const user: User = {
    kind: 'user',
    id: forge.nextId('owner'),
    login: wanted.login,
    fullName: wanted.fullName ?? '',
    email: wanted.email ?? `${wanted.login.toLowerCase()}@noreply.localhost`,
    admin: wanted.admin ?? false,
    passwordHash,
    mustChangePassword: wanted.mustChangePassword ?? false,
    visibility: wanted.visibility ?? 'public',
    hideActivity: false,
    created: forge.now(),
  };
  forge.owners.set(user.id, user);
  return user;
}

/** Makes a token for a user; its text is in the answer and nowhere else. */
export function addToken(
  forge: Forge,
  user: User,
  name: string,
  scopes: readonly string[],
): { token: Token; text: string } {
  const text = newTokenText();
  const token = {
    id: forge.nextId('token'),
    userId: user.id,
    name,
    hash: hashToken(text),
    lastEight: text.slice(-8),
    scopes,
  };
  forge.tokens.set(token.hash, token);
  return { token, text };
}

/** An organisation to be made; its login is free and of an allowed form. */
export interface NewOrg {
  login: string;
  fullName: string;
  description: string;
  visibility: Visibility;
}

/** Makes an organisation, owned by whoever made it. */
export function addOrg(forge: Forge, founder: User, wanted: NewOrg): Org {
  const org: Org = {
    kind: 'org',
    id: forge.nextId('owner'),
    ...wanted,
    created: forge.now(),
    publicMembers: new Set(),
  };
  forge.owners.set(org.id, org);
  const owners = addTeam(forge, org, {
    name: 'Owners',
    description: '',
    permission: 'owner',
    units: everyUnit('owner'),
    allRepositories: true,
    canCreateRepositories: true,
  });
  owners.members.add(founder.id);
  return org;
}

/** Makes a team without members; its name is free in the organisation. */
export function addTeam(forge: Forge, org: Org, wanted: Omit<Team, 'id' | 'orgId' | 'members'>): Team {
  const team = { id: forge.nextId('team'), orgId: org.id, ...wanted, members: new Set<number>() };
  forge.teams.set(team.id, team);
  return team;
}

/** One level for every part of a repository. */
export function everyUnit(access: Access): Record<Unit, Access> {
  return Object.fromEntries(UNITS.map((unit) => [unit, access])) as Record<Unit, Access>;
}

/**
 * Takes a user out of a team.
 * @returns false, and nothing done, for the last owner of an organisation
 */
export function leaveTeam(forge: Forge, team: Team, user: User): boolean {
  if (team.permission === 'owner' && team.members.has(user.id) && team.members.size === 1) return false;
  team.members.delete(user.id);
  const org = forge.owners.get(team.orgId);
  const stays = [...forge.teams.values()].some((it) => it.orgId === team.orgId && it.members.has(user.id));
  if (!stays && org?.kind === 'org') org.publicMembers.delete(user.id);
  return true;
}
