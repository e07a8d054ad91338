import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isMember, isVisible, ownsOrg, teamsOf } from '../access.js';
import { addOrg, addTeam, everyUnit, leaveTeam } from '../directory.js';
import { type Forge, findOwner, ownerById } from '../forge.js';
import { ACCESS_LEVELS, type Access, type Org, type Team, UNITS, type Unit, type User } from '../model.js';
import { ownerName } from '../names.js';
import { namedUser, requireScopes, requireUser, viewerOf } from './caller.js';
import { internalError, notFound, refuse } from './errors.js';
import { orgJson, teamJson } from './people-json.js';
import { bodyOf, orgOf, pageOf, pagingOf, pathPart, setTotal } from './requests.js';

const newOrg = z.object({
  username: z.string('Required').min(1, 'Required').pipe(ownerName),
  full_name: z.string().max(100, 'MaxSize').default(''),
  description: z.string().max(255, 'MaxSize').default(''),
  visibility: z.enum(['public', 'limited', 'private'], 'In').default('public'),
});

const access = z.enum(ACCESS_LEVELS).catch('none');
const unit = z.enum(UNITS);

const newTeam = z.object({
  name: z
    .string('Required')
    .min(1, 'Required')
    .max(255, 'MaxSize')
    .regex(/^[A-Za-z0-9_.-]+$/, 'AlphaDashDot'),
  description: z.string().max(255, 'MaxSize').default(''),
  permission: access.default('none'),
  includes_all_repositories: z.boolean().default(false),
  can_create_org_repo: z.boolean().default(false),
  units: z.array(z.string()).default([]),
  units_map: z.record(z.string(), access).default({}),
});

/** Organisations, their members and teams. */
export function orgRoutes(app: FastifyInstance, forge: Forge): void {
  app.addHook('preHandler', async (request) => requireScopes(request, ['organization']));

  app.post('/orgs', (request, reply) => {
    const founder = requireUser(request);
    const wanted = bodyOf(request, newOrg);
    if (findOwner(forge, wanted.username))
      throw refuse(422, `user already exists [name: ${wanted.username}]`);
    const org = addOrg(forge, founder, { ...wanted, login: wanted.username, fullName: wanted.full_name });
    reply.code(201);
    return orgJson(org);
  });

  app.get('/orgs/:org', (request) => {
    const org = orgOf(forge, request);
    if (!isVisible(forge, org, viewerOf(request))) throw notFound(undefined, 'HasOrgOrUserVisible');
    return orgJson(org);
  });

  app.get('/orgs/:org/members/:user', (request, reply) => {
    const org = orgOf(forge, request);
    const viewer = requireUser(request);
    const asked = namedUser(forge, pathPart(request, 'user'));
    if (viewer.admin || isMember(forge, org, viewer)) {
      if (!isMember(forge, org, asked)) throw notFound();
      return reply.code(204).send();
    }
    if (viewer.id === asked.id) throw notFound();
    // Outsiders may learn only of members who show it.
    return reply.redirect(`/api/v1/orgs/${org.login}/public_members/${asked.login}`, 303);
  });

  app.delete('/orgs/:org/members/:user', (request, reply) => {
    const org = orgOf(forge, request);
    if (!ownsOrg(forge, org, requireUser(request))) throw refuse(403, 'Must be an organization owner');
    const user = namedUser(forge, pathPart(request, 'user'));
    const left = teamsOf(forge, org).filter((team) => team.members.has(user.id));
    if (!left.every((team) => leaveTeam(forge, team, user))) throw internalError();
    return reply.code(204).send();
  });

  app.get('/orgs/:org/public_members/:user', (request, reply) => {
    const org = orgOf(forge, request);
    const asked = namedUser(forge, pathPart(request, 'user'));
    if (!org.publicMembers.has(asked.id)) throw notFound();
    return reply.code(204).send();
  });

  app.put('/orgs/:org/public_members/:user', (request, reply) => {
    const org = orgOf(forge, request);
    const user = requireMember(forge, request, org);
    if (namedUser(forge, pathPart(request, 'user')).id !== user.id) {
      throw refuse(403, 'Cannot publicize another member');
    }
    org.publicMembers.add(user.id);
    return reply.code(204).send();
  });

  app.get('/orgs/:org/teams', (request, reply) => {
    const org = orgOf(forge, request);
    requireMember(forge, request, org);
    const teams = teamsOf(forge, org);
    setTotal(reply, teams.length);
    return pageOf(teams, pagingOf(request)).map((team) => teamJson(forge, team, 'listed'));
  });

  app.post('/orgs/:org/teams', (request, reply) => {
    const org = orgOf(forge, request);
    const user = requireMember(forge, request, org);
    if (!ownsOrg(forge, org, user)) throw refuse(403, 'Must be an organization owner');
    const wanted = bodyOf(request, newTeam);
    const { units, permission } = unitsOf(wanted);
    const taken = teamsOf(forge, org).some((it) => it.name.toLowerCase() === wanted.name.toLowerCase());
    if (taken) throw refuse(422, `team already exists [org_id: ${org.id}, name: ${wanted.name}]`);
    const team = addTeam(forge, org, {
      name: wanted.name,
      description: wanted.description,
      permission,
      units,
      allRepositories: wanted.includes_all_repositories,
      canCreateRepositories: wanted.can_create_org_repo,
    });
    reply.code(201);
    return teamJson(forge, team, 'alone');
  });

  app.put('/teams/:team/members/:user', (request, reply) => {
    const team = ownedTeam(forge, request);
    team.members.add(namedUser(forge, pathPart(request, 'user')).id);
    return reply.code(204).send();
  });

  app.delete('/teams/:team/members/:user', (request, reply) => {
    const team = ownedTeam(forge, request);
    const user = namedUser(forge, pathPart(request, 'user'));
    if (!leaveTeam(forge, team, user)) throw internalError();
    return reply.code(204).send();
  });
}

function requireMember(forge: Forge, request: FastifyRequest, org: Org): User {
  const user = requireUser(request);
  if (!user.admin && !isMember(forge, org, user)) throw refuse(403, 'Must be an organization member');
  return user;
}

/** The team in the path, for an owner of its organisation. Gitea answers 404 to its members, oddly. */
function ownedTeam(forge: Forge, request: FastifyRequest): Team {
  const user = requireUser(request);
  const team = forge.teams.get(Number(pathPart(request, 'team')));
  const org = team && ownerById(forge, team.orgId);
  if (!team || org?.kind !== 'org') throw notFound();
  if (ownsOrg(forge, org, user)) return team;
  if (isMember(forge, org, user) && !team.members.has(user.id)) throw refuse(403, 'Must be a team member');
  throw notFound();
}

function unitsOf(wanted: z.output<typeof newTeam>): {
  units: Partial<Record<Unit, Access>>;
  permission: Access;
} {
  const { permission, units_map: map } = wanted;
  if (permission === 'admin' || permission === 'owner')
    return { units: everyUnit('admin'), permission: 'admin' };
  const pairs = Object.entries(map);
  const asked = pairs.length > 0 ? pairs : wanted.units.map((name) => [name, permission] as const);
  if (asked.length === 0) throw internalError();
  const known = asked.filter((pair): pair is [Unit, Access] => unit.safeParse(pair[0]).success);
  const lowest = ACCESS_LEVELS.find((level) => asked.some((pair) => pair[1] === level)) ?? 'none';
  return { units: Object.fromEntries(known), permission: lowest };
}
