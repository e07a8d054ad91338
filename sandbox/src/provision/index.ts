import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpStatusError, run } from '@cc-ci/core';
import { z } from 'zod';
import { authorization, callForge, type Identity } from './api.js';

export { callForge, type Identity } from './api.js';

/** A user we made, and how to act as them. */
export interface Person {
  login: string;
  token: string;
}

/** An organisation as cc-ci expects it: members who may ask, and a bot that may only read and comment. */
export interface Organisation {
  url: string;
  name: string;
  admin: Identity;
  bot: Person;
  member: Person;
  /** A user of the forge who is not in the organisation. */
  stranger: Person;
}

const withId = z.looseObject({ id: z.number() });
const tokenAnswer = z.looseObject({ sha1: z.string() });

/**
 * What the bot's token may do: as written in the documentation of `CC_CI_FORGE_TOKEN_FILE`. The scope to write
 * repositories gives no right by itself: its team has none, so that commit statuses are refused.
 */
const BOT_SCOPES = ['read:organization', 'write:repository', 'write:issue', 'read:user'];
const PERSON_SCOPES = ['write:repository', 'write:issue', 'write:user'];

/**
 * Makes an organisation with a member, a stranger and a read-level bot, by Gitea's own API, so that the same calls
 * provision a real one.
 * @param admin an administrator of the forge
 */
export async function createOrganisation(url: string, admin: Identity, name: string): Promise<Organisation> {
  await callForge(url, admin, 'POST', '/orgs', { username: name });
  const member = await createPerson(url, admin, 'alice', PERSON_SCOPES);
  const stranger = await createPerson(url, admin, 'mallory', PERSON_SCOPES);
  const bot = await createPerson(url, admin, 'cc-ci-bot', BOT_SCOPES);
  await addToTeam({ url, admin, name }, 'maintainers', 'write', member.login);
  await addToTeam({ url, admin, name }, 'ci', 'read', bot.login);
  return { url, name, admin, bot, member, stranger };
}

async function createPerson(
  url: string,
  admin: Identity,
  login: string,
  scopes: readonly string[],
): Promise<Person> {
  const password = randomBytes(12).toString('base64url');
  await callForge(url, admin, 'POST', '/admin/users', {
    username: login,
    email: `${login}@example.org`,
    password,
    must_change_password: false,
  });
  const body = { name: 'cc-ci', scopes };
  const { sha1 } = await callForge(
    url,
    { login, password },
    'POST',
    `/users/${login}/tokens`,
    body,
    tokenAnswer,
  );
  return { login, token: sha1 };
}

/** Makes a team of the organisation that has this permission on all its repositories, with one member. */
export async function addToTeam(
  { url, admin, name }: Pick<Organisation, 'url' | 'admin' | 'name'>,
  team: string,
  permission: 'read' | 'write',
  login: string,
): Promise<void> {
  const body = {
    name: team,
    permission,
    includes_all_repositories: true,
    units: ['repo.code', 'repo.issues', 'repo.pulls'],
  };
  const { id } = await callForge(url, admin, 'POST', `/orgs/${name}/teams`, body, withId);
  await callForge(url, admin, 'PUT', `/teams/${id}/members/${login}`);
}

/** Makes a repository in the organisation and pushes `main` and all tags of a local one into it. */
export async function publishRecipe(
  org: Organisation,
  recipe: string,
  localRepository: string,
): Promise<void> {
  await callForge(org.url, org.admin, 'POST', `/orgs/${org.name}/repos`, {
    name: recipe,
    default_branch: 'main',
  });
  await push(org.admin, localRepository, `${org.url}/${org.name}/${recipe}.git`, [
    'refs/heads/main',
    '--tags',
  ]);
  await whenTakenIn(async () => {
    const repository = `/repos/${org.name}/${recipe}`;
    const { empty } = await callForge(org.url, org.admin, 'GET', repository, undefined, repositoryAnswer);
    return empty ? undefined : true;
  });
}

const repositoryAnswer = z.looseObject({ empty: z.boolean() });

const pullAnswer = z.looseObject({
  number: z.number(),
  html_url: z.string(),
  head: z.looseObject({ sha: z.string() }),
});

/** A pull request as it was opened. */
export interface OpenedPull {
  repo: string;
  number: number;
  url: string;
  sha: string;
}

/** Forks the recipe as the member, pushes a branch of the local repository there, and opens a pull request from it. */
export async function openPull(
  org: Organisation,
  recipe: string,
  localRepository: string,
  branch: string,
  title: string,
): Promise<OpenedPull> {
  const { url, member, name } = org;
  const fork = `${member.login}/${recipe}`;
  await callForge(url, member, 'GET', `/repos/${fork}`).catch(() =>
    callForge(url, member, 'POST', `/repos/${name}/${recipe}/forks`, {}),
  );
  await push(member, localRepository, `${url}/${fork}.git`, [`refs/heads/${branch}`]);
  const body = { title, head: `${member.login}:${branch}`, base: 'main' };
  const pull = await whenTakenIn(() =>
    callForge(url, member, 'POST', `/repos/${name}/${recipe}/pulls`, body, pullAnswer).catch(unlessUnknown),
  );
  return { repo: `${name}/${recipe}`, number: pull.number, url: pull.html_url, sha: pull.head.sha };
}

/** Comments on a pull request as somebody. @returns the comment's id */
export async function comment(
  url: string,
  as: Identity,
  pull: Pick<OpenedPull, 'repo' | 'number'>,
  text: string,
): Promise<number> {
  const path = `/repos/${pull.repo}/issues/${pull.number}/comments`;
  return (await callForge(url, as, 'POST', path, { body: text }, withId)).id;
}

const commentsAnswer = z.array(
  z.looseObject({ id: z.number(), body: z.string(), user: z.looseObject({ login: z.string() }) }),
);

/** All comments of a pull request, oldest first. */
export async function commentsOn(url: string, as: Identity, pull: Pick<OpenedPull, 'repo' | 'number'>) {
  return callForge(
    url,
    as,
    'GET',
    `/repos/${pull.repo}/issues/${pull.number}/comments`,
    undefined,
    commentsAnswer,
  );
}

const TAKEN_IN_WITHIN_MS = 30_000;
const LOOK_AGAIN_MS = 50;

/**
 * Gitea takes a push in after it has answered it: asks until there is an answer.
 * @throws Error when there is none within half a minute
 */
async function whenTakenIn<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + TAKEN_IN_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) throw new Error('the forge has not taken in what was pushed to it');
    await delay(LOOK_AGAIN_MS);
  }
}

/** No answer yet where the forge knows nothing of what is asked for. */
function unlessUnknown(error: unknown): undefined {
  if (error instanceof HttpStatusError && error.status === 404) return undefined;
  throw error;
}

/** Pushes with the credentials in the environment: an argv is readable by everybody on the machine. */
async function push(as: Identity, from: string, to: string, what: readonly string[]): Promise<void> {
  const gitLogin = 'token' in as ? { login: 'x-access-token', password: as.token } : as;
  await run('git', ['-C', from, 'push', '--quiet', to, ...what], {
    timeoutMs: 60_000,
    env: {
      ...process.env,
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: ${authorization(gitLogin)}`,
    },
  });
}
