import { describeIssues, recipeName, testRequest } from '@cc-ci/core';
import { grantNotEnrolled, grantRejection } from '../answers.js';
import type { Command } from '../command.js';
import { isGone, say } from '../comments.js';
import type { BridgeContext } from '../context.js';
import { getPullRequest, isOrgMember } from '../forge/client.js';
import { ForgeError } from '../forge/errors.js';
import type { ForgePull } from '../forge/schemas.js';
import type { TriggerEvent } from '../machine.js';
import { isListed } from '../rules.js';
import type { Trigger } from '../triggers.js';
import {
  notEnrolledComment,
  type Refusal,
  refusalComment,
  refusalReason,
  rejectedComment,
} from '../words.js';
import { afterSaying, recipeOf, requestOf, type StepResult } from './step.js';

/** The steps from a command to the decision what is done about it. */

const ALLOWED: Record<Command, TriggerEvent> = { testme: 'may-test', stop: 'may-stop', status: 'may-see' };

/**
 * Who is listed may ask, also while the forge cannot tell; anybody else when the forge says 204, and nothing else. A
 * stranger is told so, but only where cc-ci is at home, and seldom; or where they were told already that they wait.
 */
export async function authorise(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const { forge, org, rules, store } = context;
  const { author } = trigger;
  if (isListed(rules.allowUsers, author) || (await isOrgMember(forge, org, author))) {
    return { event: ALLOWED[trigger.command] };
  }
  const isHome = await rules.enrolment.admits(recipeOf(trigger));
  const isGranted = isHome && grantRejection(store, trigger, Date.now());
  const isTold = isGranted || trigger.replyId !== null;
  const facts = { reason: `${author} is no member of ${org}` };
  return { event: isTold ? 'may-not-ask' : 'may-not-ask-again', facts };
}

/** Says who may ask. */
export async function reject(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const { run, author } = trigger;
  const said = await say(context, trigger, rejectedComment({ run, author, org: context.org }), 'answer');
  return afterSaying(said, 'answered');
}

/** Finds out what is to be tested. */
export async function resolve(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  if (!(await context.rules.enrolment.admits(recipeOf(trigger)))) {
    const isTold = grantNotEnrolled(context.store, trigger, Date.now()) || trigger.replyId !== null;
    const facts = { reason: `${trigger.repo} is not enrolled` };
    return { event: isTold ? 'is-not-enrolled' : 'is-not-enrolled-still', facts };
  }
  const named = recipeName.safeParse(recipeOf(trigger));
  if (!named.success) {
    const rule = describeIssues(named.error).join('; ');
    return cannotBeTested({ why: 'no-recipe-name', name: recipeOf(trigger), rule });
  }
  try {
    return resolution(trigger, await getPullRequest(context.forge, trigger.repo, trigger.pr));
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

/** Says how to enroll. */
export async function explainEnrolment(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const { run, repo } = trigger;
  const body = notEnrolledComment({ run, repo, how: context.rules.enrolment.how });
  return afterSaying(await say(context, trigger, body, 'answer'), 'answered');
}

/** Says why nothing is tested. */
export async function refuse(context: BridgeContext, trigger: Trigger): Promise<StepResult> {
  const said = await say(context, trigger, refusalComment(trigger.run, trigger.reason ?? ''));
  return afterSaying(said, 'answered');
}
