import { describeIssues } from '@cc-ci/core';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { LONGEST_RETRY_AFTER_MS } from '../backoff.js';
import type { Observer } from '../observer.js';
import { createAnswerClock } from './answer-clock.js';
import { errorOfStatus, ForgeError, type ForgeErrorKind } from './errors.js';
import {
  type CommitState,
  type ForgeComment,
  type ForgePull,
  type ForgeUser,
  forgeComment,
  forgePull,
  forgeUser,
} from './schemas.js';

/** Milliseconds until a question, or a change, is given up. A change that was made late would be made twice. */
const READ_TIMEOUT_MS = 10_000;
const WRITE_TIMEOUT_MS = 30_000;
/** Connections to the forge at once. */
const CONNECTIONS = 8;
/** Characters of an answer that are read; 50 comments of the forge's greatest size fit well. */
const LARGEST_ANSWER = 32 * 1024 * 1024;
/** Entries asked for in one page; Gitea gives no more by default. */
export const PAGE_SIZE = 50;

interface Call {
  method: 'GET' | 'POST' | 'PATCH';
  /** Below /api/v1, segments already encoded. */
  path: string;
  body?: unknown;
  /** Statuses that are answers besides 200 and 201. */
  answers?: readonly number[];
}

/** What the forge answered, with header names in lower case. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A connection to one Gitea server as one user. */
export interface ForgeClient {
  readonly url: string;
  /** @throws ForgeError when the answer is not one of those expected, or there is none */
  ask(call: Call): Promise<Answer>;
  /**
   * Milliseconds from now for which the forge asked to be left alone (Retry-After), by its answer to any request;
   * 0 when it did not, or they are over.
   */
  quietMs(): number;
  /** Milliseconds since 1970 by the forge's clock, as its last answers tell it. */
  now(): number;
  close(): Promise<void>;
}

/**
 * A client for the Gitea server at `url`. Asks nothing yet. `timeoutMs` replaces both time limits.
 * The token leaves it in the authorization header only, and redirects are not followed.
 */
export function connectForge(options: {
  url: string;
  token: string;
  timeoutMs?: number;
  observer?: Observer;
}): ForgeClient {
  const agent = new Agent({ connections: CONNECTIONS });
  const base = options.url.replace(/\/+$/, '');
  let quietUntil = 0;
  const clock = createAnswerClock();

  async function ask(call: Call): Promise<Answer> {
    const what = `${call.method} ${base}/api/v1${call.path}`;
    const limit = options.timeoutMs ?? (call.method === 'GET' ? READ_TIMEOUT_MS : WRITE_TIMEOUT_MS);
    const answer = await send(agent, what, call, limit, options.token, base);
    clock.heard(answer.headers.date);
    if (![200, 201, ...(call.answers ?? [])].includes(answer.status)) {
      throw errorOfStatus(what, answer.status, answer.headers, answer.body);
    }
    return answer;
  }

  return {
    url: base,
    async ask(call) {
      const begin = performance.now();
      const tell = (outcome: 'ok' | ForgeErrorKind) =>
        options.observer?.asked(call, outcome, performance.now() - begin);
      try {
        const answer = await ask(call);
        tell('ok');
        return answer;
      } catch (error) {
        const { kind = 'unavailable', retryAfterMs = 0 } = error instanceof ForgeError ? error : {};
        tell(kind);
        quietUntil = Math.max(quietUntil, performance.now() + Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS));
        throw error;
      }
    },
    quietMs: () => Math.max(0, quietUntil - performance.now()),
    now: clock.now,
    close: () => agent.destroy(),
  };
}

async function send(
  agent: Agent,
  what: string,
  call: Call,
  timeoutMs: number,
  token: string,
  base: string,
): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(`${base}/api/v1${call.path}`, {
      dispatcher: agent,
      method: call.method,
      signal,
      headers: {
        accept: 'application/json',
        authorization: `token ${token}`,
        'user-agent': 'cc-ci-bridge',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
    });
    return {
      status: response.statusCode,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      ),
      body: await readText(response.body, what),
    };
  } catch (error) {
    if (error instanceof ForgeError) throw error;
    const why = signal.aborted ? `no answer within ${timeoutMs / 1_000} s` : reasonOf(error);
    throw new ForgeError('unavailable', `${what}: ${why}`, { cause: error });
  }
}

async function readText(body: AsyncIterable<Uint8Array>, what: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LARGEST_ANSWER) {
      throw new ForgeError('unexpected', `${what}: the answer is larger than ${LARGEST_ANSWER} characters`);
    }
  }
  return text + decoder.decode();
}

