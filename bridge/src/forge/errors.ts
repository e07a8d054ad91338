import { CcCiError } from '@cc-ci/core';

/**
 * What kind of failure it was. `unavailable`: no answer, a server error, or an answer that is not the forge's own;
 * `rate-limited`: 429; `refused`: the token may not (401, 403, or membership hidden from it); `not-found`: the forge
 * says there is no such thing; `unexpected`: an answer that does not mean what was asked.
 */
export type ForgeErrorKind = 'unavailable' | 'rate-limited' | 'refused' | 'not-found' | 'unexpected';

/** The forge did not do what was asked, or did not answer. `status` is the HTTP status, where there was one. */
export class ForgeError extends CcCiError {
  readonly kind: ForgeErrorKind;
  readonly status: number | undefined;
  /** How long the forge asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ForgeErrorKind,
    message: string,
    options: { status?: number; retryAfterMs?: number | undefined; hint?: string; cause?: unknown } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The error for an answer whose status is not one of those that were expected. */
export function errorOfStatus(
  what: string,
  status: number,
  headers: Record<string, string>,
  body: string,
): ForgeError {
  const said = messageOf(body);
  const message = `${what}: HTTP ${status}${said ? `: ${said}` : ''}`;
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  if (status === 429) return new ForgeError('rate-limited', message, { status, retryAfterMs });
  if (status === 401) {
    return new ForgeError('refused', message, { status, hint: 'is the access token still valid?' });
  }
  if (status === 403) {
    return new ForgeError('refused', message, {
      status,
      hint: "check the token's scopes and the bot's rights",
    });
  }
  if (status >= 500) return new ForgeError('unavailable', message, { status, retryAfterMs });
  if (status !== 404) return new ForgeError('unexpected', message, { status });
  // A reverse proxy whose forge is restarting answers 404 too, but not in the forge's words.
  if (said === undefined) {
    return new ForgeError('unavailable', `${message} without the forge's own message (a proxy's?)`, {
      status,
    });
  }
  return new ForgeError('not-found', message, { status });
}

const LONGEST_MESSAGE = 200;

/** The message in a Gitea error body; undefined when the body is not one. */
function messageOf(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || !('message' in value)) return undefined;
    return String(value.message).slice(0, LONGEST_MESSAGE);
  } catch {
    return undefined;
  }
}

/** A Retry-After header (seconds, or a date) in milliseconds from now; undefined when there is none to understand. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Gitea answers 500 about what it does not have; a server error this often in a row is taken for one that stays. */
const SERVER_ERRORS_BEFORE_GIVING_UP = 5;

/**
 * Whether something that can be done without is worth another try after this error.
 * @param attempts how often it was tried in a row before
 */
export function isPassing(error: ForgeError, attempts: number): boolean {
  if (error.kind === 'rate-limited') return true;
  if (error.kind !== 'unavailable') return false;
  return error.status !== 500 || attempts < SERVER_ERRORS_BEFORE_GIVING_UP;
}
