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

/**
 * A pull request as the search lists it. `updated_at` moves with every new comment, push and change of state, not with
 * edits. `repository` is missing in an entry that Gitea could not fill.
 */
export const forgeIssue = z.object({
  id,
  number: id,
  state: z.string(),
  updated_at: instant,
  /** How many comments it has. */
  comments: id.nullish(),
  repository: z.object({ full_name: z.string() }).nullish(),
});
export type ForgeIssue = z.output<typeof forgeIssue>;

/** A repository as lists have it. */
export const forgeRepository = z.object({
  id,
  full_name: z.string(),
  archived: z.boolean().nullish(),
  /** What the bot may do there, where the forge tells it. */
  permissions: z.object({ push: z.boolean() }).nullish(),
  updated_at: instant,
});
export type ForgeRepository = z.output<typeof forgeRepository>;

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
