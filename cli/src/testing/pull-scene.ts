import { join } from 'node:path';
import { hmacSha256, run } from '@cc-ci/core';
import { addToTeam, callForge, commentsOn, type OpenedPull, openPull, type Person } from '@cc-ci/sandbox';
import { request } from 'undici';
import { z } from 'zod';
import { type WatchedForge, watchForge } from './watched-forge.js';

/** A comment as the forge answers it. */
const comment = z.looseObject({ id: z.number(), body: z.string() });
export type MadeComment = z.output<typeof comment>;
const statuses = z.array(z.looseObject({ id: z.number(), status: z.string(), context: z.string() }));

/** A forge with pull requests, people who comment on them, and a webhook. */
export interface PullScene extends WatchedForge {
  pulls: OpenedPull[];
  say(pull: OpenedPull, as: Person, text: string): Promise<MadeComment>;
  /** Delivers a comment to the bridge's webhook as Gitea would. @returns the HTTP status */
  deliver(pull: OpenedPull, comment: MadeComment): Promise<number>;
  /** Texts of the bot's comments on a pull request, oldest first. */
  botComments(pull: OpenedPull): Promise<string[]>;
  /** States of the commit statuses of a pull request's head, the newest first. */
  statusesOf(pull: OpenedPull): Promise<string[]>;
}

/** Opens `count` pull requests, each of a commit of its own, in one recipe's repository. The bot may set statuses. */
export async function setPullScene(count: number): Promise<PullScene> {
  const watched = await watchForge();
  try {
    const { org, dir } = watched;
    await addToTeam(org, 'ci-statuses', 'write', org.bot.login);
    const pulls: OpenedPull[] = [];
    for (let n = 1; n <= count; n++) pulls.push(await openNumbered(watched, join(dir, 'recipe'), n));
    const url = org.url;
    return {
      ...watched,
      pulls,
      say: (pull, as, text) =>
        callForge(
          url,
          as,
          'POST',
          `/repos/${pull.repo}/issues/${pull.number}/comments`,
          { body: text },
          comment,
        ),
      deliver: (pull, made) => deliver(watched, pull, made),
      async botComments(pull) {
        const all = await commentsOn(url, org.member, pull);
        return all.filter(({ user }) => user.login === org.bot.login).map(({ body }) => body);
      },
      async statusesOf({ repo, sha }) {
        const path = `/repos/${repo}/statuses/${sha}`;
        const found = await callForge(url, org.member, 'GET', path, undefined, statuses);
        return found.toSorted((a, b) => b.id - a.id).map(({ status }) => status);
      },
    };
  } catch (error) {
    await watched.close();
    throw error;
  }
}

async function openNumbered({ org }: WatchedForge, repository: string, n: number): Promise<OpenedPull> {
  const who = { name: 'Recipe Maintainer', email: 'maintainer@example.org' };
  const env = {
    ...process.env,
    GIT_AUTHOR_NAME: who.name,
    GIT_AUTHOR_EMAIL: who.email,
    GIT_COMMITTER_NAME: who.name,
    GIT_COMMITTER_EMAIL: who.email,
  };
  const git = async (...args: string[]) =>
    (await run('git', ['-C', repository, ...args], { env })).stdout.trim();
  const sha = await git('commit-tree', '-p', 'good-change', '-m', `Change ${n}`, 'good-change^{tree}');
  await git('branch', `change-${n}`, sha);
  return openPull(org, 'custom-html', repository, `change-${n}`, `Change ${n}`);
}

async function deliver(
  { env, hookSecret }: WatchedForge,
  pull: OpenedPull,
  made: MadeComment,
): Promise<number> {
  const body = JSON.stringify({
    action: 'created',
    is_pull: true,
    issue: { number: pull.number },
    comment: made,
    repository: { full_name: pull.repo },
  });
  const headers = {
    'content-type': 'application/json',
    'x-gitea-event': 'issue_comment',
    'x-gitea-event-type': 'pull_request_comment',
    'x-gitea-signature': hmacSha256(body, hookSecret),
  };
  const answer = await request(`http://${env.CC_CI_BRIDGE_LISTEN}/hook`, { method: 'POST', headers, body });
  await answer.body.dump();
  return answer.statusCode;
}
