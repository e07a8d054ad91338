import { describeIssues, recipeName, type TestRequest, testRequest } from '@cc-ci/core';
import { isGone, say } from './comments.js';
import type { BridgeContext } from './context.js';
import { getPullRequest, isOrgMember } from './forge/client.js';
import { ForgeError } from './forge/errors.js';
import type { ForgePull } from './forge/schemas.js';
import type { ActiveState, TriggerEvent } from './machine.js';
import { readProgress } from './progress.js';
import { settleStatus } from './statuses.js';
import type { Trigger, TriggerFacts } from './triggers.js';
import {
  finalStatus,
  pendingStatus,
  progressComment,
  type Refusal,
  refusalComment,
  refusalReason,
} from './words.js';

/** What a step came to. `again`: nothing more to do until the build moves on. */
export interface StepResult {
  event: TriggerEvent;
  facts?: Partial<TriggerFacts>;
  again?: boolean;
}

/**
 * One step. It may be done a second time after a crash and must then lead to the same: whatever it does outside is
 * idempotent, or looked for before it is done.
 * @throws whatever kept it from being done; it is tried again later
 */
type Step = (context: BridgeContext, trigger: Trigger) => Promise<StepResult>;

/** What is done in each state. */
export const STEPS: Record<ActiveState, Step> = {
  seen: authorise,
  authorised: resolve,
  refusing: refuse,
  resolved: start,
  started: announce,
  announced: follow,
  muted: followSilently,
  concluded: conclude,
};

async function authorise({ forge, org }: BridgeContext, trigger: Trigger): Promise<StepResult> {
  if (await isOrgMember(forge, org, trigger.author)) return { event: 'is-member' };
  return { event: 'is-no-member', facts: { reason: `${trigger.author} is no member of ${org}` } };
}

async function resolve({ forge }: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const named = recipeName.safeParse(recipeOf(trigger));
  if (!named.success) {
    const rule = describeIssues(named.error).join('; ');
    return cannotBeTested({ why: 'no-recipe-name', name: recipeOf(trigger), rule });
  }
  try {
    return resolution(trigger, await getPullRequest(forge, trigger.repo, trigger.pr));
  } catch (error) {
    if (!(error instanceof ForgeError) || !isGone(error)) throw error;
    return { event: 'pull-is-gone', facts: { reason: error.message } };
  }
}

function resolution(trigger: Trigger, pull: ForgePull): StepResult {
  if (pull.merged) return cannotBeTested({ why: 'merged' });
  // Before `closed`: Gitea closes a pull request whose fork is deleted, and it cannot be opened again.
  if (!pull.head.repo) return cannotBeTested({ why: 'fork-gone' });
  if (pull.state !== 'open') return cannotBeTested({ why: 'closed' });
  if (pull.head.sha === '') return cannotBeTested({ why: 'no-commit' });
  const facts = { sha: pull.head.sha, src: pull.head.repo.clone_url, origin: pull.base.repo.clone_url };
  const request = testRequest.safeParse(requestOf({ ...trigger, ...facts }));
  if (request.success) return { event: 'can-be-tested', facts };
  return cannotBeTested({ why: 'not-a-request', problems: describeIssues(request.error) });
}

function cannotBeTested(refusal: Refusal): StepResult {
  return { event: 'cannot-be-tested', facts: { reason: refusalReason(refusal) } };
}

async function refuse(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const said = await say(context, trigger, refusalComment(trigger.run, trigger.reason ?? ''));
  if ('gone' in said) return { event: 'pull-is-gone', facts: { reason: said.gone } };
  return { event: 'answered', facts: said };
}

/** Pending before anything else: a green status of an earlier run must not stand over this one. */
async function start(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  await settleStatus(context, trigger, pendingStatus());
  await context.engine.start(testRequest.parse(requestOf(trigger)));
  return { event: 'build-started' };
}

async function announce(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const said = await say(
    context,
    trigger,
    progressComment(factsOf(context, trigger), await look(context, trigger)),
  );
  if ('gone' in said) return { event: 'pull-is-gone', facts: { reason: said.gone } };
  return { event: 'comment-posted', facts: said };
}

async function follow(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const progress = await look(context, trigger);
  const said = await say(context, trigger, progressComment(factsOf(context, trigger), progress));
  if ('gone' in said) return { event: 'pull-is-gone', facts: { reason: said.gone } };
  if (progress.phase !== 'ended') return { event: 'looked', facts: said, again: true };
  const { verdict, sentence } = progress.outcome;
  return { event: 'build-ended', facts: { ...said, verdict, sentence } };
}

async function followSilently(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const progress = await look(context, trigger);
  if (progress.phase !== 'ended') return { event: 'looked', again: true };
  const { verdict, sentence } = progress.outcome;
  return { event: 'build-ended', facts: { verdict, sentence } };
}

async function conclude(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  if (trigger.verdict !== null) {
    await settleStatus(context, trigger, finalStatus(trigger.verdict, trigger.sentence ?? ''));
  }
  return { event: trigger.reason === null ? 'status-settled' : 'pull-is-gone' };
}

async function look(context: BridgeContext, trigger: Trigger) {
  return readProgress(trigger.run, await context.engine.get(trigger.run), context.readRecord);
}

/** The recipe a trigger is about: the last part of its repository's name. */
function recipeOf(trigger: Trigger): string {
  return trigger.repo.slice(trigger.repo.lastIndexOf('/') + 1);
}

function requestOf(trigger: Trigger): Record<keyof TestRequest, unknown> {
  return {
    run: trigger.run,
    recipe: recipeOf(trigger),
    ref: trigger.sha,
    src: trigger.src,
    origin: trigger.origin,
    repo: trigger.repo,
    pr: trigger.pr,
    requestedBy: trigger.author,
  };
}

function factsOf({ publicUrl }: BridgeContext, trigger: Trigger) {
  return {
    publicUrl,
    run: trigger.run,
    recipe: recipeOf(trigger),
    sha: trigger.sha ?? '',
    author: trigger.author,
  };
}
