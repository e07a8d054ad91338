import { describeIssues } from '@cc-ci/core';
import { z } from 'zod';
import { type ForgeComment, forgeComment } from './forge/schemas.js';

/** A webhook delivery, read: a comment that was just made on a pull request of ours, or why it is none. */
export type Delivery =
  | { comment: ForgeComment; repo: string; pr: number }
  /** Well, and of no concern to us. */
  | { ignored: string }
  /** Not what a forge sends. */
  | { problem: string };

/** The request's headers; those that name the event are read. */
export type EventHeaders = Readonly<Record<string, string | string[] | undefined>>;

const positive = z.number().int().positive();
const payload = z.object({
  action: z.string(),
  /** Gitea says it always; where it is missing, an issue that is a pull request says so itself. */
  is_pull: z.boolean().nullish(),
  issue: z.object({ number: positive, pull_request: z.unknown().optional() }),
  comment: forgeComment.extend({ id: positive }),
  repository: z.object({ full_name: z.string().regex(/^[^/\s]+\/[^/\s]+$/, 'expected owner/name') }),
});

/**
 * Reads a delivery. The body's signature covers what is read here, save for the headers, which only tell deliveries
 * we have no use for from those we do.
 */
export function readDelivery(headers: EventHeaders, body: Uint8Array, org: string): Delivery {
  if (!isCommentEvent(headers)) return { ignored: 'no comment on an issue or a pull request' };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    return { problem: `the body is not JSON: ${(error as Error).message}` };
  }
  const parsed = payload.safeParse(value);
  if (!parsed.success) {
    const problems = describeIssues(parsed.error).slice(0, 3).join('; ');
    return { problem: `the body is no comment event of Gitea: ${problems}` };
  }
  const { action, is_pull, issue, comment, repository } = parsed.data;
  if (action !== 'created') return { ignored: 'the comment was not created' };
  if (!(is_pull ?? (issue.pull_request !== null && issue.pull_request !== undefined))) {
    return { ignored: 'the comment is not on a pull request' };
  }
  const repo = repository.full_name;
  if (repo.slice(0, repo.indexOf('/')).toLowerCase() !== org.toLowerCase()) {
    return { ignored: 'the repository is not in the organisation' };
  }
  return { comment, repo, pr: issue.number };
}

/**
 * Gitea sends a comment on a pull request as event `issue_comment` of type `pull_request_comment`. Its event
 * `pull_request_comment` is a review, of type `pull_request_review_comment`, and has no comment.
 */
function isCommentEvent(headers: EventHeaders): boolean {
  const type = headers['x-gitea-event-type'];
  if (type !== undefined) return type === 'issue_comment' || type === 'pull_request_comment';
  return headers['x-gitea-event'] === 'issue_comment';
}