/** The error's words; undici's connect errors have them in a code or a cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}

/** @throws ForgeError `unexpected`, naming what is wrong, for an answer of another form */
export function parse<S extends z.ZodType>(answer: Answer, schema: S, what: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(answer.body);
  } catch (error) {
    throw new ForgeError('unexpected', `${what} did not answer JSON: ${(error as Error).message}`, {
      status: answer.status,
      cause: error,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ForgeError('unexpected', `${what} answered in another form: ${firstIssues(parsed.error)}`, {
    status: answer.status,
    cause: parsed.error,
  });
}

function firstIssues(error: z.ZodError): string {
  const issues = describeIssues(error);
  const shown = issues.slice(0, 3).join('; ');
  return issues.length > 3 ? `${shown}; and ${issues.length - 3} more` : shown;
}

/** The path of a repository `owner/name`. */
export function repoPath(repo: string): string {
  return `/repos/${repo.split('/').map(encodeURIComponent).join('/')}`;
}

/** The user the token belongs to (scope: read user). */
export async function whoAmI(forge: ForgeClient): Promise<ForgeUser> {
  return parse(await forge.ask({ method: 'GET', path: '/user' }), forgeUser, 'GET /user');
}

/** A pull request as it is now. */
export async function getPullRequest(forge: ForgeClient, repo: string, pr: number): Promise<ForgePull> {
  const path = `${repoPath(repo)}/pulls/${pr}`;
  return parse(await forge.ask({ method: 'GET', path }), forgePull, `GET ${path}`);
}

/**
 * Whether a user is a member of the organisation: 204 yes, 404 no.
 * @throws ForgeError for everything else, `refused` when the bot is no member itself and so may not know
 */
export async function isOrgMember(forge: ForgeClient, org: string, login: string): Promise<boolean> {
  const path = `/orgs/${encodeURIComponent(org)}/members/${encodeURIComponent(login)}`;
  try {
    const { status } = await forge.ask({ method: 'GET', path, answers: [204] });
    if (status === 204) return true;
    throw new ForgeError('unexpected', `GET ${path} answered ${status} instead of 204 or 404`, { status });
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    if (error.kind === 'not-found') return false;
    // Gitea sends who is no member on to the list of public members, where a hidden member is not to be found.
    if (error.status === 302 || error.status === 303) {
      throw new ForgeError('refused', `the forge does not tell the bot who is a member of ${org}`, {
        status: error.status,
        hint: `make the bot a member of a team of ${org}`,
      });
    }
    throw error;
  }
}

/** All comments on a pull request, the oldest first. Gitea gives them at once and knows no pages here; others do. */
export async function listIssueComments(
  forge: ForgeClient,
  repo: string,
  pr: number,
): Promise<ForgeComment[]> {
  const path = `${repoPath(repo)}/issues/${pr}/comments`;
  const comments = new Map<number, ForgeComment>();
  for (let page = 1; ; page++) {
    const answer = await forge.ask({ method: 'GET', path: `${path}?limit=${PAGE_SIZE}&page=${page}` });
    const found = parse(answer, z.array(forgeComment), `GET ${path}`);
    const before = comments.size;
    for (const comment of found) comments.set(comment.id, comment);
    const total = Number.parseInt(answer.headers['x-total-count'] ?? '', 10);
    if (comments.size === before || comments.size >= total) return [...comments.values()];
  }
}

/** Posts a comment on a pull request (scope: write issue). */
export async function createComment(
  forge: ForgeClient,
  repo: string,
  pr: number,
  body: string,
): Promise<ForgeComment> {
  const path = `${repoPath(repo)}/issues/${pr}/comments`;
  return parse(await forge.ask({ method: 'POST', path, body: { body } }), forgeComment, `POST ${path}`);
}

/** Replaces the text of a comment of ours. */
export async function editComment(forge: ForgeClient, repo: string, id: number, body: string): Promise<void> {
  await forge.ask({ method: 'PATCH', path: `${repoPath(repo)}/issues/comments/${id}`, body: { body } });
}

/** A commit status; the newest of one `context` is the one that counts. */
export interface CommitStatus {
  state: CommitState;
  context: string;
  description: string;
  target_url: string;
}

/** Sets a commit status. `forbidden` is an answer: it needs write access, which the bot may well not have. */
export async function setCommitStatus(
  forge: ForgeClient,
  repo: string,
  sha: string,
  status: CommitStatus,
): Promise<'set' | 'forbidden'> {
  const path = `${repoPath(repo)}/statuses/${encodeURIComponent(sha)}`;
  const answer = await forge.ask({ method: 'POST', path, body: status, answers: [403] });
  return answer.status === 403 ? 'forbidden' : 'set';
}
