import { isGone } from '../comments.js';
import type { BridgeContext } from '../context.js';
import { getPullRequest } from '../forge/client.js';
import { ForgeError } from '../forge/errors.js';
import type { ForgePull } from '../forge/schemas.js';
import type { Trigger } from '../triggers.js';
import type { Aftermath } from '../words.js';

/** A forge that fails to describe a pull request this often in a row does not keep its run's result from it. */
const ATTEMPTS = 5;

/**
 * What became of a pull request while its run went on; undefined when it is as it was.
 * @throws ForgeError when it is worth another try
 */
export async function aftermathOf(context: BridgeContext, trigger: Trigger): Promise<Aftermath | undefined> {
  try {
    return changeOf(await getPullRequest(context.forge, trigger.repo, trigger.pr), trigger.sha);
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    // The comment that cannot be made then says so itself.
    if (isGone(error)) return undefined;
    // Without an answer no comment can be made either; with one, the result matters more.
    if (error.status === undefined || error.kind === 'rate-limited') throw error;
    if (trigger.attempts < ATTEMPTS) throw error;
    context.logger.warn({ run: trigger.run, err: error.message }, 'the pull request was not looked at again');
    return undefined;
  }
}

function changeOf(pull: ForgePull, tested: string | null): Aftermath | undefined {
  if (pull.merged) return { kind: 'merged' };
  if (!pull.head.repo) return { kind: 'fork-gone' };
  if (pull.state !== 'open') return { kind: 'closed' };
  if (pull.head.sha === tested || pull.head.sha === '') return undefined;
  return { kind: 'moved', sha: pull.head.sha };
}
