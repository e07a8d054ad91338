import { hmacSha256 } from '@cc-ci/core';
import { ALICE, COMMENT } from './gitea-answers.js';

/** What a delivery's payload may differ in from a comment `!testme` by alice on a pull request. */
export interface PayloadChange {
  action?: string;
  is_pull?: unknown;
  issue?: unknown;
  repo?: string;
  comment?: Record<string, unknown>;
}

/** The payload of Gitea 1.23 for a comment on a pull request, with the fields nobody reads cut away. */
export function commentPayload(change: PayloadChange = {}): Record<string, unknown> {
  const full_name = change.repo ?? 'coop-cloud/custom-html';
  return {
    action: change.action ?? 'created',
    issue: change.issue ?? {
      id: 1,
      number: 1,
      user: ALICE,
      title: 'Fix',
      state: 'open',
      pull_request: { merged: false, merged_at: null, draft: false },
    },
    comment: { ...COMMENT, body: '!testme', ...change.comment },
    repository: { id: 1, name: full_name.split('/').at(-1), full_name, private: false },
    sender: ALICE,
    is_pull: 'is_pull' in change ? change.is_pull : true,
  };
}

/** The headers Gitea sends with a comment on a pull request whose body is this, signed with this secret. */
export function deliveryHeaders(body: string | Uint8Array, secret: string): Record<string, string> {
  const signature = hmacSha256(body, secret);
  return {
    'content-type': 'application/json',
    'x-gitea-delivery': 'f6266f16-1bf3-46a5-9ea4-602e06ead473',
    'x-gitea-event': 'issue_comment',
    'x-gitea-event-type': 'pull_request_comment',
    'x-gitea-signature': signature,
    'x-hub-signature-256': `sha256=${signature}`,
  };
}
