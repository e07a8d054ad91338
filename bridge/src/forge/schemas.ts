import { z } from 'zod';

// Only what the bridge reads of Gitea's answers; whatever else they carry is dropped.

const id = z.number().int();
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** A user; `id` stays when the login changes. */
export const forgeUser = z.object({ id, login: z.string().min(1) });
export type ForgeUser = z.output<typeof forgeUser>;

/** A comment; times in milliseconds since 1970. Gitea keeps them in whole seconds. */
export const forgeComment = z.object({
  id,
  body: z.string(),
  user: forgeUser,
  created_at: instant,
  updated_at: instant,
  /** The pull request's page; empty for comments on issues. */
  pull_request_url: z.string().nullish(),
});
export type ForgeComment = z.output<typeof forgeComment>;

/** One entry of an organisation's feed. `content` of a comment begins with the pull request's number and a bar. */
export const forgeActivity = z.object({
  id,
  op_type: z.string(),
  /** Who did it; null when that user was deleted. A comment in the feed has no user of its own: it is null there. */
  act_user: forgeUser.nullish(),
  created: instant,
  repo: z.object({ full_name: z.string() }).nullish(),
  /** Absent for other kinds, and for a comment that was deleted. */
  comment: forgeComment.omit({ user: true }).nullish(),
  content: z.string().nullish(),
});
export type ForgeActivity = z.output<typeof forgeActivity>;

const cloneable = z.object({ full_name: z.string(), clone_url: z.string() });

/** A pull request; `head.repo` is null when the fork it came from is gone. */
export const forgePull = z.object({
  number: z.number().int(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  base: z.object({ repo: cloneable }),
  head: z.object({ sha: z.string(), repo: cloneable.nullish() }),
});
export type ForgePull = z.output<typeof forgePull>;

/** States a commit status can have. */
export type CommitState = 'pending' | 'success' | 'failure' | 'error';
