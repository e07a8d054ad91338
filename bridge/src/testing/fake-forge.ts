import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { createQueue, type Queue } from './queue.js';

/** The requests of the forge that can be broken. */
export type Endpoint =
  | 'whoAmI'
  | 'search'
  | 'repoComments'
  | 'orgRepos'
  | 'member'
  | 'pull'
  | 'listComments'
  | 'createComment'
  | 'editComment'
  | 'status';

/** How an answer goes wrong. */
export interface Fault {
  /**
   * `not`: all is well, but the test wants to know when it is asked; `hang`: never answers; `drop`: the connection is
   * cut; `break-off`: it is cut in the middle of the true answer; `cut-short`: that answer's JSON ends in the middle;
   * otherwise this status, body and these headers. The two of the middle want `after`.
   */
  how:
    | 'not'
    | 'hang'
    | 'drop'
    | 'break-off'
    | 'cut-short'
    | { status: number; body?: string; headers?: Record<string, string> };
  /** The change is made all the same. */
  after?: boolean;
  /** How many requests it befalls; default 1. */
  times?: number;
  /** The first request it befalls, from 1; default the next one. */
  on?: number;
}

interface Comment {
  id: number;
  repo: string;
  pr: number;
  author: string;
  body: string;
  createdAt: number;
  updatedAt: number;
}

interface Pull {
  repo: string;
  number: number;
  sha: string;
  state: 'open' | 'closed';
  merged: boolean;
  headRepo: string | null;
  /** What happened to it: when, and by which comment. The last that shows is when it was changed. */
  changes: { at: number; commentId?: number }[];
}

/** What the bot wrote into a pull request, or set on a commit. */
export interface Message {
  kind: 'comment' | 'edit';
  repo: string;
  pr: number;
  body: string;
}

export interface FakeStatus {
  repo: string;
  sha: string;
  state: string;
  context: string;
  description: string;
  target_url: string;
}

/** How else it is than the forge everybody hopes for. */
export interface Knobs {
  /** Gives the first page whatever page is asked for, and not how many entries there are. */
  pageless: boolean;
  /** How much the search understands: nothing at all, or everything but whose repositories are asked for. */
  search: 'whole' | 'missing' | 'ownerless';
  /** Repositories that are listed, but not shown. */
  unreadable: Set<string>;
  /** Seconds by which the clock of the proxy before it, which dates its answers, is ahead; undefined: no date. */
  proxyAhead: number | undefined;
  /** Called before each answer of the search. */
  beforeSearch: (page: number) => void;
}

/** A forge with one organisation, as far as the bridge looks at it. */
export interface FakeForge {
  url: string;
  messages: Queue<Message>;
  statuses: FakeStatus[];
  /** Names of the requests it got, in order. */
  requests: Endpoint[];
  members: Set<string>;
  pulls: readonly Pull[];
  /** Repositories in which the bot may not set statuses. */
  readOnly: Set<string>;
  openPull(repo: string, sha: string, headRepo?: string): Pull;
  deletePull(pull: Pull): void;
  /** A comment in the forge's next second. */
  comment(pull: Pull, author: string, body: string): Comment;
  /** An edit `seconds` later. */
  edit(comment: Comment, body: string, seconds?: number): void;
  deleteComment(id: number): void;
  commentsOn(pull: Pull): readonly Comment[];
  /** A comment in the same second as what happened last. */
  commentAtOnce(pull: Pull, author: string, body: string): Comment;
  /** Something else happens to a pull request, in the forge's next second. */
  touch(pull: Pull): void;
  /** A repository goes by another name; the old one leads nowhere. */
  rename(repo: string, to: string): void;
  /** Seconds go by; its clock is set back by negative ones. */
  pass(seconds: number): void;
  break(endpoint: Endpoint, fault: Fault): { reached: Promise<void> };
  /** No request of this kind fails any more. */
  mend(endpoint: Endpoint): void;
  /** Keeps a comment and that it changed its pull request from showing, as a slow transaction does. */
  hide(comment: Comment): { show(): void };
  knobs: Knobs;
  /** All requests are cut off until it comes back. */
  goDown(): void;
  comeBack(): void;
  close(): Promise<void>;
}

