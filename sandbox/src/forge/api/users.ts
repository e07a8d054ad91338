import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { addToken, addUser } from '../directory.js';
import { type Forge, findOwner } from '../forge.js';
import { ownerName } from '../names.js';
import { callerOf, isScope, namedUser, requireScopes, requireUser } from './caller.js';
import { refuse } from './errors.js';
import { userJson } from './people-json.js';
import { bodyOf, pathPart } from './requests.js';

/** Which Gitea this forge answers like; what comes after `+` says that it is another program. */
const VERSION = '1.23.8+cc-ci-sandbox';

const newUser = z.object({
  username: z.string('Required').pipe(ownerName),
  email: z.string('Required').pipe(z.email('Email')),
  password: z.string().default(''),
  full_name: z.string().default(''),
  must_change_password: z.boolean().default(true),
  visibility: z.enum(['public', 'limited', 'private']).default('public'),
});

/** Gitea's default. */
const SHORTEST_PASSWORD = 8;

const newToken = z.object({
  name: z.string('Required').min(1, 'Required'),
  scopes: z.array(z.string()).default([]),
});

const settings = z.object({ hide_activity: z.boolean().optional() });

/** The version, users and their tokens. */
export function userRoutes(app: FastifyInstance, forge: Forge): void {
  app.get('/version', () => ({ version: VERSION }));

  app.get('/user', (request) => {
    requireScopes(request, ['user']);
    return userJson(forge, requireUser(request), 'full');
  });

  app.patch('/user/settings', (request) => {
    requireScopes(request, ['user']);
    const user = requireUser(request);
    user.hideActivity = bodyOf(request, settings).hide_activity ?? user.hideActivity;
    return { full_name: user.fullName, hide_email: true, hide_activity: user.hideActivity };
  });

  app.post('/admin/users', async (request, reply) => {
    requireScopes(request, ['admin']);
    if (!requireUser(request).admin) throw refuse(403, 'user should be the site admin');
    const wanted = bodyOf(request, newUser);
    if (wanted.password.length < SHORTEST_PASSWORD) throw refuse(400, 'PasswordIsRequired');
    if (findOwner(forge, wanted.username))
      throw refuse(422, `user already exists [name: ${wanted.username}]`);
    if ([...forge.owners.values()].some((it) => it.kind === 'user' && it.email === wanted.email)) {
      throw refuse(422, `e-mail already in use [email: ${wanted.email}]`);
    }
    const user = await addUser(forge, {
      login: wanted.username,
      password: wanted.password,
      email: wanted.email,
      fullName: wanted.full_name,
      mustChangePassword: wanted.must_change_password,
      visibility: wanted.visibility,
    });
    return reply.code(201).send(userJson(forge, user, 'full'));
  });

  app.post('/users/:user/tokens', (request, reply) => {
    requireScopes(request, ['user']);
    const owner = namedUser(forge, pathPart(request, 'user'));
    const { user: doer, token: usedToken } = callerOf(request);
    if (doer?.id !== owner.id && !doer?.admin) {
      throw refuse(403, 'doer should be the site admin or be same as the contextUser');
    }
    if (usedToken) throw refuse(401, 'auth required');
    const { name, scopes } = bodyOf(request, newToken);
    if (scopes.length === 0) throw refuse(400, 'access token must have a scope');
    const odd = scopes.find((scope) => !isScope(scope));
    if (odd) throw refuse(400, `invalid access token scope provided: invalid access token scope: ${odd}`);
    const taken = [...forge.tokens.values()].some((it) => it.userId === owner.id && it.name === name);
    if (taken) throw refuse(400, 'access token name has been used already');
    const { token, text } = addToken(forge, owner, name, scopes);
    reply.code(201);
    return { id: token.id, name, sha1: text, token_last_eight: token.lastEight, scopes };
  });
}
