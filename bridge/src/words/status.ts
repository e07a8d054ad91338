import type { Verdict } from '@cc-ci/core';
import { plainLine } from '../markdown.js';
import { LIMIT } from './terms.js';

/** What commit statuses say. */

/** The commit status's name. */
export const STATUS_CONTEXT = 'cc-ci/testme';

/** The commit status of a run that has been asked for. */
export function pendingStatus(): { state: 'pending'; description: string } {
  return { state: 'pending', description: 'asked for with !testme' };
}

/** The commit status of a run that has ended. Gitea knows no cancelled, so that is an error. */
export function finalStatus(
  verdict: Verdict,
  sentence: string,
): { state: 'success' | 'failure' | 'error'; description: string } {
  const state = verdict === 'green' ? 'success' : verdict === 'red' ? 'failure' : 'error';
  return { state, description: plainLine(`${verdict}: ${sentence}`, LIMIT.status) };
}
