import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { createQueue, type Queue } from './queue.js';

/** The requests of the forge that can be broken. */
export type Endpoint =
  | 'whoAmI'
  | 'feed'
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
   * cut; otherwise this status, body and these headers.
   */
  how: 'not' | 'hang' | 'drop' | { status: number; body?: string; headers?: Record<string, string> };
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
  /** Something else happens, `times` times in the same second. */
  otherActivity(repo: string, times?: number): void;
  break(endpoint: Endpoint, fault: Fault): { reached: Promise<void> };
  /** Keeps a comment out of the feed, as a slow transaction does. */
  hide(comment: Comment): { show(): void };
  /** Gives the feed's first page whatever page is asked for, and not how many there are. */
  pageless: boolean;
  /** All requests are cut off until it comes back. */
  goDown(): void;
  comeBack(): void;
  close(): Promise<void>;
}

export const ORG = 'coop-cloud';
export const BOT = 'cc-ci-bot';
const TOKEN = 'bot-token-7f3a';
export const FAKE_TOKEN = TOKEN;

interface Activity {
  id: number;
  op: string;
  repo: string;
  createdAt: number;
  commentId: number;
}

type Effect = (
  request: FastifyRequest<{ Params: Record<string, string>; Querystring: { page?: string } }>,
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
  const activities: Activity[] = [];
  const logins = ['nobody', BOT];
  const faults: { endpoint: Endpoint; fault: Fault; skip: number; left: number; reached: () => void }[] = [];
  const hidden = new Set<number>();
  let down = false;
  let pageless = false;
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

  function addComment(pull: Pull, author: string, body: string): Comment {
    clock += 1_000;
    const { repo, number: pr } = pull;
    const comment = { id: nextId++, repo, pr, author, body, createdAt: clock, updatedAt: clock };
    comments.push(comment);
    activities.push({ id: nextId++, op: 'comment_pull', repo, createdAt: clock, commentId: comment.id });
    return comment;
  }

  function takeFault(endpoint: Endpoint) {
    const broken = faults.find((candidate) => candidate.endpoint === endpoint && candidate.left > 0);
    if (!broken || broken.skip-- > 0) return undefined;
    broken.left--;
    return broken;
  }

  const effects: [Endpoint, 'GET' | 'POST' | 'PATCH', string, Effect][] = [
    ['whoAmI', 'GET', '/user', () => ({ status: 200, body: user(BOT) })],
    [
      'feed',
      'GET',
      '/orgs/:org/activities/feeds',
      (request) => {
        // As in Gitea: the newest second first, and within one second the order is not that of time.
        const sorted = activities
          .filter(({ commentId }) => !hidden.has(commentId))
          .toSorted((a, b) => b.createdAt - a.createdAt || a.id - b.id);
        const from = pageless ? 0 : (Number(request.query.page) - 1) * 50;
        const body = sorted.slice(from, from + 50).map((activity) => {
          const comment = comments.find(({ id }) => id === activity.commentId);
          return {
            id: activity.id,
            op_type: activity.op,
            act_user: comment ? user(comment.author) : null,
            repo: repoJson(activity.repo),
            comment_id: comment?.id ?? 0,
            comment: comment ? { ...commentJson(comment), user: null } : null,
            content: comment ? `${comment.pr}|${comment.body}` : '',
            created: new Date(activity.createdAt).toISOString(),
          };
        });
        return { status: 200, body, headers: pageless ? {} : { 'x-total-count': String(sorted.length) } };
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
    app.route<{ Params: Record<string, string>; Querystring: { page?: string } }>({
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
        if (how !== 'not') return goWrong(request, reply, how);
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
    messages,
    statuses,
    requests,
    members,
    pulls,
    readOnly,
    openPull(repo, sha, headRepo = repo) {
      const number = pulls.filter((pull) => pull.repo === repo).length + 1;
      const pull: Pull = { repo, number, sha, state: 'open', merged: false, headRepo };
      pulls.push(pull);
      return pull;
    },
    deletePull: (pull) => void pulls.splice(pulls.indexOf(pull), 1),
    comment: addComment,
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
    otherActivity(repo, times = 1) {
      clock += 1_000;
      for (let i = 0; i < times; i++) {
        activities.push({ id: nextId++, op: 'commit_repo', repo, createdAt: clock, commentId: 0 });
      }
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
    hide({ id }) {
      hidden.add(id);
      return { show: () => void hidden.delete(id) };
    },
    get pageless() {
      return pageless;
    },
    set pageless(value) {
      pageless = value;
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
): FastifyReply {
  if (how === 'hang') return reply.hijack();
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