export const ORG = 'coop-cloud';
export const BOT = 'cc-ci-bot';
const TOKEN = 'bot-token-7f3a';
export const FAKE_TOKEN = TOKEN;

/** What a list is asked for. */
interface ListQuery {
  page?: string;
  since?: string;
  owner?: string;
  state?: string;
}

type Effect = (
  request: FastifyRequest<{
    Params: Record<string, string>;
    Querystring: ListQuery;
  }>,
) => {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
};

const NOT_FOUND = { status: 404, body: { errors: null, message: "The target couldn't be found." } };

/** Starts a fake forge on a port of its own. */
export async function startFakeForge(): Promise<FakeForge> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  const messages = createQueue<Message>();
  const statuses: FakeStatus[] = [];
  const requests: Endpoint[] = [];
  const members = new Set(['alice', 'bob', BOT]);
  const readOnly = new Set<string>();
  const pulls: Pull[] = [];
  const comments: Comment[] = [];
  const logins = ['nobody', BOT];
  const faults: { endpoint: Endpoint; fault: Fault; skip: number; left: number; reached: () => void }[] = [];
  const hidden = new Set<number>();
  const knobs: Knobs = {
    pageless: false,
    search: 'whole',
    unreadable: new Set(),
    proxyAhead: 0,
    beforeSearch: () => undefined,
  };
  let down = false;
  let clock = Date.parse('2026-11-21T12:00:00Z');
  let nextId = 100;

  const user = (login: string) => {
    if (!logins.includes(login)) logins.push(login);
    return { id: logins.indexOf(login), login, username: login };
  };
  const repoJson = (repo: string) => ({ id: 1, full_name: repo, clone_url: `http://forge.test/${repo}.git` });
  const commentJson = (comment: Comment) => ({
    id: comment.id,
    pull_request_url: `http://forge.test/${comment.repo}/pulls/${comment.pr}`,
    issue_url: '',
    user: user(comment.author),
    body: comment.body,
    created_at: new Date(comment.createdAt).toISOString(),
    updated_at: new Date(comment.updatedAt).toISOString(),
  });
  const findPull = ({ owner, repo, number }: Record<string, string>) =>
    pulls.find((pull) => pull.repo === `${owner}/${repo}` && pull.number === Number(number));

  function addComment(pull: Pull, author: string, body: string, seconds = 1): Comment {
    clock += seconds * 1_000;
    const { repo, number: pr } = pull;
    const comment = { id: nextId++, repo, pr, author, body, createdAt: clock, updatedAt: clock };
    comments.push(comment);
    pull.changes.push({ at: clock, commentId: comment.id });
    return comment;
  }

  function updatedAt({ changes }: Pull): number {
    const shown = changes.filter(({ commentId }) => commentId === undefined || !hidden.has(commentId));
    return shown.at(-1)?.at ?? 0;
  }

  /** Since when is asked for, and which page of it, 50 entries long. */
  const isSince =
    ({ query }: { query: { since?: string } }) =>
    (at: number) =>
      query.since === undefined || at >= Date.parse(query.since);
  const pageOf = <T>(all: T[], { query }: { query: { page?: string } }) => {
    const from = knobs.pageless ? 0 : (Number(query.page) - 1) * 50;
    const total = knobs.pageless ? {} : { 'x-total-count': String(all.length) };
    return { status: 200, body: all.slice(from, from + 50), headers: total };
  };

  function issueJson(pull: Pull) {
    const { repo, number, state } = pull;
    return {
      id: 1_000 + pulls.indexOf(pull),
      number,
      state,
      updated_at: new Date(updatedAt(pull)).toISOString(),
      comments: commentsOf(pull).length,
      repository: { id: 1, full_name: repo },
    };
  }
  const commentsOf = (pull: Pull) =>
    comments.filter(({ id, repo, pr }) => repo === pull.repo && pr === pull.number && !hidden.has(id));

  function takeFault(endpoint: Endpoint) {
    const broken = faults.find((candidate) => candidate.endpoint === endpoint && candidate.left > 0);
    if (!broken || broken.skip-- > 0) return undefined;
    broken.left--;
    return broken;
  }

  const effects: [Endpoint, 'GET' | 'POST' | 'PATCH', string, Effect][] = [
    ['whoAmI', 'GET', '/user', () => ({ status: 200, body: user(BOT) })],
    [
      'search',
      'GET',
      '/repos/issues/search',
      (request) => {
        if (knobs.search === 'missing') return NOT_FOUND;
        knobs.beforeSearch(Number(request.query.page));
        const prefix = knobs.search === 'whole' ? `${request.query.owner}/` : '';
        const found = pulls
          .filter((pull) => pull.repo.startsWith(prefix) && isSince(request)(updatedAt(pull)))
          .filter(({ state }) => request.query.state === 'all' || state === (request.query.state ?? 'open'))
          // As in Gitea: the one opened last first.
          .toReversed();
        return pageOf(found.map(issueJson), request);
      },
    ],
    [
      'repoComments',
      'GET',
      '/repos/:owner/:repo/issues/comments',
      (request) => {
        const name = `${request.params.owner}/${request.params.repo}`;
        if (knobs.unreadable.has(name) || !pulls.some(({ repo }) => repo === name)) return NOT_FOUND;
        const found = comments.filter(
          ({ id, repo, updatedAt }) => repo === name && !hidden.has(id) && isSince(request)(updatedAt),
        );
        return pageOf(found.map(commentJson), request);
      },
    ],
    [
      'orgRepos',
      'GET',
      '/orgs/:org/repos',
      (request) => {
        const names = [...new Set(pulls.map(({ repo }) => repo))];
        const found = names.filter((name) => name.startsWith(`${request.params.org}/`));
        const body = found.map((full_name, index) => ({
          id: index + 1,
          full_name,
          archived: false,
          updated_at: '2026-11-21T12:00:00Z',
        }));
        return pageOf(body, request);
      },
    ],
    [
      'member',
      'GET',
      '/orgs/:org/members/:login',
      (request) => (members.has(request.params.login ?? '') ? { status: 204 } : NOT_FOUND),
    ],
    [
      'pull',
      'GET',
      '/repos/:owner/:repo/pulls/:number',
      (request) => {
        const pull = findPull(request.params);
        if (!pull) return NOT_FOUND;
        const { number, state, merged, sha, repo, headRepo } = pull;
        const head = { sha, repo: headRepo === null ? null : repoJson(headRepo) };
        return { status: 200, body: { number, state, merged, head, base: { repo: repoJson(repo) } } };
      },
    ],
    [
      'listComments',
      'GET',
      '/repos/:owner/:repo/issues/:number/comments',
      (request) => {
        const pull = findPull(request.params);
        // As in Gitea, which also knows no pages here.
        if (!pull) return { status: 500, body: { message: '' } };
        const body = comments.filter(({ repo, pr }) => repo === pull.repo && pr === pull.number);
        return {
          status: 200,
          body: body.map(commentJson),
          headers: { 'x-total-count': String(body.length) },
        };
      },
    ],
    [
      'createComment',
      'POST',
      '/repos/:owner/:repo/issues/:number/comments',
      (request) => {
        const pull = findPull(request.params);
        if (!pull) return { status: 500, body: { message: '' } };
        const comment = addComment(pull, BOT, (request.body as { body: string }).body);
        messages.push({ kind: 'comment', repo: pull.repo, pr: pull.number, body: comment.body });
        return { status: 201, body: commentJson(comment) };
      },
    ],
    [
      'editComment',
      'PATCH',
      '/repos/:owner/:repo/issues/comments/:id',
      (request) => {
        const comment = comments.find(({ id }) => id === Number(request.params.id));
        if (!comment) return NOT_FOUND;
        if (comment.author !== BOT) return { status: 403, body: { message: 'not yours' } };
        comment.body = (request.body as { body: string }).body;
        messages.push({ kind: 'edit', repo: comment.repo, pr: comment.pr, body: comment.body });
        return { status: 200, body: commentJson(comment) };
      },
    ],
    [
      'status',
      'POST',
      '/repos/:owner/:repo/statuses/:sha',
      (request) => {
        const { owner, repo, sha = '' } = request.params;
        if (readOnly.has(`${owner}/${repo}`)) return { status: 403, body: { message: 'write needed' } };
        statuses.push({
          ...(request.body as Omit<FakeStatus, 'repo' | 'sha'>),
          repo: `${owner}/${repo}`,
          sha,
        });
        return { status: 201, body: request.body };
      },
    ],
  ];

  for (const [endpoint, method, path, effect] of effects) {
    app.route<{
      Params: Record<string, string>;
      Querystring: ListQuery;
    }>({
      method,
      url: `/api/v1${path}`,
      handler: async (request, reply) => {
        requests.push(endpoint);
        if (down) return goWrong(request, reply, 'drop');
        if (request.headers.authorization !== `token ${TOKEN}`) {
          return reply.code(401).send({ message: 'invalid username, password or token' });
        }
        const broken = takeFault(endpoint);
        const { how, after = false } = broken?.fault ?? { how: 'not' as const };
        if (!after) broken?.reached();
        if (!after && how !== 'not') return goWrong(request, reply, how);
        const answer = effect(request);
        if (after) broken?.reached();
        if (how !== 'not') return goWrong(request, reply, how, answer);
        const ahead = knobs.proxyAhead;
        reply.raw.sendDate = false;
        if (ahead !== undefined) reply.header('date', new Date(clock + ahead * 1_000).toUTCString());
        return reply
          .code(answer.status)
          .headers(answer.headers ?? {})
          .send(answer.body);
      },
    });
  }

  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    knobs,
    messages,
    statuses,
    requests,
    members,
    pulls,
    readOnly,
    openPull(repo, sha, headRepo = repo) {
      const number = pulls.filter((pull) => pull.repo === repo).length + 1;
      const pull: Pull = {
        repo,
        number,
        sha,
        state: 'open',
        merged: false,
        headRepo,
        changes: [{ at: clock }],
      };
      pulls.push(pull);
      return pull;
    },
    deletePull: (pull) => void pulls.splice(pulls.indexOf(pull), 1),
    comment: (pull, author, body) => addComment(pull, author, body),
    edit(comment, body, seconds = 10) {
      clock += seconds * 1_000;
      Object.assign(comment, { body, updatedAt: clock });
    },
    deleteComment: (id) =>
      void comments.splice(
        comments.findIndex((comment) => comment.id === id),
        1,
      ),
    commentsOn: (pull) => comments.filter(({ repo, pr }) => repo === pull.repo && pr === pull.number),
    commentAtOnce: (pull, author, body) => addComment(pull, author, body, 0),
    touch(pull) {
      clock += 1_000;
      pull.changes.push({ at: clock });
    },
    rename(repo, to) {
      for (const it of [...pulls, ...comments]) if (it.repo === repo) it.repo = to;
    },
    pass(seconds) {
      clock += seconds * 1_000;
    },
    break(endpoint, fault) {
      let reached: () => void = () => undefined;
      const promise = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const skip = (fault.on ?? 1) - 1;
      faults.push({ endpoint, fault, skip, left: fault.times ?? 1, reached });
      return { reached: promise };
    },
    mend(endpoint) {
      for (const fault of faults) if (fault.endpoint === endpoint) fault.left = 0;
    },
    hide({ id }) {
      hidden.add(id);
      return { show: () => void hidden.delete(id) };
    },
    goDown() {
      down = true;
    },
    comeBack() {
      down = false;
    },
    close: () => app.close(),
  };
}

function goWrong(
  request: FastifyRequest,
  reply: FastifyReply,
  how: Exclude<Fault['how'], 'not'>,
  answer?: { status: number; body?: unknown },
): FastifyReply {
  if (how === 'hang') return reply.hijack();
  if (how === 'break-off' || how === 'cut-short') {
    if (!answer) throw new Error(`${how} is for an answer: give the fault 'after'`);
    const whole = JSON.stringify(answer.body ?? {});
    const half = whole.slice(0, Math.ceil(whole.length / 2));
    if (how === 'cut-short') return reply.code(200).send(half);
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
    reply.raw.write(half, () => request.raw.socket.destroy());
    return reply;
  }
  if (how === 'drop') {
    reply.hijack();
    request.raw.socket.destroy();
    return reply;
  }
  return reply
    .code(how.status)
    .headers(how.headers ?? {})
    .send(how.body ?? '');
}
