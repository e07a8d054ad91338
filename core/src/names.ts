import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { InputError } from './errors.js';

/** A recipe's name: the last part of its repository's name, as Co-op Cloud writes them. */
export const recipeName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/,
    'a recipe name is 1 to 63 of a-z 0-9 . _ - and starts and ends with a letter or digit',
  );

/** A full commit id. Branch and tag names are resolved before anything is started. */
export const commitSha = z.string().regex(/^[0-9a-f]{40}$/, 'a ref is a full commit id: 40 of 0-9 a-f');

/** A forge's repository as `owner/name`. */
export const repoName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/,
    'a repository is "owner/name", each 1 to 100 of A-Z a-z 0-9 _ . -',
  );

/** A pull request's number within its repository. */
export const prNumber = z.coerce
  .number('a pull request number is a whole number from 1')
  .int('a pull request number is a whole number from 1')
  .min(1, 'a pull request number is a whole number from 1')
  .max(2 ** 31 - 1, 'a pull request number is below 2^31');

/** A forge user's login. */
export const userLogin = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'a login is 1 to 100 of A-Z a-z 0-9 _ . -');

/** Where git fetches from: http(s) without credentials in it, or an absolute local path for local runs. */
export const cloneUrl = z
  .string()
  .refine(isCloneUrl, 'a clone source is an http(s) URL without credentials, or an absolute path');

function isCloneUrl(text: string): boolean {
  if (text.startsWith('/')) return !text.includes('\0');
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  );
}

// Crockford's base32 in lower case: DNS-safe and without letters that look like digits.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RUN_ID_LENGTH = 8;

/** A run's id: 8 characters (40 random bits), part of its app's domain, so that no two runs ever share a name. */
export const runId = z.string().regex(/^[0-9a-hjkmnp-tv-z]{8}$/, 'a run id is 8 of 0-9 a-z without i l o u');

/** A new random run id. */
export function newRunId(): string {
  return Array.from(randomBytes(RUN_ID_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** Docker's limit for names of secrets and configs (engine API). */
const DOCKER_NAME_LIMIT = 64;
/** abra cuts stack names here (abra contract 5.2). */
const STACK_NAME_LIMIT = 45;
/** RFC 1035. */
const DNS_LABEL_LIMIT = 63;

/** An app's names: what abra, Docker and DNS each call it. */
export interface AppNames {
  /** First DNS label: start of the recipe's name, a hyphen, the run id. */
  label: string;
  /** `<label>.<zone>`; also abra's app name. */
  domain: string;
  /** abra's stack name: the domain with dots as underscores. */
  stack: string;
}

/**
 * The names of a run's app, short enough that every secret and config of the recipe fits Docker's 64 characters
 * and abra cuts nothing off.
 * @param longestPart length in characters of the longest `<name>_<version>` among the recipe's secrets and configs
 * @throws InputError when the zone is so long that not even the run id fits
 */
export function appNames(recipe: string, run: string, zone: string, longestPart: number): AppNames {
  const suffix = zone.length + 1;
  const budget = Math.min(
    STACK_NAME_LIMIT - suffix,
    DOCKER_NAME_LIMIT - 1 - longestPart - suffix,
    DNS_LABEL_LIMIT,
  );
  if (budget < run.length) {
    throw new InputError(
      `no name fits: the zone ${zone} and a secret or config name of ${longestPart} characters leave ${budget} characters for the app`,
      { hint: 'use a shorter zone, or shorten the name or version of that secret or config in the recipe' },
    );
  }
  const prefix = recipe
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, Math.max(0, budget - run.length - 1))
    .replace(/-+$/, '');
  // A DNS label may start with a digit, but a lone run id should still read as a name.
  const label = prefix ? `${prefix}-${run}` : run;
  const domain = `${label}.${zone}`;
  return { label, domain, stack: domain.replaceAll('.', '_') };
}

/** A repository's name in which `*` and `?` stand for anything and one character; with `!` before it: not these. */
export const repoPattern = z
  .string()
  .regex(
    /^!?[A-Za-z0-9_.*?-]{1,200}$/,
    'expected repository names or patterns such as wordpress, *, !traefik',
  );
