import { z } from 'zod';

// Gitea serves its own paths under these, so nobody may be called so.
const RESERVED_OWNERS = new Set([
  'api',
  'assets',
  'attachments',
  'avatar',
  'avatars',
  'captcha',
  'login',
  'metrics',
  'org',
  'repo-avatars',
  'v2',
]);
const RESERVED_OWNER_ENDINGS = /\.(keys|gpg|rss|atom|png)$/i;
const RESERVED_REPOSITORIES = new Set(['.', '..', '-']);
const RESERVED_REPOSITORY_ENDINGS = /\.(git|wiki|rss|atom)$/i;

/** A user's or organisation's name: the first folder below the repositories, so no form of it leaves that folder. */
export const ownerName = z
  .string()
  .max(40, 'is longer than 40 characters')
  .regex(
    /^[A-Za-z0-9](?:[-._]?[A-Za-z0-9])*$/,
    'may have letters and digits, with single - . or _ between them only',
  )
  .refine(
    (name) => !RESERVED_OWNERS.has(name.toLowerCase()) && !RESERVED_OWNER_ENDINGS.test(name),
    'is reserved',
  );

/** A repository's name: becomes the folder `<name>.git`. */
export const repositoryName = z
  .string()
  .min(1, 'is required')
  .max(100, 'is longer than 100 characters')
  .regex(/^[A-Za-z0-9_.-]+$/, 'may have letters, digits, - . and _ only')
  .refine(
    (name) => !RESERVED_REPOSITORIES.has(name) && !RESERVED_REPOSITORY_ENDINGS.test(name),
    'is reserved',
  );

/** A branch's name, after the rules of git check-ref-format. */
export const branchName = z
  .string()
  .min(1, 'is required')
  .max(255, 'is longer than 255 characters')
  .refine(isBranchName, 'is not a name git allows for a branch');

function isBranchName(name: string): boolean {
  if (/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\//.test(name)) return false;
  if (name === '@' || /^[-/]|[/.]$/.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}
